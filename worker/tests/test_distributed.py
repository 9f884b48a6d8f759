"""Several processes: two with a batch each see what one sees with the doubled batch."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Spawn, make_attempt, make_spec
from receiver import Receiver

# Noise is each process's own, so there is none here.
QUIET = {"augment": "none", "dropout": 0.0, "max_steps": 8, "width": 8}


def test_two_processes_have_the_losses_of_one_with_the_doubled_batch(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    one = make_attempt(tmp_path / "one", make_spec({**QUIET, "batch_size": 64}))
    two_spec = make_spec({**QUIET, "batch_size": 32, "processes": 2})
    two = make_attempt(tmp_path / "two", two_spec)
    files = {}
    for name, folder in (("one", one), ("two", two)):
        truth = tmp_path / f"{name}.jsonl"
        supervisor = spawn(tmp_path / name, environment={"SPOTTER_TRUTH_FILE": str(truth)})
        wait_for(folder / "outcome.json", supervisor)
        files[name] = [json.loads(line) for line in truth.read_text().splitlines()]
    losses = {
        name: [point["value"] for point in points if point["name"] == "train/loss"]
        for name, points in files.items()
    }
    assert len(losses["one"]) == 8
    assert losses["two"] == pytest.approx(losses["one"], rel=1e-3)
    assert (tmp_path / "two/weights/model.safetensors").exists()


def wait_for(path: Path, process: Any) -> None:
    deadline = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < deadline, (path.parent / "stderr.log").read_text()
        assert process.poll() is None or path.exists(), (path.parent / "stderr.log").read_text()
        time.sleep(0.05)
