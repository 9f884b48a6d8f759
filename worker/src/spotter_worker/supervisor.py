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
from typing import Any

from spotter.wire.api import ServerClient
from spotter.wire.courier import Courier
from spotter.wire.spool import Spool

from .limits import GIB, Limits
from .log_tail import KEPT_BYTES, MAX_BEHIND_BYTES, LogTail
from .lost_process import find_lost_process
from .patient_output import print_patiently
from .process import (
    birth_time,
    bury_orphans,
    end_orphans,
    is_alive,
    machine_memory_bytes,
    num_kernel_oom_kills,
    start_time,
    take_in_orphans,
)
from .process_group import MARK, WorkerGroup, find_worker
from .settings import known_secrets, worker_environment

TICK_S = 0.1
HEARTBEAT_S = 5.0
MAX_LINES_PER_EVENT = 1_000
RETRY_S = 1.0
LOCK_TRIES = 50


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
        self._num_oom_kills = num_kernel_oom_kills()
        self._next_heartbeat, self._heartbeat_seq = 0.0, 0
        time_limit_s, memory_limit_gib = wanted_limits(self._spec)
        self._limits = Limits(
            arguments.time_limit_s or time_limit_s,
            arguments.memory_limit_gib or memory_limit_gib,
            arguments.grace_s,
            self._dir,
        )

    def run(self) -> None:
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self._limits.ask_stop("stop"))
        take_in_orphans()
        exit_facts = self._adopt() if self._arguments.adopt else self._start()
        self._write_own_facts()
        self._courier.start()
        if exit_facts is None:
            exit_facts = self._watch()
        self._tell_end(exit_facts)

    # -- beginning ---------------------------------------------------------------------------------

    def _start(self) -> dict[str, Any] | None:
        """Starts the worker; on failure, how it ended."""
        if (self._dir / "stop").exists():
            # Too late: the server has given the attempt up, and the next may be under way.
            return _exit_facts(reason="start-failed", message="stopped before the worker started")
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
            return _exit_facts(reason="start-failed", message=f"the worker cannot start: {error}")
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
            return _exit_facts(
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
        _write_json(self._dir / "supervisor.json", facts)

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
        return self._end_facts()

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

    def _end_facts(self) -> dict[str, Any]:
        outcome = self._read_outcome()
        code = self._child.returncode if self._child is not None else None
        if code is None and outcome is not None:
            code = outcome["exit_code"]
        name = signal.Signals(-code).name if code is not None and code < 0 else None
        lost = None
        if outcome is None and self._spec["config"].get("processes", 1) != 1:
            # torchrun's own end says nothing of how one of them died.
            lost = find_lost_process(self._dir / "stderr.log")
            name = name or (lost.signal_name if lost is not None else None)
        by_kernel = name == "SIGKILL" and num_kernel_oom_kills() > self._num_oom_kills
        out_of_memory = self._limits.reason == "memory-limit" or (
            by_kernel and self._limits.reason is None and not self._limits.killed
        )
        reason, message = self._limits.reason, self._limits.message
        if reason is None and outcome is None and not self._limits.stop_asked:
            used_gib = self._limits.memory_used_gib
            reason, message = "worker-lost", _describe_loss(code, name, out_of_memory, used_gib)
            if lost is not None and not out_of_memory:
                message = lost.sentence(self._spec["config"]["processes"])
        return _exit_facts(
            exit_code=code if code is None or code >= 0 else None,
            signal_name=name,
            out_of_memory=out_of_memory,
            reason=reason,
            message=message,
        )

    def _tell_end(self, exit_facts: dict[str, Any]) -> None:
        """Books closed on disk first; then what the worker could not send; then the end itself."""
        if not (self._dir / "exit.json").exists():
            ended = {**exit_facts, "ended_at": time.time()}
            self._until_written(lambda: _write_json(self._dir / "exit.json", ended))
        deadline = time.monotonic() + self._arguments.drain_limit_s
        self._drain_worker_spool(deadline)
        self._until_written(lambda: self._send({"type": "attempt-ended", "exit": exit_facts}))
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
            if spool.wait_drained(0.5) or not self._dir.exists():
                return

    def _until_written(self, write: Callable[[], Any]) -> Any:
        """Does it again for as long as the disk does not take it: what ends a worker must be told."""
        while True:
            try:
                return write()
            except OSError as error:
                if not self._dir.exists():
                    # The run was removed with all that it had: there is nothing to tell, and nobody to tell it to.
                    raise SystemExit(f"the attempt's folder {self._dir} is gone") from error
                print(f"WARNING cannot write: {error}", file=sys.stderr, flush=True)
                time.sleep(RETRY_S)

    def _read_outcome(self) -> dict[str, Any] | None:
        try:
            outcome = json.loads((self._dir / "outcome.json").read_text())
        except FileNotFoundError:
            return None
        assert isinstance(outcome, dict)
        return outcome

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


def _exit_facts(
    exit_code: int | None = None,
    signal_name: str | None = None,
    out_of_memory: bool = False,
    reason: str | None = None,
    message: str | None = None,
) -> dict[str, Any]:
    """The contract's AttemptExit."""
    return {
        "exit_code": exit_code,
        "signal": signal_name,
        "out_of_memory": out_of_memory,
        "reason": reason,
        "message": message,
    }


def wanted_limits(spec: dict[str, Any]) -> tuple[float | None, float | None]:
    """Seconds and GiB. A command run's program has a limit on memory of its own, which is for it and us together; its
    limit on time the worker keeps itself.
    """
    limits = spec.get("limits") or {}
    program_mb = spec["config"].get("memory_mb") if spec["recipe"] == "command" else None
    program_gib = None if program_mb is None else float(program_mb) / 1024
    memory = [gib for gib in (limits.get("memory_gib"), program_gib) if gib is not None]
    return limits.get("time_s"), min(memory, default=None)


def _describe_loss(
    code: int | None, signal_name: str | None, out_of_memory: bool, used_gib: float
) -> str:
    if out_of_memory:
        has_gib = machine_memory_bytes() / GIB
        return (
            "the system ran out of memory and killed the worker, which used "
            f"{used_gib:.2f} GiB of its {has_gib:.2f} GiB when last looked at"
        )
    if signal_name is not None:
        return f"the worker was ended by {signal_name}"
    if code is not None:
        return f"the worker ended with exit code {code} and without a last word"
    return "the worker is gone; nobody saw how it ended"


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


def _write_json(path: Path, content: dict[str, Any]) -> None:
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(json.dumps(content))
    beside.replace(path)


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
