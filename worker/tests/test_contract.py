"""What goes over the wire has the shape of the contract's golden files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runs import Run

from spotter.wire import api, courier, tracker
from spotter_worker import contract_models
from spotter_worker.__main__ import PROTOCOL, read_spec
from spotter_worker.recipe_configs import CONFIGS

GOLDEN = Path(__file__).parents[2] / "packages/contract/golden/worker"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text())


def golden_events() -> dict[str, dict[str, Any]]:
    # What is said only when a run gives way is in `test_preemption.py`; when it goes on, below.
    special = ("gives-way", "goes-on")
    paths = [path for path in GOLDEN.glob("EventBatch.*.json") if not path.stem.endswith(special)]
    batches = [json.loads(path.read_text()) for path in paths]
    return {event["type"]: event for batch in batches for event in batch["events"]}


@pytest.mark.parametrize(
    "name",
    [
        "JobSpec.train.json",
        "JobSpec.fork.json",
        "JobSpec.audio.json",
        "JobSpec.command.json",
        "JobSpec.text-classify.json",
        "JobSpec.text-finetune.json",
        "JobSpec.text-lm.json",
        "JobSpec.predict.json",
        "JobSpec.preflight.json",
    ],
)
def test_a_golden_spec_can_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "spec.json").write_text((GOLDEN / name).read_text())
    spec = read_spec(tmp_path, api.ServerClient(tmp_path, ""), 42)
    assert spec["num_threads"] > 0
    if spec["kind"] == "train":
        CONFIGS[spec["recipe"]].parse(spec["config"])


def test_every_event_of_a_run_has_the_golden_fields(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 2, "keep_checkpoints": 1}).command_at(1, "pause", "resume")
    run.loop._reporter.started(run.task, run.loop.total_steps, run.loop.total_epochs, None)
    run.go()
    run.loop._reporter.ended("finished", {"test/accuracy": float("nan")})
    known = golden_events()
    assert {event["type"] for event in run.tracker.events} >= {
        "run-started",
        "run-progress",
        "run-paused",
        "command-acked",
        "file-saved",
        "epoch-completed",
        "run-ended",
    }
    for event in run.tracker.events:
        # The tracker adds the time; what a checkpoint knows is told only where there is one.
        told = {"time", *event} | ({"standing"} if event["type"] == "run-started" else set())
        assert told == set(known[event["type"]]), event["type"]


def test_a_run_that_goes_on_tells_what_its_checkpoint_knows(tmp_path: Path) -> None:
    first = Run(tmp_path, {"epochs": 4, "keep_checkpoints": 10})
    first.go()
    earlier = sorted((first.run_dir / "checkpoints").iterdir())[1]
    checkpoint = f"checkpoints/{earlier.name}"
    again = Run(first.run_dir, {"epochs": 4, "keep_checkpoints": 10}, resume_from=checkpoint)
    loop = again.loop
    loop._reporter.started(
        again.task, loop.total_steps, loop.total_epochs, loop.progress.step, loop.progress
    )
    [told] = [event for event in again.tracker.events if event["type"] == "run-started"]
    [known] = golden("EventBatch.goes-on.json")["events"]
    assert {"time", *told} == set(known)
    evaluations = [event for event in first.tracker.events if event["type"] == "epoch-completed"]
    in_force = [event for event in evaluations if event["step"] <= loop.progress.step]
    assert 0 < len(in_force) < len(evaluations)
    assert told["standing"] == {
        "best": in_force[-1]["best"],
        "metrics": in_force[-1]["metrics"],
    }


def test_the_bounds_of_a_batch_are_kept() -> None:
    assert PROTOCOL == courier.PROTOCOL == contract_models.PROTOCOL
    assert tracker.MAX_POINTS_PER_BATCH * 2 < contract_models.MAX_BATCH_POINTS
