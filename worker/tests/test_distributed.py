"""Several processes: two with a batch each see what one sees with the doubled batch."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Spawn, make_attempt, make_spec
from receiver import Receiver

from spotter_worker.process_group import MARK

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


def test_a_stop_file_reaches_processes_that_lead_sessions_of_their_own(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    folder = make_attempt(tmp_path / "run", make_spec({**QUIET, "max_steps": 5000, "processes": 2}))
    spawn(tmp_path / "run")
    receiver.wait_until(lambda: len(receiver.points("train/loss")) > 2, 240)
    (folder / "stop").write_text("stop")
    [ended] = receiver.wait_until(lambda: receiver.events("run-ended"), 240)
    assert ended["state"] == "stopped"
    assert any(event["kind"] == "checkpoint" for event in receiver.events("file-saved"))


def process_of(folder: Path, rank: int) -> int:
    """By its environment; torchrun starts each in a session of its own."""
    mark = f"{MARK}={folder}".encode()
    for name in os.listdir("/proc"):
        try:
            environment = Path("/proc", name, "environ").read_bytes() if name.isdigit() else b""
        except OSError:
            continue
        found = environment.split(b"\0")
        if mark in found and f"RANK={rank}".encode() in found:
            return int(name)
    raise AssertionError(f"process {rank} is not there")


@pytest.mark.parametrize(
    ("rank", "number", "code", "words"),
    [
        (
            0,
            signal.SIGKILL,
            None,
            "process 1 of 2, which speaks for the others, was ended by SIGKILL",
        ),
        (1, signal.SIGSTOP, "peer-lost", "has not answered for 0.1 min (peer_timeout_minutes)"),
    ],
)
def test_a_process_that_is_killed_or_hangs_is_told_of(
    receiver: Receiver,
    spawn: Spawn,
    tmp_path: Path,
    rank: int,
    number: signal.Signals,
    code: str | None,
    words: str,
) -> None:
    if sys.platform != "linux":
        # Nowhere else can a process be found by its rank.
        return
    config = {**QUIET, "max_steps": 5000, "processes": 2, "peer_timeout_minutes": 0.1}
    folder = make_attempt(tmp_path / "run", make_spec(config))
    spawn(tmp_path / "run")
    receiver.wait_until(lambda: len(receiver.points("train/loss")) > 2, 240)
    os.kill(process_of(folder, rank), number)
    if code is None:
        [event] = receiver.wait_until(lambda: receiver.events("attempt-ended"), 240)
        assert (event["exit"]["reason"], event["exit"]["signal"]) == ("worker-lost", "SIGKILL")
        assert event["exit"]["message"] == words
        return
    [event] = receiver.wait_until(lambda: receiver.events("run-ended"), 240)
    assert event["error"]["kind"] == code
    assert words in event["error"]["message"]


def wait_for(path: Path, process: Any) -> None:
    deadline = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < deadline, (path.parent / "stderr.log").read_text()
        assert process.poll() is None or path.exists(), (path.parent / "stderr.log").read_text()
        time.sleep(0.05)
