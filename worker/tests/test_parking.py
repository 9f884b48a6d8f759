"""A paused run gives its device's memory back, and goes on as if it had kept it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from runs import Run

from spotter_worker.commands import Command

CONFIG = {"epochs": 1, "dropout": 0.3, "augment": "standard", "ema_decay": 0.9, "max_steps": 8}


class PausedRun(Run):
    """Pauses after step 3; resumes once the memory has been given back."""

    def __init__(self, run_dir: Path, config: dict[str, Any]) -> None:
        super().__init__(run_dir, config)
        self.loop._pause_release_s = 0.0
        self.freed, self.left = 0, -1
        leave = self.loop._parking.leave

        def watched() -> int:
            self.freed = leave()
            self.left = sum(
                tensor.untyped_storage().nbytes()
                for tensor in self.task.model.state_dict().values()
            )
            self.commands.put(Command(2, "checkpoint"))
            self.commands.put(Command(3, "resume"))
            return self.freed

        self.loop._parking.leave = watched  # type: ignore[method-assign]
        self.command_at(3, "pause")


def test_a_parked_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole", CONFIG)
    whole.go()
    run = PausedRun(tmp_path / "paused", CONFIG)
    assert run.go().state == "finished"
    weights = sum(one.numel() * 4 for one in run.task.model.parameters())
    # Weights, two moments of the optimiser, and the average.
    assert run.freed > 3.5 * weights
    assert run.left == 0
    assert not run.loop._parking.is_away
    assert run.tracker.numbers() == whole.tracker.numbers()
    assert run.weights() == whole.weights()
    assert (tmp_path / "paused/checkpoints/step-00000003/manifest.json").exists()
    acks = [(one["command_id"], one["outcome"]) for one in run.tracker.of("command-acked")]
    assert acks == [(1, "done"), (2, "done"), (3, "done")]


def test_without_a_time_nothing_is_given_back(tmp_path: Path) -> None:
    run = Run(tmp_path, CONFIG)
    run.loop._pause_release_s = None
    run.loop._park_if_long(1e9)
    assert not run.loop._parking.is_away


@pytest.mark.gpu("its memory is what is given back")
def test_on_a_gpu_the_memory_is_free_while_the_run_is_parked(tmp_path: Path) -> None:
    config = {**CONFIG, "device": "cuda", "deterministic": True, "width": 256}
    whole = Run(tmp_path / "whole", config)
    whole.go()
    run = PausedRun(tmp_path / "paused", config)
    before = torch.cuda.memory_allocated()
    leave, allocated = run.loop._parking.leave, [0]

    def watched() -> int:
        freed = leave()
        allocated[0] = torch.cuda.memory_allocated()
        return freed

    run.loop._parking.leave = watched  # type: ignore[method-assign]
    run.go()
    assert run.freed > 0
    assert allocated[0] < before
    assert run.tracker.numbers() == whole.tracker.numbers()
