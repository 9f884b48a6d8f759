"""Owns the image networks: a small CNN and a ResNet-18-style one. N images, C channels, H and W
pixels.

Both shrink the picture only as far as it allows, so that 8×8 digits and 224×224 photographs pass
through alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

# Below this edge another halving would leave nothing to look at.
MIN_EDGE = 3


@dataclass(frozen=True)
class Architecture:
    """Everything that decides the shapes; saved with the weights."""

    name: str
    width: int
    dropout: float
    num_channels: int
    image_size: int
    num_classes: int


def build_model(architecture: Architecture) -> nn.Module:
    match architecture.name:
        case "cnn":
            return SmallCNN(architecture)
        case "resnet18":
            return ResNet18(architecture)
    raise ValueError(f"model {architecture.name!r} is unknown; expected cnn or resnet18")


def count_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


class ConvNormAct(nn.Sequential):
    def __init__(self, c_in: int, c_out: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(inplace=True),
        )


class SmallCNN(nn.Module):
    """Three stages of two convolutions, doubling the width; the picture is halved between them."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        w = architecture.width
        edge = architecture.image_size
        self.stem, edge = _stem(architecture.num_channels, w, edge)
        stages: list[nn.Module] = []
        c_in = w
        for c_out in (w, 2 * w, 4 * w):
            stages += [ConvNormAct(c_in, c_out)]
            if edge // 2 >= MIN_EDGE:
                stages += [nn.MaxPool2d(2)]
                edge //= 2
            c_in = c_out
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(architecture.dropout)
        self.head = nn.Linear(c_in, architecture.num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.stages(self.stem(images)).mean((2, 3))
        logits: torch.Tensor = self.head(self.dropout(features))
        return logits


class ResidualBlock(nn.Module):
    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.first = ConvNormAct(c_in, c_out, stride=stride)
        self.second = nn.Sequential(
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out)
        )
        # Zero: every block begins as the identity, which lets deep stacks start learning at once.
        nn.init.zeros_(self.second[1].weight)  # type: ignore[arg-type]
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.shortcut(images) + self.second(self.first(images)))


class ResNet18(nn.Module):
    """Four stages of two residual blocks."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        w = architecture.width
        self.stem, edge = _stem(architecture.num_channels, w, architecture.image_size)
        blocks: list[nn.Module] = []
        c_in = w
        for number, c_out in enumerate((w, 2 * w, 4 * w, 8 * w)):
            stride = 2 if number > 0 and edge // 2 >= MIN_EDGE else 1
            edge = (edge + 1) // 2 if stride == 2 else edge
            blocks += [ResidualBlock(c_in, c_out, stride), ResidualBlock(c_out, c_out, 1)]
            c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(architecture.dropout)
        self.head = nn.Linear(c_in, architecture.num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.blocks(self.stem(images)).mean((2, 3))
        logits: torch.Tensor = self.head(self.dropout(features))
        return logits


def _stem(num_channels: int, width: int, edge: int) -> tuple[nn.Module, int]:
    """The first layers, and the edge after them. Large pictures are shrunk fourfold, middling ones
    by half.
    """
    if edge >= 128:
        shrinking = ConvNormAct(num_channels, width, kernel=7, stride=2)
        return nn.Sequential(shrinking, nn.MaxPool2d(3, 2, 1)), edge // 4
    if edge >= 48:
        return ConvNormAct(num_channels, width, stride=2), edge // 2
    return ConvNormAct(num_channels, width), edge
