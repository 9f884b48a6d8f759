"""Owns finding out which of several processes a run was lost with, from what torchrun said last. Standard library only.

With several processes the supervisor's worker is torchrun, which ends with 1 whatever happened; how the process that
died first ended stands in its report alone.
"""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

LAST_BYTES = 65_536
REPORT = re.compile(
    r"Root Cause \(first observed failure\):.*?rank\s*: (\d+).*?exitcode\s*: (-?\d+)", re.DOTALL
)


@dataclass(frozen=True)
class LostProcess:
    rank: int
    exit_code: int

    @property
    def signal_name(self) -> str | None:
        return signal.Signals(-self.exit_code).name if self.exit_code < 0 else None

    def sentence(self, num_processes: int) -> str:
        how = f"was ended by {self.signal_name}"
        if self.signal_name is None:
            how = f"ended with exit code {self.exit_code} and without a last word"
        which = f"process {self.rank + 1} of {num_processes}"
        if self.rank == 0:
            return f"{which}, which speaks for the others, {how}"
        return f"{which} {how}"


def find_lost_process(stderr: Path) -> LostProcess | None:
    """None where torchrun reports none, as for a worker of one process."""
    try:
        with open(stderr, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    reports = REPORT.findall(text)
    if not reports:
        return None
    rank, exit_code = reports[-1]
    return LostProcess(int(rank), int(exit_code))
