"""A whole attempt: supervisor, worker, real digits, a real server at the other end."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Spawn, make_attempt, make_spec
from receiver import Receiver


def test_one_attempt_trains_from_the_spec_to_tested_weights(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    run_dir, truth = tmp_path / "run", tmp_path / "truth.jsonl"
    folder = make_attempt(run_dir, make_spec())
    supervisor = spawn(run_dir, environment={"SPOTTER_TRUTH_FILE": str(truth)})
    assert supervisor.wait(60) == 0

    types = receiver.types()
    [started] = receiver.events("run-started")
    [ended] = receiver.events("run-ended")
    [gone] = receiver.events("attempt-ended")
    assert ended["state"] == "finished"
    assert ended["metrics"]["test/accuracy"] > 0.5
    assert gone["exit"] == {
        "exit_code": 0,
        "signal": None,
        "out_of_memory": False,
        "reason": None,
        "message": None,
    }
    assert types[-1] == "attempt-ended"
    assert (
        started["data"]["train"] + started["data"]["validation"] + started["data"]["test"] == 1797
    )
    assert len(receiver.events("epoch-completed")) == 2
    assert [p[0] for p in receiver.points("train/loss")] == list(
        range(1, started["total_steps"] + 1)
    )
    for name in (
        "accuracy",
        "learning_rate",
        "gradient_norm",
        "step_time_s",
        "steps_per_s",
        "epoch",
    ):
        assert len(receiver.points(f"train/{name}")) == started["total_steps"]
    assert receiver.points("train/weight_norm")
    truth_points = [json.loads(line) for line in truth.read_text().splitlines()]
    told = sorted(((p["name"], p["step"], p["time"], p["value"]) for p in truth_points), key=repr)
    assert told == receiver.all_points()
    saved = {event["path"]: event for event in receiver.events("file-saved")}
    assert "weights/model.safetensors" in saved
    assert (run_dir / "weights/model.safetensors").stat().st_size == saved[
        "weights/model.safetensors"
    ]["size"]
    lines = [line["text"] for event in receiver.events("log-lines") for line in event["lines"]]
    assert any(line.startswith("test accuracy") for line in lines)
    assert json.loads((folder / "exit.json").read_text())["exit_code"] == 0
