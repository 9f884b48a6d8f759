"""What the queue's grant becomes: the GPUs that a worker sees, its threads, and the limits that are kept."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Spawn, make_attempt, make_spec
from receiver import Receiver
from runs import KeepingTracker

from spotter.wire.api import ServerClient
from spotter_worker import attempt_end, job, process
from spotter_worker.commands import CommandPoll
from spotter_worker.limits import GIB, Limits
from spotter_worker.process import age_s, birth_time
from spotter_worker.settings import THREAD_COUNTS, worker_environment
from spotter_worker.supervisor import wanted_limits

GOLDEN = Path(__file__).parents[2] / "packages/contract/golden/worker"


def test_a_worker_sees_the_gpus_of_its_grant_and_no_others() -> None:
    spec = json.loads((GOLDEN / "JobSpec.granted.json").read_text())
    environment = worker_environment(spec["num_threads"], spec.get("gpus"))
    assert environment["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert {environment[name] for name in THREAD_COUNTS} == {"16"}
    assert worker_environment(1, [])["CUDA_VISIBLE_DEVICES"] == ""


def test_without_a_grant_a_worker_finds_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    assert worker_environment(1)["CUDA_VISIBLE_DEVICES"] == "5"


def test_the_limits_are_the_specs_and_the_smaller_of_two_on_memory() -> None:
    spec = json.loads((GOLDEN / "JobSpec.granted.json").read_text())
    assert wanted_limits(spec) == (7200, None)
    program = {"recipe": "command", "config": {"memory_mb": 2048}}
    assert wanted_limits(program) == (None, 2.0)
    both = {**program, "limits": {"time_s": None, "memory_gib": 1.5}}
    assert wanted_limits(both) == (None, 1.5)
    assert wanted_limits({"recipe": "vision", "config": {}}) == (None, None)


class Worker:
    """Began when this test did."""

    leader = os.getpid()
    start_time = birth_time(leader)

    def __init__(self) -> None:
        self.signals: list[signal.Signals] = []

    def signal(self, number: signal.Signals) -> None:
        self.signals.append(number)


@pytest.mark.parametrize("jump", [86_400, -86_400])
def test_a_clock_that_is_set_neither_ends_an_attempt_nor_spares_it(
    jump: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_age = age_s(str(Worker.start_time))
    if sys.platform != "linux":
        # Elsewhere the system does not tell it, and the clock must do.
        assert own_age is None
        return
    assert own_age is not None
    assert own_age > 0

    def ended_by(limit_s: float) -> str | None:
        limits, worker = Limits(limit_s, None, 30, tmp_path), Worker()
        real = time.time()
        with monkeypatch.context() as patched:
            patched.setattr(time, "time", lambda: real + jump)
            limits.enforce(worker)  # type: ignore[arg-type]
        assert bool(worker.signals) == (limits.reason is not None)
        return limits.reason

    assert ended_by(own_age + 3_600) is None
    assert ended_by(own_age / 2) == "time-limit"


def test_torch_takes_the_threads_of_the_jobs_cores_and_several_processes_share_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[int] = []

    def predict(*_: Any) -> dict[str, Any]:
        seen.append(torch.get_num_threads())
        return {}

    monkeypatch.setattr(job, "predict", predict)
    before = torch.get_num_threads()
    wanted = {"weights": "", "inputs": []}
    spec = make_spec(kind="predict", predict=wanted, num_threads=3)
    commands = CommandPoll(ServerClient(tmp_path, ""), 1, 1)
    try:
        job.run_job(spec, tmp_path, KeepingTracker(), commands, tmp_path)
        monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
        job.run_job(spec, tmp_path, KeepingTracker(), commands, tmp_path)
    finally:
        torch.set_num_threads(before)
    assert seen == [3, 1]


def test_a_worker_is_started_with_the_threads_and_gpus_of_its_spec(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    spec = make_spec({"epochs": 5000}, num_threads=2, gpus=[])
    folder = make_attempt(tmp_path / "run", spec)
    spawn(tmp_path / "run")
    receiver.wait_until(lambda: receiver.events("run-started"))
    if not process.PROC.joinpath("self").exists():
        # macOS: what a process was started with is its own business there.
        return
    worker = json.loads((folder / "supervisor.json").read_text())["worker_pid"]
    lines = Path(f"/proc/{worker}/environ").read_bytes().decode().split("\0")
    assert {f"{name}=2" for name in THREAD_COUNTS} <= set(lines)
    assert "CUDA_VISIBLE_DEVICES=" in lines


def test_an_attempt_over_its_memory_limit_tells_what_it_used_and_what_it_had(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    limits = {"time_s": None, "memory_gib": 0.05}
    make_attempt(tmp_path / "run", make_spec({"epochs": 5000}, limits=limits))
    spawn(tmp_path / "run")
    [event] = receiver.wait_until(lambda: receiver.events("attempt-ended"))
    facts = event["exit"]
    assert (facts["reason"], facts["out_of_memory"]) == ("memory-limit", True)
    told = facts["message"]
    assert told.startswith("the worker used 0.") and told.endswith("its limit is 0.05 GiB"), told


def test_where_the_system_ends_a_worker_for_want_of_memory_both_amounts_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ceiling = tmp_path / "memory.max"
    ceiling.write_text(f"{GIB // 2}\n")
    monkeypatch.setattr(process, "CGROUP_MEMORY", ceiling)
    told = attempt_end._describe_loss(-9, "SIGKILL", True, 0.4321)
    assert told.endswith("which used 0.43 GiB of its 0.50 GiB when last looked at")
    ceiling.write_text("max\n")
    assert process.machine_memory_bytes() > GIB // 2
    assert (
        attempt_end._describe_loss(-9, "SIGKILL", False, 0.4) == "the worker was ended by SIGKILL"
    )
