"""Command runs with real programs, under a real supervisor, against a receiving server."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import make_attempt
from receiver import Receiver

from spotter_worker.process import start_time

Start = Callable[..., Path]

LOGS = """
import spotter
spotter.init(config={"lr": 0.5, "model": {"width": 8}}, total_steps=50)
for step in range(50):
    spotter.log({"train/loss": 1 / (step + 1), "odd": float("nan")}, step=step)
print("trained")
"""
WAITS_FOR_STOP = """
import spotter, time
spotter.init()
step = 0
while not spotter.should_stop():
    step += 1
    spotter.log({"a": step}, step=step)
    if spotter.should_checkpoint():
        open("state.txt", "w").write(str(step))
        spotter.checkpoint("state.txt", step)
    time.sleep(0.01)
print("saved and ending")
"""
IGNORES_SIGTERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("asked to end", flush=True), sys.exit(0)))
print("ready", flush=True)
time.sleep(600)
"""

SECRET, PASSWORD = "hf_aBcD1234eFgH5678", "open-sesame-42"
OUTSIDE = {
    "SPOTTER_TOKEN": "somebody's",
    "SPOTTER_PROGRAM_ENVIRONMENT": "ELSE, HERE",
    "HERE": "from outside",
    "HF_TOKEN": SECRET,
    "HF_HOME": "/models",
    "AWS_SECRET_ACCESS_KEY": "a" * 40,
    "OFFICE": "nobody asked for it",
    "HTTPS_PROXY": f"http://ada:{PASSWORD}@proxy.example:3128",
    "NO_PROXY": "localhost",
}

LEAVES_A_DAEMON = """
import subprocess, sys, time
daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
open("daemon.txt", "w").write(f"{daemon.pid}\\n")
if sys.argv[1] == "stay":
    time.sleep(600)
"""


@pytest.fixture
def start(receiver: Receiver, spawn: Callable[..., Any], tmp_path: Path) -> Start:
    """Starts a program in a command run; returns the run's folder."""

    def begin(program: str, *arguments: str, resume_from: str | None = None, **config: Any) -> Path:
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        (folder / "train.py").write_text(program)
        run_dir, attempt = tmp_path / "run", 2 if resume_from else 1
        make_attempt(
            run_dir,
            {
                "protocol": 1,
                "job_id": 7,
                "attempt": attempt,
                "kind": "train",
                "name": "train",
                "recipe": "command",
                "config": {"command": [sys.executable, "train.py", *arguments], **config},
                "places": {"working_directory": str(folder)},
                "resume_from": resume_from,
                "predict": None,
                "num_threads": 1,
            },
        )
        spawn(run_dir, attempt, environment=OUTSIDE)
        return run_dir

    return begin


def ended(receiver: Receiver) -> dict[str, Any]:
    receiver.wait_until(lambda: receiver.events("attempt-ended"))
    return receiver.events("run-ended")[-1]


def lines(receiver: Receiver) -> list[str]:
    return [line["text"] for event in receiver.events("log-lines") for line in event["lines"]]


def acked(receiver: Receiver, command: int) -> Any:
    found = [event for event in receiver.events("command-acked") if event["command_id"] == command]
    return found and found[0]


def test_a_programs_metrics_config_and_lines_become_the_runs(
    receiver: Receiver, start: Start
) -> None:
    start(LOGS)
    assert ended(receiver)["state"] == "finished"
    assert [(step, value) for step, _, value in receiver.points("train/loss")] == [
        (step, 1 / (step + 1)) for step in range(50)
    ]
    assert receiver.points("odd")[0][2] == "NaN"
    # As strict as the server: a field too many has the whole batch refused.
    assert all(set(event) == {"type", "series"} for event in receiver.events("metric-points"))
    first, second = receiver.events("run-started")
    assert first["config"]["command"] == [sys.executable, "train.py"]
    assert second["config"] == first["config"]
    assert second["derived"] == {"config.lr": "0.5", "config.model.width": "8"}
    assert second["total_steps"] == 50
    assert "trained" in lines(receiver)


