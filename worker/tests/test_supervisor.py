"""The supervisor with real workers: deaths, limits, adoption, and what is told about each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from conftest import Spawn, make_attempt, make_spec
from receiver import Receiver

from spotter_worker.process import is_alive, start_time

LONG = {"epochs": 5000, "checkpoint_every_epochs": 1000}


def worker_of(folder: Path) -> tuple[int, str]:
    facts = json.loads((folder / "supervisor.json").read_text())
    return facts["worker_pid"], facts["worker_start_time"]


def exit_of(receiver: Receiver) -> dict[str, Any]:
    [event] = receiver.wait_until(lambda: receiver.events("attempt-ended"))
    exit_facts: dict[str, Any] = event["exit"]
    return exit_facts


@pytest.fixture
def running(receiver: Receiver, spawn: Spawn, tmp_path: Path):  # type: ignore[no-untyped-def]
    """A training under way: (supervisor process, attempt folder)."""
    folder = make_attempt(tmp_path / "run", make_spec(LONG))
    supervisor = spawn(tmp_path / "run", 1, "--grace-s", "20")
    receiver.wait_until(lambda: len(receiver.points("train/loss")) > 5)
    return supervisor, folder


def test_a_killed_worker_is_told_with_its_last_lines(running, receiver: Receiver) -> None:  # type: ignore[no-untyped-def]
    supervisor, folder = running
    os.kill(worker_of(folder)[0], signal.SIGKILL)
    facts = exit_of(receiver)
    assert (facts["signal"], facts["exit_code"], facts["reason"]) == (
        "SIGKILL",
        None,
        "worker-lost",
    )
    assert not facts["out_of_memory"]
    assert receiver.events("log-lines", "supervisor")
    assert supervisor.wait(10) == 0
    written = json.loads((folder / "exit.json").read_text())
    assert written.pop("ended_at") > 0
    assert written == facts


def test_a_stop_file_lets_the_worker_save_and_end_as_stopped(running, receiver: Receiver) -> None:  # type: ignore[no-untyped-def]
    supervisor, folder = running
    (folder / "stop").write_text("stop")
    facts = exit_of(receiver)
    assert (facts["exit_code"], facts["reason"]) == (0, None)
    [ended] = receiver.events("run-ended")
    assert ended["state"] == "stopped"
    assert any(event["kind"] == "checkpoint" for event in receiver.events("file-saved"))
    assert supervisor.wait(10) == 0


def test_a_kill_order_ends_the_worker_at_once(running, receiver: Receiver) -> None:  # type: ignore[no-untyped-def]
    _, folder = running
    (folder / "stop").write_text("kill")
    assert exit_of(receiver)["signal"] == "SIGKILL"
    assert not receiver.events("run-ended")


def test_ctrl_c_and_hangup_reach_neither_supervisor_nor_worker(running, receiver: Receiver) -> None:  # type: ignore[no-untyped-def]
    supervisor, folder = running
    supervisor.send_signal(signal.SIGINT)
    supervisor.send_signal(signal.SIGHUP)
    seen = len(receiver.points("train/loss"))
    receiver.wait_until(lambda: len(receiver.points("train/loss")) > seen + 20)
    assert supervisor.poll() is None
    assert is_alive(*worker_of(folder))


def test_a_dead_supervisors_worker_trains_on_and_is_adopted(  # type: ignore[no-untyped-def]
    running, receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    supervisor, folder = running
    worker = worker_of(folder)
    supervisor.kill()
    supervisor.wait()
    seen = len(receiver.points("train/loss"))
    receiver.wait_until(lambda: len(receiver.points("train/loss")) > seen + 20)
    second = spawn(tmp_path / "run", 1, "--adopt")
    heartbeats = len(receiver.events("heartbeat"))
    receiver.wait_until(lambda: len(receiver.events("heartbeat")) > heartbeats)
    assert worker_of(folder) == worker
    receiver.command("stop")
    facts = exit_of(receiver)
    # Not its child, so the exit code is the one that the worker itself put down.
    assert (facts["exit_code"], facts["reason"]) == (0, None)
    assert second.wait(20) == 0
    texts = [line["text"] for event in receiver.events("log-lines") for line in event["lines"]]
    epochs = [text.split(":")[0] for text in texts if text.startswith("epoch ")]
    assert len(epochs) == len(set(epochs)), "no line may be told twice"
    assert len(epochs) == len(receiver.events("epoch-completed")), "nor be missing"


def test_a_worker_that_its_supervisor_had_no_time_to_write_down_is_adopted_by_its_mark(  # type: ignore[no-untyped-def]
    running, receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    supervisor, folder = running
    worker = worker_of(folder)
    supervisor.kill()
    supervisor.wait()
    (folder / "supervisor.json").unlink()
    second = spawn(tmp_path / "run", 1, "--adopt")
    receiver.wait_until(lambda: (folder / "supervisor.json").exists())
    assert worker_of(folder) == worker
    receiver.command("stop")
    assert exit_of(receiver)["reason"] is None
    assert second.wait(20) == 0


def test_a_supervisor_that_was_given_up_before_it_came_up_starts_no_worker(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    folder = make_attempt(tmp_path / "run", make_spec())
    (folder / "stop").write_text("kill")
    assert spawn(tmp_path / "run").wait(20) == 0
    assert exit_of(receiver)["reason"] == "start-failed"
    assert not (folder / "stdout.log").exists()


def test_an_adopter_of_a_dead_worker_hands_over_what_is_left_and_ends_it(  # type: ignore[no-untyped-def]
    running, receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    supervisor, folder = running
    supervisor.kill()
    supervisor.wait()
    os.kill(worker_of(folder)[0], signal.SIGKILL)
    assert spawn(tmp_path / "run", 1, "--adopt").wait(20) == 0
    facts = exit_of(receiver)
    assert (facts["exit_code"], facts["reason"]) == (None, "worker-lost")
    assert receiver.types()[-1] == "attempt-ended"


def test_an_attempt_that_never_began_is_closed_as_lost(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    make_attempt(tmp_path / "run", make_spec())
    assert spawn(tmp_path / "run", 1, "--adopt").wait(20) == 0
    assert exit_of(receiver)["reason"] == "supervisor-lost"


def test_what_a_worker_could_not_send_is_handed_over_before_its_end(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    receiver.stop()
    truth = tmp_path / "truth"
    folder = make_attempt(tmp_path / "run", make_spec({"epochs": 1}))
    supervisor = spawn(tmp_path / "run", environment={"SPOTTER_TRUTH_FILE": str(truth)})
    wait_for_file(folder / "outcome.json", supervisor)
    os.kill(worker_of(folder)[0], signal.SIGKILL)
    wait_for_file(folder / "exit.json", supervisor)
    receiver.start()
    assert supervisor.wait(30) == 0
    assert receiver.types()[-1] == "attempt-ended"
    assert receiver.events("run-ended")[0]["state"] == "finished"
    points = [json.loads(line) for line in truth.read_text().splitlines()]
    told = sorted(((p["name"], p["step"], p["time"], p["value"]) for p in points), key=repr)
    assert told == receiver.all_points()


def wait_for_file(path: Path, process: Any) -> None:
    ticks = threading.Event()
    while not path.exists():
        assert process.poll() is None
        ticks.wait(0.02)


def test_past_its_time_limit_an_attempt_is_ended(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    make_attempt(tmp_path / "run", make_spec(LONG))
    spawn(tmp_path / "run", 1, "--time-limit-s", "3")
    facts = exit_of(receiver)
    assert facts["reason"] == "time-limit"
    assert "limit of 3 s" in facts["message"]


def test_over_its_memory_limit_an_attempt_is_killed_as_out_of_memory(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    make_attempt(tmp_path / "run", make_spec(LONG))
    spawn(tmp_path / "run", 1, "--memory-limit-gib", "0.05")
    facts = exit_of(receiver)
    assert facts["out_of_memory"]
    assert facts["reason"] == "memory-limit"


def test_a_wrong_config_fails_with_the_field_and_a_hint(
    receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    make_attempt(tmp_path / "run", make_spec({"learning_rate": -1}))
    spawn(tmp_path / "run")
    facts = exit_of(receiver)
    assert (facts["exit_code"], facts["reason"]) == (1, None)
    [ended] = receiver.events("run-ended")
    assert ended["state"] == "failed"
    assert ended["error"]["kind"] == "invalid-input"
    assert "learning_rate is -1" in ended["error"]["message"]
    # The sentence says it all.
    assert ended["error"]["traceback"] is None
    texts = [line["text"] for event in receiver.events("log-lines") for line in event["lines"]]
    assert not any("Traceback" in text or "recipe_config.py" in text for text in texts)
    assert any(text.startswith("ERROR invalid-input: ") for text in texts)
    assert any(text.startswith("ERROR hint: ") for text in texts)


def test_a_superseded_worker_leaves_without_a_word(running, receiver: Receiver) -> None:  # type: ignore[no-untyped-def]
    supervisor, folder = running
    answer = {"error": {"code": "attempt-superseded", "message": "a newer attempt has taken over"}}
    receiver.intercept = lambda _batch: (409, answer)
    assert supervisor.wait(30) == 0
    assert json.loads((folder / "outcome.json").read_text())["exit_code"] == 3
    assert not receiver.events("run-ended")


def test_a_second_supervisor_of_a_living_one_goes_away(  # type: ignore[no-untyped-def]
    running, receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    _, folder = running
    before = (folder / "supervisor.json").read_text()
    assert spawn(tmp_path / "run", 1, "--adopt").wait(30) == 1
    assert "another supervisor has this attempt" in (folder / "supervisor.log").read_text()
    assert (folder / "supervisor.json").read_text() == before


def test_a_supervisor_whose_run_was_removed_does_not_stay(running, receiver: Receiver) -> None:  # type: ignore[no-untyped-def]
    supervisor, folder = running
    worker, _ = worker_of(folder)
    receiver.stop()
    shutil.rmtree(folder.parent.parent, ignore_errors=True)
    os.kill(worker, signal.SIGKILL)
    shutil.rmtree(folder.parent.parent, ignore_errors=True)
    supervisor.wait(20)


def test_a_terminated_supervisor_waits_for_no_server_once_its_worker_has_ended(  # type: ignore[no-untyped-def]
    running, receiver: Receiver, spawn: Spawn, tmp_path: Path
) -> None:
    supervisor, folder = running
    receiver.stop()
    os.kill(worker_of(folder)[0], signal.SIGKILL)
    receiver.wait_until((folder / "exit.json").exists)
    assert supervisor.poll() is None, "it waits for a server that takes the end"
    supervisor.terminate()
    assert supervisor.wait(20) == 0
    # What it could not tell lies in the folder: the next server's supervisor tells it.
    receiver.start()
    assert spawn(tmp_path / "run", 1, "--adopt").wait(20) == 0
    told = receiver.events("attempt-ended")
    assert told and all(event["exit"]["reason"] == "worker-lost" for event in told)


def test_a_pid_alone_is_nobody() -> None:
    own = start_time(os.getpid())
    assert own is not None
    assert is_alive(os.getpid(), own)
    assert not is_alive(os.getpid(), own + "0")
    assert start_time(2**22 + 1) is None
