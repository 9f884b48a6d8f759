"""Signals reach what an attempt started, and nobody who has one of its numbers by now."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Spawn, make_attempt, make_spec
from receiver import Receiver

from spotter_worker.process import birth_time, start_time
from spotter_worker.process_group import MARK, WorkerGroup, signal_process

LEAVES_A_CHILD = """
import subprocess, sys
print(subprocess.Popen(["sleep", "600"], start_new_session=sys.argv[1] == "away").pid, flush=True)
"""
# Other systems do not tell a process's environment: there only a leader's start time counts.
SHOWS_ENVIRONMENTS = sys.platform == "linux"
Begin = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts a program that leads a session, as a worker does."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(*command: str, mark: Path | None = None) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **({MARK: str(mark)} if mark else {})}
        process = subprocess.Popen(
            command, start_new_session=True, env=environment, stdout=subprocess.PIPE
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()


def leave_child(begin: Begin, where: str, mark: Path | None) -> tuple[int, int]:
    """A leader that has gone and been waited for, and the child that it left."""
    leader = begin(sys.executable, "-c", LEAVES_A_CHILD, where, mark=mark)
    assert leader.stdout is not None
    child = int(leader.stdout.readline())
    leader.wait()
    return leader.pid, child


def wait_until_gone(pid: int) -> None:
    ticks = threading.Event()
    while start_time(pid) is not None:
        ticks.wait(0.01)


def test_a_stranger_with_the_workers_number_is_left_alone(begin: Begin, tmp_path: Path) -> None:
    stranger = begin("sleep", "600")
    group = WorkerGroup(stranger.pid, "12", tmp_path)
    assert not group.is_ours()
    group.end_all()
    assert stranger.poll() is None


def test_an_adopter_of_a_gone_worker_leaves_a_stranger_with_its_number_alone(
    begin: Begin, receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    stranger = begin("sleep", "600")
    folder = make_attempt(tmp_path / "run", make_spec())
    facts = {"pid": 2, "start_time": "1", "worker_pid": stranger.pid, "worker_start_time": "12"}
    (folder / "supervisor.json").write_text(json.dumps({**facts, "started_at": 1.0}))
    assert spawn(tmp_path / "run", 1, "--adopt").wait(30) == 0
    [event] = receiver.wait_until(lambda: receiver.events("attempt-ended"))
    assert event["exit"]["reason"] == "worker-lost"
    assert stranger.poll() is None


def test_a_living_worker_is_signalled(begin: Begin, tmp_path: Path) -> None:
    worker = begin("sleep", "600")
    WorkerGroup(worker.pid, birth_time(worker.pid) or "", tmp_path).signal(signal.SIGTERM)
    assert worker.wait(20) == -signal.SIGTERM


def test_what_a_gone_worker_left_in_its_group_is_ended(begin: Begin, tmp_path: Path) -> None:
    if not SHOWS_ENVIRONMENTS:
        return
    leader, child = leave_child(begin, "here", tmp_path)
    WorkerGroup(leader, "12", tmp_path).signal(signal.SIGKILL)
    wait_until_gone(child)


def test_a_group_that_lost_its_leader_but_is_another_attempts_is_left_alone(
    begin: Begin, tmp_path: Path
) -> None:
    if not SHOWS_ENVIRONMENTS:
        return
    leader, child = leave_child(begin, "here", tmp_path / "another")
    group = WorkerGroup(leader, "12", tmp_path)
    group.end_all()
    assert start_time(child) is not None
    signal_process(child, signal.SIGKILL, "12")
    assert start_time(child) is not None
    signal_process(child, signal.SIGKILL, birth_time(child))
    wait_until_gone(child)


def test_what_left_the_group_of_a_gone_worker_is_ended_by_its_mark(
    begin: Begin, tmp_path: Path
) -> None:
    if not SHOWS_ENVIRONMENTS:
        return
    leader, child = leave_child(begin, "away", tmp_path)
    group = WorkerGroup(leader, "12", tmp_path)
    assert group.memory_bytes() > 0
    group.signal(signal.SIGTERM)
    wait_until_gone(child)


@pytest.mark.parametrize("leader", [0, 1, -1])
def test_numbers_that_mean_many_are_refused(leader: int, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        WorkerGroup(leader, "12", tmp_path).signal(signal.SIGKILL)
    with pytest.raises(AssertionError):
        signal_process(leader, signal.SIGKILL, "12")


def test_whoever_does_not_lead_a_session_signals_no_group() -> None:
    # As this test would: its group is the test run's.
    command = [sys.executable, "-c", SIGNALS_ITS_GROUP]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "leads a session of its own" in answer.stderr


SIGNALS_ITS_GROUP = f"""
import signal, sys
sys.path[:0] = {sys.path!r}
from spotter_worker.process_group import signal_own_group
signal_own_group(signal.SIGCONT)
"""
