"""The package in scripts of one's own: with a server, without one, and with one that is away."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PACKAGE_SOURCE
from receiver import TOKEN
from script_server import ScriptServer

import spotter
from spotter import relay as relay_module
from spotter.relay import RelayReader, RelayWriter
from spotter.values import Warnings, to_config, to_metrics

Script = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptServer]:
    server = ScriptServer(tmp_path / "home")
    server.start()
    yield server
    if server._server is not None:
        server.stop()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Runs a script in a fresh Python; `environment` is all of ours that it has."""

    def run(text: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "script.py"
        file.write_text(text)
        return subprocess.run(
            [sys.executable, str(file), *arguments],
            env=environment_of(environment),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def environment_of(ours: dict[str, str]) -> dict[str, str]:
    others = {name: text for name, text in os.environ.items() if not name.startswith("SPOTTER_")}
    return {**others, "PYTHONPATH": str(PACKAGE_SOURCE), **ours}


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "spotter-runs").glob("*/run.json"))


TRAINS = """
import spotter
spotter.init(name="first", project="digits", config={"lr": 0.1}, tags=["a"], total_steps=20)
for step in range(20):
    spotter.log({"loss": 1 / (step + 1), "val": {"accuracy": step}}, step=step)
open("note.txt", "w").write("kept")
spotter.log_artifact("note.txt", name="notes/first.txt", kind="report")
"""


def test_a_script_becomes_a_run_with_its_points_files_and_end(
    server: ScriptServer, script: Script, tmp_path: Path
) -> None:
    result = script(TRAINS, SPOTTER_URL=server.url, SPOTTER_TOKEN=TOKEN)
    assert result.returncode == 0, result.stderr
    assert f"run 40: {server.url}/runs/40/charts" in result.stderr
    [run] = server.runs.values()
    assert (run["name"], run["project_id"], run["tags"]) == ("first", 5, ["a"])
    assert run["config"] == {"lr": 0.1}
    assert [point[0] for point in server.points("loss")] == list(range(20))
    assert len(server.points("val/accuracy")) == 20
    assert server.files == {"artifacts/notes/first.txt": b"kept"}
    [saved] = server.events("file-saved")
    assert (saved["path"], saved["kind"], saved["step"]) == (
        "artifacts/notes/first.txt",
        "report",
        19,
    )
    assert server.events("run-progress")[-1]["step"] == 20, "the end is told, however quick"
    assert server.types()[0] == "run-started" and server.types()[-1] == "run-ended"
    assert server.events("run-ended")[0]["state"] == "finished"
    # The server has all of it.
    assert kept(tmp_path) == []


def test_without_a_server_everything_is_kept_and_handed_over_later(
    server: ScriptServer, script: Script, tmp_path: Path
) -> None:
    result = script(TRAINS)
    assert result.returncode == 0
    assert result.stderr.count("no server is named") == 1 and "spotter sync" in result.stderr
    [facts] = kept(tmp_path)
    assert not server.runs
    sync = [sys.executable, "-m", "spotter", "sync", str(facts.parent)]
    environment = environment_of({"SPOTTER_URL": server.url, "SPOTTER_TOKEN": TOKEN})
    assert subprocess.run(sync, env=environment, check=False).returncode == 0
    [run] = server.runs.values()
    assert run["name"] == "first"
    assert len(server.points("loss")) == 20
    assert server.files == {"artifacts/notes/first.txt": b"kept"}
    assert server.events("run-ended")[0]["state"] == "finished"
    assert kept(tmp_path) == []
    assert subprocess.run(sync, env=environment, check=False).returncode == 1


def test_a_server_that_is_away_costs_nothing_and_gets_it_afterwards_once(
    server: ScriptServer, script: Script, tmp_path: Path
) -> None:
    address = server.url
    server.stop()
    result = script(
        TRAINS + "spotter.finish(timeout_s=0.2)", SPOTTER_URL=address, SPOTTER_TOKEN=TOKEN
    )
    assert result.returncode == 0
    assert "the server does not have all of the run yet" in result.stderr
    server.start()
    # The answer to the first batch is lost on its way, so it comes twice.
    server.drop_replies = 1
    sync = [sys.executable, "-m", "spotter", "sync", "--url", server.url, "--token", TOKEN]
    assert subprocess.run(sync, env=environment_of({}), cwd=tmp_path, check=False).returncode == 0
    assert len(server.runs) == 1 and server.num_duplicates == 1
    assert [point[0] for point in server.points("loss")] == list(range(20))


