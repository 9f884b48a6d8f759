"""Several processes: two with a batch each see what one sees with the doubled batch."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Spawn, make_attempt, make_spec
from receiver import Receiver

from spotter_worker.distributed import Peers

# Noise is each process's own, so there is none here.
QUIET = {"augment": "none", "dropout": 0.0, "max_steps": 8, "width": 8}


def test_every_batch_is_taken_once_and_shares_add_up() -> None:
    batches, sizes = ["a", "b", "c"], {"a": 4, "b": 4, "c": 2}
    parts = [Peers(rank, 2).parts(batches, lambda batch: sizes[batch]) for rank in (0, 1)]
    assert [[part.batch for part in own] for own in parts] == [["a", "c"], ["b", "a"]]
    # The second process has nothing left in the last round and only keeps step.
    assert [[part.share / 2 for part in own] for own in parts] == [[0.4, 0.2], [0.4, 0.0]]
    assert [[part.is_last for part in own] for own in parts] == [[False, True], [False, True]]


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
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, (path.parent / "stderr.log").read_text()
        assert process.poll() is None or path.exists(), (path.parent / "stderr.log").read_text()
        time.sleep(0.05)
