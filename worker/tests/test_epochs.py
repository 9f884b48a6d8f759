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
