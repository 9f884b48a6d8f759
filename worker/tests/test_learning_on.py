"""Learning on: replay, elastic weights, a teacher, growing heads; what is forgotten is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from runs import Run

OLD, NEW = [str(digit) for digit in range(5)], [str(digit) for digit in range(5, 10)]
FIRST = {"class_subset": OLD, "epochs": 3, "augment": "none"}
SECOND: dict[str, Any] = {
    "class_subset": NEW,
    "init_from": {"path": "old"},
    "old_data": {"builtin": "digits"},
    "old_class_subset": OLD,
    "epochs": 2,
    "augment": "none",
    "best_metric": "val/accuracy_both",
}
TAUGHT = {"distill_from": {"path": "old"}}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    Run(folder, FIRST).go()
    return folder / "weights"


def places(old: Path) -> dict[str, Path]:
    return {"init_from": old, "distill_from": old}


def test_the_head_grows_and_forgetting_is_told(tmp_path: Path, old: Path) -> None:
    run = Run(tmp_path, {**SECOND, **TAUGHT}, places=places(old))
    assert run.task.classes == OLD + NEW
    metrics = run.go().metrics
    before, after = (
        metrics["continual/old_accuracy_before"],
        metrics["continual/old_accuracy_after"],
    )
    assert before > 0.9
    assert after == metrics["test_old/accuracy"] > 0.5
    assert metrics["continual/forgetting"] == pytest.approx(before - after)
    both = (metrics["val/accuracy"] + metrics["val_old/accuracy"]) / 2
    assert metrics["val/accuracy_both"] == pytest.approx(both)
    assert run.tracker.series("val_old/accuracy")[0][0] == 0
    assert run.tracker.series("train/distillation")
    assert "50%" in run.task.derived["replay"]
