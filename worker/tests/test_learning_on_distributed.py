"""Learning on in several processes: two with a batch each see what one sees with the doubled batch."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Spawn, make_attempt, make_spec
from receiver import Receiver
from runs import Run

OLD, NEW = [str(digit) for digit in range(5)], [str(digit) for digit in range(5, 10)]
# Noise is each process's own, so there is none here.
QUIET = {"augment": "none", "dropout": 0.0, "max_steps": 6}
WAYS: dict[str, dict[str, Any]] = {
    "new data": {
        "class_subset": NEW,
        "init_from": {"path": "old"},
        "distill_from": {"path": "old"},
        "old_data": {"builtin": "digits"},
        "old_class_subset": OLD,
        "ewc_lambda": 10.0,
    },
    "students": {"mutual_students": 2},
}


@pytest.mark.parametrize("way", list(WAYS))
def test_two_processes_have_the_losses_of_one_with_the_doubled_batch(
    receiver: Receiver, spawn: Spawn, tmp_path: Path, way: str
) -> None:
    Run(tmp_path / "old", {**QUIET, "class_subset": OLD}).go()
    weights = str(tmp_path / "old/weights")
    places = {"init_from": weights, "distill_from": weights} if "init_from" in WAYS[way] else {}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, given in (("one", {"batch_size": 64}), ("two", {"batch_size": 32, "processes": 2})):
        spec = make_spec({**QUIET, **WAYS[way], **given}, places=places)
        attempt = make_attempt(tmp_path / name, spec)
        truth = tmp_path / f"{name}.jsonl"
        supervisor = spawn(tmp_path / name, environment={"SPOTTER_TRUTH_FILE": str(truth)})
        wait_for(attempt / "outcome.json", supervisor)
        found[name] = [json.loads(line) for line in truth.read_text().splitlines()]

    def series(run: str, name: str) -> list[float]:
        return [point["value"] for point in found[run] if point["name"] == name]

    assert len(series("one", "train/loss")) == 6
    assert series("two", "train/loss") == pytest.approx(series("one", "train/loss"), rel=1e-3)
    if way == "new data":
        (before,) = series("one", "continual/old_accuracy_before")
        assert series("two", "continual/old_accuracy_before") == [pytest.approx(before)]
        assert len(series("two", "continual/forgetting")) == 1
    assert (tmp_path / "two/weights/model.safetensors").exists()


def wait_for(path: Path, process: Any) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, (path.parent / "stderr.log").read_text()
        assert process.poll() is None or path.exists(), (path.parent / "stderr.log").read_text()
        time.sleep(0.05)
