"""What the queue's grant becomes: the GPUs that a worker sees, its threads, and the limits that are kept."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from spotter_worker.limits import Limits
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

    start_time = birth_time(os.getpid())

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