@pytest.mark.parametrize(
    ("ending", "state", "code"),
    [
        ("raise LookupError('no label')", "failed", 1),
        ("raise KeyboardInterrupt", "stopped", 130),
        ("spotter.finish('stopped')", "stopped", 0),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "stopped", 143),
    ],
)
def test_how_a_script_ends_is_how_its_run_ends(
    server: ScriptServer, script: Script, ending: str, state: str, code: int
) -> None:
    text = f"import spotter\nspotter.init()\nspotter.log({{'a': 1}})\n{ending}\n"
    result = script(text, SPOTTER_URL=server.url, SPOTTER_TOKEN=TOKEN)
    assert result.returncode in (code, -signal.SIGINT)
    [ended] = server.events("run-ended")
    assert ended["state"] == state
    if state == "failed":
        assert (ended["error"]["kind"], ended["error"]["message"]) == ("LookupError", "no label")
        assert "script.py" in ended["error"]["traceback"]


def test_a_script_that_was_killed_is_told_as_failed_by_sync(
    server: ScriptServer, script: Script, tmp_path: Path
) -> None:
    text = """
import os, spotter
run = spotter.init()
spotter.log({"a": 1})
run._tracker.flush()
os._exit(9)
"""
    assert script(text).returncode == 9
    sync = [sys.executable, "-m", "spotter", "sync", "--url", server.url, "--token", TOKEN]
    assert subprocess.run(sync, env=environment_of({}), cwd=tmp_path, check=False).returncode == 0
    [ended] = server.events("run-ended")
    assert (ended["state"], ended["error"]["kind"]) == ("failed", "process-ended")


def test_a_wrong_token_is_said_and_the_training_goes_on(
    server: ScriptServer, script: Script, tmp_path: Path
) -> None:
    result = script(TRAINS + "print('trained')", SPOTTER_URL=server.url, SPOTTER_TOKEN="wrong")
    assert result.returncode == 0 and "trained" in result.stdout
    assert "not-signed-in" in result.stderr
    assert len(kept(tmp_path)) == 1


def test_a_project_that_is_not_there_is_named(server: ScriptServer, script: Script) -> None:
    text = "import spotter\nspotter.init(project='nowhere')\nspotter.log({'a': 1})\n"
    result = script(text, SPOTTER_URL=server.url, SPOTTER_TOKEN=TOKEN)
    assert "there is no project 'nowhere'; there is: Default, Digits" in result.stderr


def test_nonsense_is_one_warning_and_never_an_exception(script: Script) -> None:
    text = """
import spotter
spotter.log({"before": 1})
spotter.init(dir="/proc/nowhere")
spotter.log({"into": 0.5})
spotter.init(config=object())
for step in range(5):
    spotter.log({"text": "a", "none": None, "list": [1, 2], "good": 1}, step=step)
    spotter.log("no dict")
    spotter.log({"a": 1}, step="three")
spotter.log_artifact("missing.png")
spotter.log_artifact("script.py", name="../up")
spotter.log_artifact("script.py", kind="odd")
spotter.checkpoint("missing.pt", step=1)
print(spotter.should_stop(), spotter.should_checkpoint(), spotter.resumed_from())
spotter.finish("never heard")
spotter.finish()
spotter.log({"after": 1})
spotter.finish()
"""
    result = script(text)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "False False None"
    said = result.stderr.strip().splitlines()
    assert len(said) == len(set(said))
    for part in ("before init()", "nothing of this run is kept", "'text' is str", "'three'"):
        assert part in result.stderr
    for part in ("missing.png", "../up", "'odd'", "missing.pt", "never heard", "after finish()"):
        assert part in result.stderr


def test_a_forked_process_neither_logs_nor_ends_its_parents_run(
    server: ScriptServer, script: Script
) -> None:
    text = """
import os, spotter
spotter.init()
spotter.log({"a": 1}, step=1)
if os.fork() == 0:
    spotter.log({"a": 2}, step=2)
    raise SystemExit(0)
os.wait()
spotter.log({"a": 3}, step=3)
"""
    result = script(text, SPOTTER_URL=server.url, SPOTTER_TOKEN=TOKEN)
    assert [point[0] for point in server.points("a")] == [1, 3]
    assert len(server.events("run-ended")) == 1
    assert "in a forked process does nothing" in result.stderr