def test_arguments_environment_and_folder_reach_the_program_and_no_token_does(
    receiver: Receiver, start: Start, tmp_path: Path
) -> None:
    program = """
import json, os, sys
ours = {key: value for key, value in os.environ.items() if key.startswith("SPOTTER_")}
print(json.dumps([sys.argv[1:], os.getcwd(), os.environ["MODE"], os.environ["HERE"], sorted(ours),
    os.environ.get("OMP_NUM_THREADS"), os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}],
    default=list))
"""
    start(program, "--lr", "3 e", environment={"MODE": "quick"}, cpu_cores=1)
    assert ended(receiver)["state"] == "finished"
    [told] = [json.loads(line) for line in lines(receiver) if line.startswith("[[")]
    assert told[:4] == [["--lr", "3 e"], str(tmp_path / "work"), "quick", "from outside"]
    names = ["ATTEMPT", "RELAY", "RUN", "RUN_FOLDER", "URL"]
    assert told[4] == [f"SPOTTER_{name}" for name in names]
    assert told[5] == "1" and len(told[6]) == 1


def test_the_servers_secrets_reach_no_program_and_no_log(receiver: Receiver, start: Start) -> None:
    program = f"""
import json, os, sys
print(json.dumps([sorted(os.environ), os.environ["WANDB_API_KEY"]]))
print("found", "{SECRET}", "and", "{PASSWORD}")
sys.exit("refused: {SECRET}")
"""
    start(program, environment={"WANDB_API_KEY": "wandb-0123456789"})
    error = ended(receiver)["error"]
    assert error["message"].endswith("ended with exit code 1: refused: [redacted]")
    assert SECRET not in json.dumps(error)
    [(names, own)] = [json.loads(line) for line in lines(receiver) if line.startswith("[[")]
    assert {"HERE", "HF_HOME", "NO_PROXY", "PATH", "HOME", "WANDB_API_KEY"} <= set(names)
    assert not {"HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "OFFICE", "HTTPS_PROXY", "ELSE"} & set(names)
    # What the config gives is the program's, and still no line's.
    assert own == "[redacted]"
    assert "found [redacted] and [redacted]" in lines(receiver)


def test_a_failing_program_fails_the_run_with_its_last_lines(
    receiver: Receiver, start: Start
) -> None:
    start("import sys\nprint('no such file: data.csv', file=sys.stderr)\nsys.exit(3)")
    error = ended(receiver)["error"]
    assert error["kind"] == "program-failed"
    assert "ended with exit code 3: no such file: data.csv" in error["message"]
    assert "data.csv" in error["traceback"]


def test_an_exception_in_a_script_that_called_init_is_the_runs_error(
    receiver: Receiver, start: Start
) -> None:
    start("import spotter\nspotter.init()\nraise LookupError('no column label')")
    error = ended(receiver)["error"]
    assert (error["kind"], error["message"]) == ("LookupError", "no column label")
    assert "train.py" in error["traceback"]


def test_a_script_that_says_it_failed_fails_though_it_exits_well(
    receiver: Receiver, start: Start
) -> None:
    start("import spotter\nspotter.init()\nspotter.finish('failed')")
    ending = ended(receiver)
    assert (ending["state"], ending["error"]["kind"]) == ("failed", "script-failed")


def test_a_program_that_is_not_there_is_named(
    receiver: Receiver, start: Start, tmp_path: Path
) -> None:
    start("", command=["pyhton", "train.py"])
    error = ended(receiver)["error"]
    assert error["kind"] == "invalid-input"
    assert error["message"].startswith("there is no program 'pyhton'")


def test_stop_lets_a_loop_that_asks_end_by_itself(receiver: Receiver, start: Start) -> None:
    start(WAITS_FOR_STOP)
    receiver.wait_until(lambda: len(receiver.points("a")) > 3)
    command = receiver.command("stop")
    assert ended(receiver)["state"] == "stopped"
    assert acked(receiver, command)["outcome"] == "done"
    assert "saved and ending" in lines(receiver)


def test_stop_is_sigterm_for_a_program_that_does_not_ask(receiver: Receiver, start: Start) -> None:
    start(IGNORES_SIGTERM)
    receiver.wait_until(lambda: "ready" in lines(receiver))
    receiver.command("stop")
    assert ended(receiver)["state"] == "stopped"
    assert "asked to end" in lines(receiver)


def test_a_checkpoint_on_demand_is_kept_and_a_resumed_run_finds_it(
    receiver: Receiver, start: Start
) -> None:
    run_dir = start(WAITS_FOR_STOP)
    receiver.wait_until(lambda: len(receiver.points("a")) > 3)
    command = receiver.command("checkpoint")
    receiver.wait_until(lambda: acked(receiver, command))
    assert acked(receiver, command)["outcome"] == "done"
    receiver.command("stop")
    ended(receiver)
    [saved] = receiver.events("file-saved")
    assert (saved["kind"], saved["label"]) == ("checkpoint", "last")
    manifest = json.loads((run_dir / saved["path"] / "manifest.json").read_text())
    assert manifest["step"] == saved["step"]

    program = """
import spotter
spotter.init()
print("goes on from", spotter.resumed_from().read_text())
"""
    receiver.commands.clear()
    start(program, resume_from=saved["path"])
    receiver.wait_until(lambda: len(receiver.events("attempt-ended")) == 2)
    assert f"goes on from {saved['step']}" in lines(receiver)
    started = receiver.events("run-started")[-1]
    assert started["resumed_from_step"] == saved["step"]
    # The checkpoint holds the state after its step, whose point therefore stays.
    assert started["first_step"] == saved["step"] + 1


SAVES_AND_GOES_ON = """
import spotter, sys
spotter.init()
begun = spotter.resumed_from()
way, upto = sys.argv[1], int(sys.argv[2])
step = int(begun.read_text()) + 1 if begun and way != "anew" else 0
while step < upto:
    told = {"steps": step, "counted": None, "done": step, "anew": step}[way]
    spotter.log({"a": step}, step=told)
    if step % 4 == 3:
        open("state.txt", "w").write(str(step))
        spotter.checkpoint("state.txt", {"counted": step // 4, "done": step + 1}.get(way, step))
    step += 1
"""


@pytest.mark.parametrize(
    ("way", "checkpoint", "first_step"),
    [
        ("steps", "checkpoints/step-00000007", 8),
        # An earlier one of several: what was logged after it is logged again.
        ("steps", "checkpoints/step-00000003", 4),
        # Steps that the package counts; the script's own number is another.
        ("counted", "checkpoints/step-00000001", 8),
        # A number of steps done: the next point has it.
        ("done", "checkpoints/step-00000008", 8),
        ("anew", "checkpoints/step-00000007", 0),
    ],
)
def test_a_resumed_program_takes_the_place_of_what_it_logs_again_and_of_nothing_else(
    receiver: Receiver, start: Start, way: str, checkpoint: str, first_step: int
) -> None:
    start(SAVES_AND_GOES_ON, way, "10")
    ended(receiver)
    before = len(receiver.points("a"))
    start(SAVES_AND_GOES_ON, way, "14", resume_from=checkpoint)
    receiver.wait_until(lambda: len(receiver.events("attempt-ended")) == 2)
    assert receiver.events("run-started")[-1]["first_step"] == first_step
    again = [(step, value) for step, _, value in receiver.points("a")[before:]]
    assert again == [(step, step) for step in range(first_step, 14)]


def test_a_checkpoint_is_refused_where_nobody_asks_for_one(
    receiver: Receiver, start: Start
) -> None:
    start(IGNORES_SIGTERM)
    receiver.wait_until(lambda: "ready" in lines(receiver))
    command = receiver.command("checkpoint")
    receiver.wait_until(lambda: acked(receiver, command))
    assert acked(receiver, command)["outcome"] == "refused"
    assert "should_checkpoint" in acked(receiver, command)["message"]
    receiver.command("stop")
    ended(receiver)


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_daemon_that_left_the_group_ends_with_the_attempt(
    receiver: Receiver, start: Start, is_killed: bool
) -> None:
    if sys.platform != "linux":
        # Other systems give orphans to init.
        return
    run_dir = start(LEAVES_A_DAEMON, "stay" if is_killed else "go")
    daemon = run_dir.parent / "work" / "daemon.txt"
    receiver.wait_until(lambda: daemon.exists() and daemon.read_text().endswith("\n"))
    pid = int(daemon.read_text())
    born = start_time(pid)
    if is_killed:
        assert born is not None
        (run_dir / "attempts" / "1" / "stop").write_text("kill")
    receiver.wait_until(lambda: receiver.events("attempt-ended"))
    assert start_time(pid) is None


def test_pause_freezes_the_program_and_resume_wakes_it(receiver: Receiver, start: Start) -> None:
    start(WAITS_FOR_STOP)
    receiver.wait_until(lambda: receiver.points("a"))
    pid = receiver.events("run-started")[-1]["pid"]
    receiver.command("pause")
    receiver.wait_until(lambda: receiver.events("run-paused"))
    program = [int(name) for name in os.listdir("/proc") if name.isdigit() and parent(name) == pid]
    assert [state(one) for one in program] == ["T"]
    receiver.command("resume")
    receiver.wait_until(lambda: len(receiver.events("run-paused")) == 2)
    before = len(receiver.points("a"))
    receiver.wait_until(lambda: len(receiver.points("a")) > before)
    receiver.command("stop")
    assert ended(receiver)["state"] == "stopped"
    assert [event["paused"] for event in receiver.events("run-paused")] == [True, False]


def test_a_time_limit_stops_the_program_and_says_so(receiver: Receiver, start: Start) -> None:
    start(WAITS_FOR_STOP, time_limit_minutes=0.01)
    ending = ended(receiver)
    assert (ending["state"], ending["error"]["kind"]) == ("failed", "time-limit")
    assert "0.01 min" in ending["error"]["message"]


def test_a_memory_limit_ends_program_and_worker(receiver: Receiver, start: Start) -> None:
    start("block = b'x' * 400_000_000\nimport time\ntime.sleep(600)", memory_mb=300)
    receiver.wait_until(lambda: receiver.events("attempt-ended"))
    [end] = receiver.events("attempt-ended")
    assert (end["exit"]["reason"], end["exit"]["out_of_memory"]) == ("memory-limit", True)


def test_lines_written_by_hand_are_points_and_nonsense_is_named(
    receiver: Receiver, start: Start
) -> None:
    program = """
import os
with open(os.environ["SPOTTER_RELAY"] + "/mine.jsonl", "a") as relay:
    relay.write('{"step": 3, "metrics": {"loss": 0.25, "note": "text"}}\\n')
    relay.write('{"step": "four"}\\nno json\\n{"events": [{"type": "heartbeat"}]}\\n')
    token = '{"type": "file-saved", "time": 1, "kind": "report", "path": "attempts/1/token"}'
    relay.write('{"events": [' + token + "]}\\n")
    relay.write('{"step": Infinity, "metrics": {}}\\n[]\\n7\\n')
    relay.write('{"step": 5, "metrics": {"loss": 0.125}}\\n')
"""
    start(program)
    assert ended(receiver)["state"] == "finished"
    assert [(step, value) for step, _, value in receiver.points("loss")] == [(3, 0.25), (5, 0.125)]
    said = [line for line in lines(receiver) if line.startswith("WARNING relay")]
    assert len(said) == 7 and "heartbeat" in said[2] and "attempts/1/token" in said[3]


def test_artifacts_are_copied_into_the_runs_folder(receiver: Receiver, start: Start) -> None:
    program = """
import os, spotter
spotter.init()
os.makedirs("plots/inner", exist_ok=True)
open("plots/a.txt", "w").write("A")
open("plots/inner/b.txt", "w").write("BB")
spotter.log_artifact("plots", kind="report")
spotter.log_artifact("missing.bin")
"""
    run_dir = start(program)
    assert ended(receiver)["state"] == "finished"
    saved = {event["path"]: event for event in receiver.events("file-saved")}
    assert set(saved) == {"artifacts/plots/a.txt", "artifacts/plots/inner/b.txt"}
    assert (run_dir / "artifacts/plots/inner/b.txt").read_text() == "BB"
    assert saved["artifacts/plots/inner/b.txt"]["size"] == 2
    assert any("missing.bin" in line for line in lines(receiver))


def parent(pid: str) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
