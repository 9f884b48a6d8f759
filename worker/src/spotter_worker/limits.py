"""Owns ending a worker on purpose: asked to stop, out of time, over its memory. Standard library
only.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

from .process import age_s, group_memory_bytes
from .process_group import WorkerGroup

GIB = 1024**3
# Adding up a group's memory reads all of /proc: too dear for every tick. Without a limit it is only told if the system
# itself runs out of memory.
MEMORY_INTERVAL_S, UNLIMITED_INTERVAL_S = 1.0, 5.0


class Limits:
    """`enforce()` is called every tick while the worker lives."""

    def __init__(
        self,
        time_limit_s: float | None,
        memory_limit_gib: float | None,
        grace_s: float,
        attempt_dir: Path,
    ) -> None:
        # For systems that do not tell a process's age; wall-clock time, as a later supervisor must know it too.
        self.started_at = time.time()
        self._time_limit_s, self._memory_limit_gib = time_limit_s, memory_limit_gib
        self._grace_s = grace_s
        self._stop_file = attempt_dir / "stop"
        self._memory_checked_at = 0.0
        # By the last look.
        self.memory_used_gib = 0.0
        self._terminated_at: float | None = None
        self.stop_asked = False
        self.killed = False
        # `time-limit` or `memory-limit`, with its sentence.
        self.reason: str | None = None
        self.message: str | None = None
        self._kill_now = False

    def ask_stop(self, how: str) -> None:
        self.stop_asked = True
        self._kill_now = self._kill_now or how == "kill"

    def enforce(self, group: WorkerGroup) -> None:
        self._read_stop_file()
        self._check_time(group)
        self._check_memory(group)
        if not self.stop_asked and self.reason is None:
            return
        now = time.monotonic()
        if self._kill_now or (
            self._terminated_at is not None and now - self._terminated_at > self._grace_s
        ):
            self.killed = True
            group.signal(signal.SIGKILL)
        elif self._terminated_at is None:
            self._terminated_at = now
            group.signal(signal.SIGTERM)

    def _read_stop_file(self) -> None:
        if not self._stop_file.exists():
            return
        self.ask_stop(self._stop_file.read_text().strip())

    def _check_time(self, group: WorkerGroup) -> None:
        limit = self._time_limit_s
        if limit is None or self.reason is not None:
            return
        # Its age, not the clock's difference: a clock that is set must neither end a run nor spare it.
        age = age_s(group.start_time)
        if (time.time() - self.started_at if age is None else age) > limit:
            self.reason = "time-limit"
            self.message = f"the attempt ran longer than its limit of {limit:g} s"

    def _check_memory(self, group: WorkerGroup) -> None:
        limit, now = self._memory_limit_gib, time.monotonic()
        interval_s = UNLIMITED_INTERVAL_S if limit is None else MEMORY_INTERVAL_S
        if now - self._memory_checked_at < interval_s:
            return
        self._memory_checked_at = now
        if limit is None:
            self.memory_used_gib = group_memory_bytes(group.leader) / GIB
            return
        self.memory_used_gib = used = group.memory_bytes() / GIB
        if used > limit and self.reason is None:
            self.reason = "memory-limit"
            self.message = f"the worker used {used:.2f} GiB of memory, its limit is {limit:g} GiB"
            # Nothing it could still do would need less memory.
            self._kill_now = True
