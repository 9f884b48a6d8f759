"""Owns what the operating system knows about processes: birth, group, memory. Standard library
only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PROC = Path("/proc")
CGROUP_MEMORY = Path("/sys/fs/cgroup/memory.max")
PR_SET_CHILD_SUBREAPER = 36
# One that hangs in the kernel is left to it.
MAX_ROUNDS, ROUND_S = 100, 0.02


def start_time(pid: int) -> str | None:
    """A text that tells this process from a later one with the same number; None when there is
    none.
    """
    if PROC.joinpath("self").exists():
        fields = _stat_fields(pid)
        # A zombie has ended; only its parent has not looked yet.
        return None if fields is None or fields[0] == "Z" else fields[19]
    return birth_time(pid)


def birth_time(pid: int) -> str | None:
    """The same for one that has ended and keeps its number, because its parent has not looked yet."""
    if PROC.joinpath("self").exists():
        fields = _stat_fields(pid)
        return None if fields is None else fields[19]
    answer = _ps("lstart=", "-p", str(pid))
    # One blank where ps aligns with two: the server compares the same text.
    return " ".join(answer.split()) or None


def age_s(birth: str) -> float | None:
    """Seconds since a process of this birth time began, by a clock that nobody sets; None where birth times are no ticks."""
    if sys.platform != "linux" or not birth.isdigit():
        return None
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    return since_boot - int(birth) / os.sysconf("SC_CLK_TCK")


def leads_session(pid: int) -> bool:
    fields = _stat_fields(pid)
    return fields is not None and int(fields[3]) == pid


def is_alive(pid: int, expected_start_time: str) -> bool:
    return start_time(pid) == expected_start_time


def group_memory_bytes(group: int) -> int:
    """Resident memory of all processes of a group."""
    if PROC.joinpath("self").exists():
        pages = sum(int(fields[21]) for fields in _group_fields(group).values())
        return pages * os.sysconf("SC_PAGE_SIZE")
    rows = (line.split() for line in _ps("pgid=,rss=", "-A").splitlines())
    return sum(int(kib) * 1024 for pgid, kib in rows if int(pgid) == group)


def memory_bytes(pid: int) -> int:
    """Resident memory of a process; 0 of one that is gone, and where the system has no /proc."""
    fields = _stat_fields(pid)
    return 0 if fields is None else int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def machine_memory_bytes() -> int:
    """What this machine has, or the container that we are in may use."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = CGROUP_MEMORY.read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def group_cpu_s(group: int) -> float:
    """Processor seconds of the group's living processes; 0 where the system has no /proc."""
    ticks = sum(int(fields[11]) + int(fields[12]) for fields in _group_fields(group).values())
    return ticks / os.sysconf("SC_CLK_TCK")


def group_members(group: int) -> list[int]:
    """Process ids of a group, ourselves among them."""
    if PROC.joinpath("self").exists():
        return list(_group_fields(group))
    rows = (line.split() for line in _ps("pgid=,pid=", "-A").splitlines())
    return [int(pid) for pgid, pid in rows if int(pgid) == group]


def _group_fields(group: int) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    if not PROC.joinpath("self").exists():
        return found
    for entry in PROC.iterdir():
        fields = _stat_fields(int(entry.name)) if entry.name.isdigit() else None
        if fields is not None and int(fields[2]) == group:
            found[int(entry.name)] = fields
    return found


def take_in_orphans() -> None:
    """From now on whatever our descendants leave behind becomes our child, and not init's (prctl(2), Linux alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury_orphans(worker: int) -> None:
    """Dead ones that we took in; the worker's own end belongs to whoever started it."""
    for pid, fields in _children().items():
        if fields[0] == "Z" and pid != worker:
            os.waitpid(pid, os.WNOHANG)


def end_orphans() -> None:
    """Kills what has left the worker's group to outlive it; only when the worker has ended and been waited for."""
    for _ in range(MAX_ROUNDS):
        children = _children()
        if not children:
            return
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            # Its children are ours in the next round.
            os.waitpid(pid, os.WNOHANG)
        time.sleep(ROUND_S)


def _children() -> dict[int, list[str]]:
    us = str(os.getpid())
    found: dict[int, list[str]] = {}
    if sys.platform != "linux":
        return found
    for entry in PROC.iterdir():
        fields = _stat_fields(int(entry.name)) if entry.name.isdigit() else None
        if fields is not None and fields[1] == us:
            found[int(entry.name)] = fields
    return found


def num_kernel_oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since it booted."""
    try:
        for line in PROC.joinpath("vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except OSError:
        # Not Linux: nothing to compare, so an OOM kill looks like any SIGKILL.
        return 0
    return 0


def _stat_fields(pid: int) -> list[str] | None:
    """Fields of /proc/<pid>/stat from the third (state) on: the second may hold blanks."""
    try:
        text = PROC.joinpath(str(pid), "stat").read_text()
    except OSError:
        return None
    return text.rsplit(")", 1)[1].split()


def _ps(columns: str, *selection: str) -> str:
    answer = subprocess.run(
        ["ps", "-o", columns, *selection], capture_output=True, text=True, check=False
    )
    return answer.stdout
