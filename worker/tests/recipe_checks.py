"""What holds for every recipe's trainings, for the tests of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from runs import Run

# A run of the recipe in this folder: `begin(folder, config=...)`, the rest as `Run` takes it.
Begin = Callable[..., Run]


def check_that_stopping_changes_nothing(
    begin: Begin, folder: Path, loaders: int, step: int
) -> None:
    """Stopped at `step`, in mid-epoch, and resumed: the same numbers and weights as never stopped."""
    config = {"dropout": 0.3, "data_workers": loaders}
    whole = begin(folder / "whole", config=config)
    whole.go()
    first = begin(folder / "cut", config=config).command_at(step, "stop")
    assert first.go().state == "stopped"
    torch.rand(100)
    second = begin(folder / "cut", config=config, resume_from=f"checkpoints/step-{step:08}")
    assert second.go().state == "finished"
    before = [point for point in first.tracker.numbers() if not point[0].startswith("test/")]
    assert before + second.tracker.numbers() == whole.tracker.numbers()
    assert second.weights() == whole.weights()


def check_that_probes_change_nothing(begin: Begin, folder: Path) -> None:
    watched = begin(folder / "on")
    watched.go()
    # Only now: building it sets the seed.
    unwatched = begin(folder / "off", probes_enabled=False)
    unwatched.go()
    assert watched.tracker.numbers() == unwatched.tracker.numbers()
