"""Owns what every image source becomes: a store of equal-sized uint8 images with labels and class
names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from .joined_store import JoinedStore


class ImageStore(Protocol):
    """Images by number; shape of a batch: (N, C, H, W), uint8."""

    num_channels: int
    size: int

    def __len__(self) -> int: ...

    def gather(self, indices: torch.Tensor) -> torch.Tensor: ...


class MemoryImages:
    """All images in one tensor."""

    def __init__(self, images: torch.Tensor) -> None:
        assert images.dtype == torch.uint8 and images.dim() == 4
        self._images = images
        self.num_channels, self.size = images.shape[1], images.shape[2]

    def __len__(self) -> int:
        return len(self._images)

    def gather(self, indices: torch.Tensor) -> torch.Tensor:
        return self._images[indices]


class JoinedImages(JoinedStore):
    """New images, and old ones after them."""

    def __init__(self, new: ImageStore, old: ImageStore) -> None:
        super().__init__(new, old)
        self.num_channels, self.size = new.num_channels, new.size
        if (old.num_channels, old.size) != (new.num_channels, new.size):
            raise ValueError(
                f"old_data has images of {old.size} pixels in {old.num_channels} channels, data of {new.size} in "
                f"{new.num_channels}; set image_size, and give both as colour or both as grey images"
            )


@dataclass(frozen=True)
class LabelledImages:
    store: ImageStore
    labels: torch.Tensor
    classes: list[str]
    # Numbers of the images that the source itself sets aside for testing (MNIST's t10k files).
    own_test: torch.Tensor | None = None
    # Whether all of the source's images have one size; else one is chosen for them.
    has_one_size: bool = True
    # What a person knows an image by; None where it comes from no file. Of the new images alone where old ones are
    # joined.
    name_of: Callable[[int], str] | None = None


def resize(images: torch.Tensor, size: int | None) -> torch.Tensor:
    """(N, C, H, W) uint8 to edge `size`; squares what is not square."""
    target = size or max(images.shape[2], images.shape[3])
    if images.shape[2] == target and images.shape[3] == target:
        return images
    resized = torch.nn.functional.interpolate(
        images.float(), size=(target, target), mode="bilinear", antialias=True
    )
    return resized.round().clamp(0, 255).to(torch.uint8)
