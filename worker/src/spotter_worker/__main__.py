"""Owns one attempt at one job: reads the spec, runs it, says how it ended. Started by the
supervisor.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spotter.wire.api import ServerClient

from .commands import Command, CommandPoll
from .failures import describe_failure
from .patient_output import print_patiently
from .secrecy import redact_error
from .settings import known_secrets, read_settings
from .tracker import NullTracker, Tracker

PROTOCOL = 1
# How long the end waits for a server that is away; the supervisor hands the rest over later.
FINISH_S = 20.0
EXIT_FAILED, EXIT_ABANDONED = 1, 3
# So long the last word waits for room on a full disk, looking each second.
FULL_DISK_S, RETRY_S = 600.0, 1.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="spotter_worker", description=__doc__)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--job-id", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    attempt_dir = arguments.run_dir / "attempts" / str(arguments.attempt)
    print_patiently()
    settings = read_settings()
    if settings.rank > 0:
        return _run_as_peer(arguments, attempt_dir, settings.rank)
    if not settings.is_peer:
        _start_peers(attempt_dir)
    token = (attempt_dir / "token").read_text().strip()
    job_id, attempt = arguments.job_id, arguments.attempt

    def new_client() -> ServerClient:
        return ServerClient(arguments.home, token)

    commands = CommandPoll(new_client(), job_id, attempt)
    signal.signal(signal.SIGTERM, lambda *_: commands.put(Command(0, "stop")))
    # Ctrl-C in the terminal that the server happens to run in is not meant for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tracker = Tracker(
        new_client(),
        attempt_dir / "spool",
        job_id,
        attempt,
        on_superseded=lambda _code: commands.put(Command(0, "abandon")),
        truth_file=settings.truth_file,
    )
    tracker.start()
    state, exit_code = _attempt(arguments, attempt_dir, new_client(), tracker, commands)
    # The last word counts only with all that was said before it safe on disk.
    _until_written(tracker.flush, attempt_dir)
    _until_written(lambda: _write_outcome(attempt_dir, state, exit_code), attempt_dir)
    if not tracker.finish(0.0 if exit_code == EXIT_ABANDONED else FINISH_S):
        print("the server is away; the supervisor hands the last events over later", flush=True)
    # Skips the teardown of torch's threads, which is slow and has nothing left to save.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _attempt(
    arguments: argparse.Namespace,
    attempt_dir: Path,
    client: ServerClient,
    tracker: Tracker,
    commands: CommandPoll,
) -> tuple[str, int]:
    """Runs the job; every failure becomes its `run-ended` event here."""
    run_dir = arguments.run_dir
    config: dict[str, Any] = {}
    try:
        spec = read_spec(attempt_dir, client, commands.job_id)
        config = spec["config"]
        if spec["kind"] == "train" and spec["recipe"] == "command":
            # Somebody's program: torch is its business, if anybody's.
            from .command import run_command

            state = run_command(spec, run_dir, attempt_dir, client, tracker, commands)
        else:
            from .job import run_job

            state = run_job(spec, run_dir, tracker, commands, arguments.home / "cache")
        return state, EXIT_ABANDONED if state == "abandoned" else 0
    # The edge of the job: whatever went wrong is told, then the process ends.
    except BaseException as error:  # noqa: BLE001
        failure = _first_cause(attempt_dir) or describe_failure(error, config)
        failure = redact_error(failure, known_secrets(config))
        if failure["traceback"] is not None:
            print(failure["traceback"], file=sys.stderr)
        print(f"ERROR {failure['kind']}: {failure['message']}", file=sys.stderr)
        if failure["hint"]:
            print(f"ERROR hint: {failure['hint']}", file=sys.stderr, flush=True)
        tracker.event({"type": "run-ended", "state": "failed", "metrics": {}, "error": failure})
        return "failed", EXIT_FAILED


def _start_peers(attempt_dir: Path) -> None:
    """Where the config asks for several processes, this one becomes torchrun, which starts them all."""
    path = attempt_dir / "spec.json"
    spec = json.loads(path.read_text()) if path.exists() else {}
    num_processes = spec.get("config", {}).get("processes", 1)
    if spec.get("kind") != "train" or not isinstance(num_processes, int) or num_processes <= 1:
        return
    for left_over in attempt_dir.glob("failure-*.json"):
        left_over.unlink()
    # Stopping is the trainers' business, which hear the signal too: torchrun must only wait for them.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(num_processes), "--signals-to-handle", "SIGUSR2"]
    os.execv(sys.executable, [*command, "-m", "spotter_worker", *sys.argv[1:]])


def _run_as_peer(arguments: argparse.Namespace, attempt_dir: Path, rank: int) -> int:
    """One of several processes that train one model, and not the first: says nothing to the server."""
    # The first hears the commands and tells the others at the next step.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = open(os.devnull, "w")
    spec = json.loads((attempt_dir / "spec.json").read_text())
    client = ServerClient(arguments.home, "")
    exit_code = 0
    try:
        from .job import run_job

        commands, cache = CommandPoll(client, 0, 0), arguments.home / "cache"
        state = run_job(spec, arguments.run_dir, NullTracker(), commands, cache)
        exit_code = EXIT_ABANDONED if state == "abandoned" else 0
    # The edge of the process: the first one tells what went wrong here.
    except BaseException as error:  # noqa: BLE001
        failure = describe_failure(error, spec["config"])
        print(failure["traceback"] or failure["message"], file=sys.stderr, flush=True)
        _write_json(attempt_dir / f"failure-{rank}.json", {**failure, "time": time.time()})
        exit_code = EXIT_FAILED
    os._exit(exit_code)


def _first_cause(attempt_dir: Path) -> dict[str, Any] | None:
    """What another process died of before this one lost its connection to it."""
    found = [json.loads(path.read_text()) for path in attempt_dir.glob("failure-*.json")]
    found.sort(key=lambda failure: float(failure["time"]))
    return {name: value for name, value in found[0].items() if name != "time"} if found else None


def read_spec(attempt_dir: Path, client: ServerClient, job_id: int) -> dict[str, Any]:
    path = attempt_dir / "spec.json"
    if path.exists():
        spec = json.loads(path.read_text())
    else:
        spec = client.request("GET", f"/api/worker/jobs/{job_id}")
    if spec["protocol"] != PROTOCOL:
        raise ValueError(f"the spec speaks protocol {spec['protocol']}, this worker {PROTOCOL}")
    assert isinstance(spec, dict)
    return spec


def _until_written(write: Callable[[], None], attempt_dir: Path) -> None:
    """A run that failed for a full disk must be able to say so once there is room again."""
    deadline = time.monotonic() + FULL_DISK_S
    while True:
        try:
            return write()
        except OSError as error:
            if time.monotonic() > deadline or not attempt_dir.exists():
                raise
            print(f"WARNING the last word waits: {error}", file=sys.stderr, flush=True)
            time.sleep(RETRY_S)


def _write_outcome(attempt_dir: Path, state: str, exit_code: int) -> None:
    _write_json(attempt_dir / "outcome.json", {"state": state, "exit_code": exit_code})


def _write_json(path: Path, content: dict[str, Any]) -> None:
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(json.dumps(content))
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