def test_only_the_first_of_several_ranks_tells(server: ScriptServer, script: Script) -> None:
    script(TRAINS, SPOTTER_URL=server.url, SPOTTER_TOKEN=TOKEN, RANK="1")
    assert not server.runs
    script(TRAINS, SPOTTER_URL=server.url, SPOTTER_TOKEN=TOKEN, RANK="0")
    assert len(server.runs) == 1


def test_a_with_block_ends_the_run_and_a_second_init_the_first(
    server: ScriptServer, script: Script
) -> None:
    text = """
import spotter
try:
    with spotter.init(name="one"):
        raise ValueError("inside")
except ValueError:
    spotter.init(name="two")
    spotter.log({"a": 1})
    assert spotter.config == {}
    spotter.init(name="three", config={"b": 2})
    assert spotter.config == {"b": 2}
"""
    result = script(text, SPOTTER_URL=server.url, SPOTTER_TOKEN=TOKEN)
    assert result.returncode == 0, result.stderr
    assert [run["name"] for run in server.runs.values()] == ["one", "two", "three"]


def test_a_run_that_was_ended_on_its_page_should_stop(server: ScriptServer, script: Script) -> None:
    server.intercept = lambda batch: (
        (409, {"error": {"code": "attempt-ended", "message": "over", "details": {}}})
        if batch["seq"] > 2
        else None
    )
    text = """
import spotter, time
spotter.init()
step = 0
while not spotter.should_stop():
    spotter.log({"a": 1}, step=step)
    step += 1
    time.sleep(0.01)
print("stopped")
"""
    assert "stopped" in script(text, SPOTTER_URL=server.url, SPOTTER_TOKEN=TOKEN).stdout


def test_numbers_of_any_kind_and_configs_of_any_kind() -> None:
    import numpy
    import torch

    given = {
        "float": 0.5,
        "big": 10**400,
        "flag": True,
        "numpy": numpy.float32(0.25),
        "array": numpy.array([3]),
        "tensor": torch.tensor(2.0, requires_grad=True),
        "deep": {"er": {"still": 1}},
        "several": torch.ones(2),
    }
    metrics = to_metrics(given, Warnings())
    assert metrics == {
        "float": 0.5,
        "big": float("inf"),
        "flag": 1.0,
        "numpy": 0.25,
        "array": 3.0,
        "tensor": 2.0,
        "deep/er/still": 1.0,
    }
    config = to_config(
        argparse.Namespace(lr=numpy.float64(0.1), path=Path("/a"), nan=float("nan"), names=("x",))
    )
    assert config == {"lr": 0.1, "path": "/a", "nan": "nan", "names": ["x"]}
    assert to_config(None) == {} and to_config([1]) == {"config": [1]}


def test_the_relay_gives_every_line_once_across_rotated_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "ROTATE_BYTES", 100)
    reader = RelayReader(tmp_path)
    writers = [RelayWriter(tmp_path), RelayWriter(tmp_path)]
    got: list[Any] = []
    for number in range(60):
        writers[number % 2].append(json.dumps([number]))
        if number % 7 == 0:
            got += [json.loads(line)["events"][0] for line in reader.read_lines()]
    got += [json.loads(line)["events"][0] for line in reader.read_lines()]
    assert sorted(got) == list(range(60))
    # What was read is removed, but for the files that are still written.
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_a_folder_of_somebodys_own_keeps_its_gitignore(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine")
    for folder in (tmp_path, tmp_path / "runs"):
        spotter.init(dir=folder).finish()
    assert (tmp_path / ".gitignore").read_text() == "mine"
    assert (tmp_path / "runs" / ".gitignore").read_text() == "*\n"


def test_logging_returns_at_once_with_no_one_at_the_other_end(tmp_path: Path) -> None:
    run = spotter.init(url="http://127.0.0.1:9", token="x", dir=tmp_path / "runs")
    for step in range(2_000):
        run.log({"a": step}, step=step)
    run.finish(timeout_s=0.0)
    [folder] = (tmp_path / "runs").glob("*/spool/worker.jsonl")
    assert folder.stat().st_size > 10_000
