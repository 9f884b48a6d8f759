"""Owns what is printed while the disk is full: the lines are lost and counted, and nobody dies of them. Standard library
only.
"""

from __future__ import annotations

import io
import sys
from typing import TextIO

from .disk_room import FULL


class PatientOutput(io.TextIOBase):
    """Around stdout or stderr that are files: a line of a log must end neither a training nor who watches it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._num_lost = 0

    def write(self, text: str) -> int:
        try:
            if self._num_lost > 0:
                self._stream.write(f"WARNING {self._num_lost} lines are lost: the disk was full\n")
                self._num_lost = 0
            self._stream.write(text)
        except OSError as error:
            self._bear(error)
            self._num_lost += text.count("\n")
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._bear(error)

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def _bear(self, error: OSError) -> None:
        if error.errno not in FULL:
            raise error


def print_patiently() -> None:
    sys.stdout = PatientOutput(sys.stdout)  # type: ignore[assignment]
    sys.stderr = PatientOutput(sys.stderr)  # type: ignore[assignment]
