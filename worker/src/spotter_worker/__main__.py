"""Owns one attempt at one job: reads the spec, runs it, says how it ended. Started by the
supervisor.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from .api import ServerClient
from .commands import Command, CommandPoll
from .failures import describe_failure
from .settings import read_settings
from .tracker import Tracker

PROTOCOL = 1
# How long the end waits for a server that is away; the supervisor hands the rest over later.
FINISH_S = 20.0
EXIT_FAILED, EXIT_ABANDONED = 1, 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="spotter_worker", description=__doc__)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--job-id", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    attempt_dir = arguments.run_dir / "attempts" / str(arguments.attempt)
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
        truth_file=read_settings().truth_file,
    )
    tracker.start()
    state, exit_code = _attempt(attempt_dir, arguments.run_dir, new_client(), tracker, commands)
    # The last word counts only with all that was said before it safe on disk.
    tracker.flush()
    _write_outcome(attempt_dir, state, exit_code)
    if not tracker.finish(0.0 if exit_code == EXIT_ABANDONED else FINISH_S):
        print("the server is away; the supervisor hands the last events over later", flush=True)
    # Skips the teardown of torch's threads, which is slow and has nothing left to save.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _attempt(
    attempt_dir: Path, run_dir: Path, client: ServerClient, tracker: Tracker, commands: CommandPoll
) -> tuple[str, int]:
    """Runs the job; every failure becomes its `run-ended` event here."""
    config: dict[str, Any] = {}
    try:
        spec = read_spec(attempt_dir, client, commands.job_id)
        config = spec["config"]
        from .job import run_job

        state = run_job(spec, run_dir, tracker, commands)
        return state, EXIT_ABANDONED if state == "abandoned" else 0
    # The edge of the job: whatever went wrong is told, then the process ends.
    except BaseException as error:  # noqa: BLE001
        failure = describe_failure(error, config)
        print(failure["traceback"], file=sys.stderr)
        print(f"ERROR {failure['kind']}: {failure['message']}", file=sys.stderr)
        if failure["hint"]:
            print(f"ERROR hint: {failure['hint']}", file=sys.stderr, flush=True)
        tracker.event({"type": "run-ended", "state": "failed", "metrics": {}, "error": failure})
        return "failed", EXIT_FAILED


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


def _write_outcome(attempt_dir: Path, state: str, exit_code: int) -> None:
    beside = attempt_dir / "outcome.json.tmp"
    beside.write_text(json.dumps({"state": state, "exit_code": exit_code}))
    beside.replace(attempt_dir / "outcome.json")


if __name__ == "__main__":
    sys.exit(main())
