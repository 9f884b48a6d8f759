"""Dead units are found after activations of every kind, under names that say where."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from spotter_worker.dead_units import UnitWatch


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.act = nn.Conv2d(1, 4, 3), nn.ReLU()
        self.out = nn.Linear(4, 8)
        with torch.no_grad():
            # A channel that never answers, and units that never do.
            self.kernel.bias[0] = -1000
            self.out.bias[:4] = -1000

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        channels = self.act(self.kernel(images)).mean((2, 3))
        first = functional.relu(self.out(channels))
        return functional.gelu(functional.relu(first) + 1)


def test_modules_and_functions_are_seen_and_named_by_their_place() -> None:
    model = nn.Sequential(Mixed())
    images = torch.randn(64, 1, 5, 5, generator=torch.Generator().manual_seed(1))
    watch = UnitWatch(model)
    with watch.watching(), torch.inference_mode():
        model(images)
    shares = {name: float(share) for name, share in watch.shares.items()}
    assert list(shares) == ["0.act", "0.relu", "0.relu_2", "0.gelu"]
    assert shares["0.act"] == pytest.approx(0.25)
    assert shares["0.relu"] >= 0.5
    assert shares["0.gelu"] == 0
    seen = dict(watch.shares)
    # Outside nothing is watched any more.
    model(images)
    assert watch.shares == seen


def test_features_come_last_where_there_was_no_convolution() -> None:
    class Grid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 5)

        def forward(self, cells: torch.Tensor) -> torch.Tensor:
            return functional.relu(self.layer(cells) - torch.tensor([0, 0, 1000, 1000, 1000]))

    model = Grid()
    watch = UnitWatch(model)
    with watch.watching(), torch.inference_mode():
        model(torch.randn(4, 6, 7, 3, generator=torch.Generator().manual_seed(1)))
    assert float(watch.shares["relu"]) == pytest.approx(0.6)
