"""What the queue's grant becomes: the GPUs that a worker sees, its threads, and the limits that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
