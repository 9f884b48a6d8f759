"""Owns one attempt's process: starts it, watches it, ends it, and tells how it ended. Standard
library only.

The worker writes straight into its log files, so it outlives this process; `--adopt` takes over
what a dead supervisor left. README.md describes the attempt folder.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from spotter.wire.api import ServerClient
from spotter.wire.courier import Courier
from spotter.wire.spool import Spool

from .attempt_end import AttemptEnd, exit_facts
from .limits import Limits
from .log_tail import KEPT_BYTES, MAX_BEHIND_BYTES, LogTail
from .patient_output import print_patiently
from .patient_writing import RETRY_S, until_written, write_json
from .process import (
    birth_time,
    bury_orphans,
    end_orphans,
    is_alive,
    start_time,
    take_in_orphans,
)
from .process_group import MARK, WorkerGroup, find_worker
from .settings import known_secrets, worker_environment

TICK_S = 0.1
HEARTBEAT_S = 5.0
MAX_LINES_PER_EVENT = 1_000
LOCK_TRIES = 50

T = TypeVar("T")


class Supervisor:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._dir: Path = arguments.run_dir / "attempts" / str(arguments.attempt)
        self._spec = json.loads((self._dir / "spec.json").read_text())
        self._spool = Spool(self._dir / "spool", "supervisor")
        self._courier = self._new_courier(self._spool)
        mark = self._spool.mark
        secrets = [self._read_token(), *known_secrets(self._spec["config"])]
        self._tails = [
            LogTail(self._dir / f"{stream}.log", stream, mark.get(stream, 0), secrets)
            for stream in ("stdout", "stderr")
        ]
        self._child: subprocess.Popen[bytes] | None = None
        self._group: WorkerGroup | None = None
        self._next_heartbeat, self._heartbeat_seq = 0.0, 0
        self._is_written_down, self._may_leave = False, False
        time_limit_s, memory_limit_gib = wanted_limits(self._spec)
        self._limits = Limits(
            arguments.time_limit_s or time_limit_s,
            arguments.memory_limit_gib or memory_limit_gib,
            arguments.grace_s,
            self._dir,
        )
        self._end = AttemptEnd(self._dir, self._spec["config"], self._limits)

    def run(self) -> None:
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self._terminated())
        take_in_orphans()
        ended = self._adopt() if self._arguments.adopt else self._start()
        self._write_own_facts()
        self._courier.start()
        self._tell_end(self._watch() if ended is None else ended)

    def _terminated(self) -> None:
        """Ends a worker; where it has ended already, the wait for a server: the next one starts an adopter that tells."""
        self._limits.ask_stop("stop")
        self._may_leave = self._is_written_down

    # -- beginning ---------------------------------------------------------------------------------

    def _start(self) -> dict[str, Any] | None:
        """Starts the worker; on failure, how it ended."""
        if (self._dir / "stop").exists():
            # Too late: the server has given the attempt up, and the next may be under way.
            return exit_facts(reason="start-failed", message="stopped before the worker started")
        arguments = self._arguments
        command = [sys.executable, "-m", "spotter_worker"]
        command += ["--run-dir", str(arguments.run_dir), "--attempt", str(arguments.attempt)]
        command += ["--job-id", str(self._spec["job_id"]), "--home", str(arguments.home)]
        try:
            with (
                open(self._dir / "stdout.log", "ab") as stdout,
                open(self._dir / "stderr.log", "ab") as stderr,
            ):
                self._child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    env={
                        **worker_environment(self._spec["num_threads"], self._spec.get("gpus")),
                        MARK: str(self._dir.absolute()),
                    },
                    # A group of its own: signals reach the worker and its children, and no one
                    # else.
                    start_new_session=True,
                    cwd=arguments.run_dir,
                )
        except OSError as error:
            return exit_facts(reason="start-failed", message=f"the worker cannot start: {error}")
        born = birth_time(self._child.pid)
        assert born is not None, "a child keeps its number until we have looked"
        self._group = WorkerGroup(self._child.pid, born, self._dir)
        self._lower_priority(self._child.pid)
        return None

    def _adopt(self) -> dict[str, Any] | None:
        """Takes over what the attempt folder names; how it ended, if it has."""
        if (self._dir / "exit.json").exists():
            facts = json.loads((self._dir / "exit.json").read_text())
            facts.pop("ended_at", None)
            return facts  # type: ignore[no-any-return]
        try:
            known = json.loads((self._dir / "supervisor.json").read_text())
        except (OSError, ValueError):
            self._group = find_worker(self._dir)
            if self._group is not None:
                return None
            return exit_facts(
                reason="supervisor-lost", message="the supervisor died before the worker started"
            )
        if known["worker_pid"] is not None:
            self._group = WorkerGroup(
                known["worker_pid"], known["worker_start_time"] or "", self._dir
            )
        self._limits.started_at = known["started_at"]
        return None

    def _write_own_facts(self) -> None:
        facts = {
            "pid": os.getpid(),
            "start_time": start_time(os.getpid()),
            "worker_pid": self._group and self._group.leader,
            "worker_start_time": self._group and self._group.start_time,
            "started_at": self._limits.started_at,
        }
        write_json(self._dir / "supervisor.json", facts)

    def _lower_priority(self, pid: int) -> None:
        # Training takes what the server leaves: a chart must not stutter because a model learns.
        try:
            os.setpriority(os.PRIO_PROCESS, pid, self._arguments.nice)
        except OSError as error:
            print(f"WARNING the worker keeps its priority: {error}", file=sys.stderr)

    # -- watching ----------------------------------------------------------------------------------

    def _watch(self) -> dict[str, Any]:
        while self._worker_lives():
            try:
                self._pass_on_logs(at_end=False)
                self._leave_out()
                self._beat()
            # A full disk, most likely. Whoever watches must outlast it: the lines are read again.
            except OSError as error:
                print(f"WARNING nothing can be spooled: {error}", file=sys.stderr, flush=True)
                time.sleep(RETRY_S)
            if self._group is not None:
                self._limits.enforce(self._group)
            time.sleep(TICK_S)
        if self._group is not None:
            # Loader processes that the worker left behind. Of one that was gone when we came, others may have the
            # number by now.
            self._group.end_all()
            end_orphans()
        self._until_written(self._leave_out)
        while self._until_written(lambda: self._pass_on_logs(at_end=True)):
            continue
        return self._end.facts(self._child.returncode if self._child is not None else None)

    def _beat(self) -> None:
        now = time.monotonic()
        # Old heartbeats tell nothing: none is added while the last one still waits.
        if now >= self._next_heartbeat and self._spool.acked_seq >= self._heartbeat_seq:
            self._next_heartbeat = now + HEARTBEAT_S
            worker_pid = self._group and self._group.leader
            bury_orphans(worker_pid or 0)
            event = {"type": "heartbeat", "worker_pid": worker_pid}
            self._heartbeat_seq = self._send(event)

    def _worker_lives(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        group = self._group
        return group is not None and is_alive(group.leader, group.start_time)

    def _pass_on_logs(self, at_end: bool) -> bool:
        before = [tail.position for tail in self._tails]
        lines = [line for tail in self._tails for line in tail.read_lines(at_end)]
        mark = {tail.stream: tail.position for tail in self._tails}
        try:
            for start in range(0, len(lines), MAX_LINES_PER_EVENT):
                part = lines[start : start + MAX_LINES_PER_EVENT]
                self._spool.append(json.dumps([{"type": "log-lines", "lines": part}]), mark)
        except OSError:
            for tail, position in zip(self._tails, before, strict=True):
                tail.position = position
            raise
        for tail in self._tails:
            tail.rotate()
        return bool(lines)

    def _leave_out(self) -> None:
        """What a program writes faster than it can be kept; of one that was ended, nobody waits for all."""
        at_most = KEPT_BYTES if self._limits.killed else MAX_BEHIND_BYTES
        for tail in self._tails:
            lines = tail.leave_out(at_most)
            if lines:
                mark = {one.stream: one.position for one in self._tails}
                self._spool.append(json.dumps([{"type": "log-lines", "lines": lines}]), mark)

    # -- the end -----------------------------------------------------------------------------------

    def _tell_end(self, facts: dict[str, Any]) -> None:
        """Books closed on disk first; then what the worker could not send; then the end itself."""
        self._end.write_down(facts)
        self._is_written_down = True
        deadline = time.monotonic() + self._arguments.drain_limit_s
        self._drain_worker_spool(deadline)
        self._until_written(lambda: self._send({"type": "attempt-ended", "exit": facts}))
        self._wait_drained(self._spool, self._courier, deadline)
        self._courier.stop()
        self._spool.close()

    def _drain_worker_spool(self, deadline: float) -> None:
        spool = Spool(self._dir / "spool", "worker")
        courier = self._new_courier(spool)
        courier.start()
        self._wait_drained(spool, courier, deadline)
        courier.stop()
        spool.close()

    def _wait_drained(self, spool: Spool, courier: Courier, deadline: float) -> None:
        while courier.final_code is None and time.monotonic() < deadline:
            if spool.wait_drained(0.5) or self._may_leave or not self._dir.exists():
                return

    # -- telling -----------------------------------------------------------------------------------

    def _until_written(self, write: Callable[[], T]) -> T:
        return until_written(self._dir, write)

    def _send(self, event: dict[str, Any]) -> int:
        return self._spool.append(json.dumps([{"time": time.time(), **event}]))

    def _new_courier(self, spool: Spool) -> Courier:
        client = ServerClient(self._arguments.home, self._read_token())
        path = f"/api/worker/jobs/{self._spec['job_id']}/events"
        attempt = self._arguments.attempt
        return Courier(spool, client, lambda: path, attempt, on_final=self._on_final)

    def _read_token(self) -> str:
        return (self._dir / "token").read_text().strip()

    def _on_final(self, code: str) -> None:
        # The worker hears it on its own line; this is for one that hangs.
        if code == "attempt-superseded":
            self._limits.ask_stop("stop")


def wanted_limits(spec: dict[str, Any]) -> tuple[float | None, float | None]:
    """Seconds and GiB. A command run's program has a limit on memory of its own, which is for it and us together; its
    limit on time the worker keeps itself.
    """
    limits = spec.get("limits") or {}
    program_mb = spec["config"].get("memory_mb") if spec["recipe"] == "command" else None
    program_gib = None if program_mb is None else float(program_mb) / 1024
    memory = [gib for gib in (limits.get("memory_gib"), program_gib) if gib is not None]
    return limits.get("time_s"), min(memory, default=None)


def _lock(attempt_dir: Path) -> int:
    """Two supervisors of one attempt would tell everything twice; the lock dies with its process."""
    descriptor = os.open(attempt_dir / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            time.sleep(TICK_S)
    raise SystemExit("another supervisor has this attempt")


def main() -> None:
    parser = argparse.ArgumentParser(prog="spotter_worker.supervisor", description=__doc__)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--time-limit-s", type=float)
    parser.add_argument("--memory-limit-gib", type=float)
    parser.add_argument("--grace-s", type=float, default=30.0)
    parser.add_argument("--drain-limit-s", type=float, default=86_400.0)
    parser.add_argument("--nice", type=int, default=10)
    parser.add_argument("--adopt", action="store_true")
    arguments = parser.parse_args()
    attempt_dir = arguments.run_dir / "attempts" / str(arguments.attempt)
    # Whoever started us may be gone tomorrow; complaints go where they can be found.
    complaints = os.open(attempt_dir / "supervisor.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(complaints, 2)
    os.dup2(complaints, 1)
    print_patiently()
    lock = _lock(attempt_dir)
    Supervisor(arguments).run()
    os.close(lock)


if __name__ == "__main__":
    main()
