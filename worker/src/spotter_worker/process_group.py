"""Owns signals to a worker and all that it started, so that they reach nobody else. Standard library only.

A number is not enough to know a group by: numbers come round again, and whoever leads a group under an old one is a
stranger. What the attempt started also carries its mark, a line of the environment that children inherit; by it those
are known that have a group of their own, such as the processes that torchrun starts.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .process import (
    PROC,
    birth_time,
    group_members,
    group_memory_bytes,
    leads_session,
    memory_bytes,
)

MARK = "SPOTTER_ATTEMPT"
# One that hangs in the kernel is left to it.
MAX_ROUNDS, ROUND_S = 100, 0.02


@dataclass(frozen=True)
class WorkerGroup:
    """The group that a worker leads, in a session of its own; some of it may outlive the worker."""

    leader: int
    start_time: str
    attempt_dir: Path

    def signal(self, number: signal.Signals) -> None:
        """To all in the group, if the group is still the worker's, and to those that have left it."""
        if self.is_ours():
            try:
                os.killpg(self.leader, number)
            except ProcessLookupError:
                # Ended since the look.
                pass
        for pid in self._elsewhere():
            signal_process(pid, number, birth_time(pid))

    def is_ours(self) -> bool:
        # 0 would be our own group, and 1 everybody there is.
        assert self.leader > 1, f"no worker has the number {self.leader}"
        born = birth_time(self.leader)
        if born is not None:
            return born == self.start_time
        # Without its leader: the kernel keeps the number from others for as long as the group has members, but
        # between two looks the whole group may have gone, and a later one have lost its leader too.
        members = group_members(self.leader)
        if sys.platform != "linux":
            return bool(members)
        return any(self._is_marked(pid) for pid in members)

    def memory_bytes(self) -> int:
        elsewhere = sum(memory_bytes(pid) for pid in self._elsewhere())
        return group_memory_bytes(self.leader) + elsewhere

    def end_all(self) -> None:
        """Kills what is left, until nothing is."""
        self.signal(signal.SIGKILL)
        for _ in range(MAX_ROUNDS):
            if not self._elsewhere():
                return
            time.sleep(ROUND_S)
            self.signal(signal.SIGKILL)

    def _elsewhere(self) -> list[int]:
        """Processes of the attempt that are not in its worker's group (Linux alone)."""
        if sys.platform != "linux":
            return []
        members, us = set(group_members(self.leader)), os.getpid()
        others = (int(name) for name in os.listdir(PROC) if name.isdigit())
        return [pid for pid in others if pid not in members and pid != us and self._is_marked(pid)]

    def _is_marked(self, pid: int) -> bool:
        return _has_mark(pid, self.attempt_dir)


def find_worker(attempt_dir: Path) -> WorkerGroup | None:
    """The attempt's worker by its mark alone: its supervisor died before it could write down whom it had started
    (Linux alone).
    """
    if sys.platform != "linux":
        return None
    for name in os.listdir(PROC):
        if not name.isdigit() or not _has_mark(int(name), attempt_dir):
            continue
        pid, born = int(name), birth_time(int(name))
        if born is not None and leads_session(pid):
            return WorkerGroup(pid, born, attempt_dir)
    return None


def _has_mark(pid: int, attempt_dir: Path) -> bool:
    try:
        environment = PROC.joinpath(str(pid), "environ").read_bytes()
    except OSError:
        # Gone, or somebody else's.
        return False
    return os.fsencode(f"{MARK}={attempt_dir.absolute()}") in environment.split(b"\0")


def signal_process(pid: int, number: signal.Signals, expected_birth: str | None) -> None:
    """To this process, and not to one that has its number by now."""
    if expected_birth is None:
        return
    assert pid > 1, f"{pid} is not one process"
    try:
        if not hasattr(os, "pidfd_open"):
            if birth_time(pid) == expected_birth:
                os.kill(pid, number)
            return
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if birth_time(pid) == expected_birth:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def signal_own_group(number: signal.Signals) -> None:
    """To all of the group that we lead, but ourselves."""
    us = os.getpid()
    # In somebody else's group (a shell's, a test run's) this would end what is none of ours.
    assert os.getpgrp() == us and os.getsid(0) == us, "a worker leads a session of its own"
    for pid in group_members(us):
        if pid != us:
            signal_process(pid, number, birth_time(pid))
