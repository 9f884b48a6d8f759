"""Which epoch a run is in, said alike wherever it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import Run

from spotter.epochs import EpochCount


@pytest.mark.parametrize(
    ("told", "numbers"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([0, 1, 2], [1, 2, 3]),
        ([0.25, 0.5, 1.0, 1.25, 2.0], [1, 1, 1, 2, 2]),
        # The first log of a long epoch is rounded to nothing.
        ([0.0, 0.01, 1.0], [1, 1, 1]),
        # Resumed in the middle.
        ([4, 5], [4, 5]),
        ([float("nan"), float("inf"), 1e300], [0, 0, 0]),
    ],
)
def test_epochs_count_from_one_however_a_script_counts_them(
    told: list[float], numbers: list[int]
) -> None:
    count = EpochCount()
    found = []
    for value in told:
        count.take(value)
        found.append(count.number)
    assert found == numbers


def test_a_training_that_ends_within_its_first_epoch_says_one_of_one_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, {"epochs": 1, "max_steps": 3})
    run.go()
    told = [e for e in run.tracker.of("run-progress") if e["total_epochs"] is not None]
    assert {(e["epoch"], e["total_epochs"]) for e in told} == {(1, 1)}
    said = capsys.readouterr().out
    assert "epoch 1/1 step 3:" in said
    assert "epoch 0/" not in said
    assert {value for _, value in run.tracker.series("train/epoch")} == {1}


def test_an_epoch_that_ends_between_evaluations_repeats_no_evaluations_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the quick brown fox jumps over the lazy dog\n" * 60, "utf-8")
    sizes = {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 12}
    config = {"data": {"path": "text.txt"}, **sizes, "epochs": 2, "eval_every_steps": 5}
    run = Run(tmp_path, config, places={"data": text}, recipe="text-lm")
    a_epoch, total = run.loop.steps_per_epoch, run.loop.total_steps
    assert a_epoch % 5 != 0 and total == 2 * a_epoch
    run.go()
    evaluated = [*range(5, total, 5), total]
    assert [step for step, _ in run.tracker.series("val/loss")] == evaluated
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in lines] == [
        f"epoch {1 if step <= a_epoch else 2}/2 step {step}" for step in evaluated
    ]
    completed = {e["step"]: e for e in run.tracker.of("epoch-completed")}
    assert completed[a_epoch]["metrics"] == {} and completed[a_epoch]["epoch"] == 1
    assert all(completed[step]["metrics"]["val/loss"] for step in evaluated)
