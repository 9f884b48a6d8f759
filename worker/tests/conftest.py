"""Fixtures: a receiving server, and run folders as the executor makes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from receiver import TOKEN, Receiver

from spotter_worker.process_group import WorkerGroup

# Several test runs may share the cores; threads that wait for each other would make that slow.
torch.set_num_threads(1)
SOURCE = Path(__file__).parents[1] / "src"
PACKAGE_SOURCE = Path(__file__).parents[2] / "sdk" / "src"
# Small enough for a second a run.
TINY = {"width": 8, "epochs": 2, "warmup_epochs": 0.5, "checkpoint_every_epochs": 1}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `@pytest.mark.gpu("why")` runs only where there is a GPU."""
    mark = item.get_closest_marker("gpu")
    if mark is not None and not torch.cuda.is_available():
        why = f": {mark.args[0]}" if mark.args else ""
        # `npm test` counts every other skipped test as failed; it knows these by their first words.
        pytest.skip(f"needs a GPU{why}")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path / "home")
    receiver.start()
    yield receiver
    if receiver._server is not None:
        receiver.stop()


def make_spec(config: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "protocol": 1,
        "job_id": 7,
        "attempt": 1,
        "kind": "train",
        "name": "digits",
        "recipe": "vision",
        "config": {**TINY, **(config or {})},
        "places": {},
        "resume_from": None,
        "predict": None,
        "num_threads": 1,
        **more,
    }


def make_attempt(run_dir: Path, spec: dict[str, Any]) -> Path:
    folder = run_dir / "attempts" / str(spec["attempt"])
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec))
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    return folder


Spawn = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts a supervisor for an attempt; whatever still lives afterwards is killed."""
    processes: list[subprocess.Popen[bytes]] = []
    folders: list[Path] = []

    def start(
        run_dir: Path,
        attempt: int = 1,
        *more: str,
        environment: dict[str, str] | None = None,
        python_path: Path = SOURCE,
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "spotter_worker.supervisor", "--run-dir", str(run_dir)]
        command += ["--attempt", str(attempt), "--home", str(tmp_path / "home"), *more]
        process = subprocess.Popen(
            command,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(python_path), str(PACKAGE_SOURCE)]),
                **(environment or {}),
            },
            start_new_session=True,
        )
        processes.append(process)
        folders.append(run_dir / "attempts" / str(attempt))
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
    for folder in folders:
        facts = folder / "supervisor.json"
        if facts.exists():
            known = json.loads(facts.read_text())
            if known["worker_pid"]:
                # Long ended, most of them: their numbers may be somebody else's by now.
                WorkerGroup(known["worker_pid"], known["worker_start_time"], folder).end_all()
