"""Owns following the worker's output files: new lines out, rotation when they grow. Standard
library only.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .secrecy import redact

ROTATE_BYTES = 8 * 1024 * 1024
READ_BYTES = 512 * 1024
MAX_LINE = 20_000
# A program may write faster than anybody can read or store. Of each stream so many lines a look are passed on; what lies
# further behind than this is left out, and said to be, or the disk would fill.
MAX_LINES_PER_LOOK = 500
MAX_BEHIND_BYTES = 4 * 1024 * 1024
# The end of an output that is cut is kept.
KEPT_BYTES = 64 * 1024
KEPT_LINES = 50
# A line without an end (a progress bar, a prompt) is shown after this long.
PARTIAL_LINE_S = 2.0
ERROR_LINE = re.compile(r"^(ERROR|CRITICAL|Traceback|\w*(Error|Exception)\b|Fatal)")
WARNING_LINE = re.compile(r"^WARN|Warning\b")


class LogTail:
    """One stream of the worker. `position` is where the next read begins; it survives in the
    spool's mark.
    """

    def __init__(self, path: Path, stream: str, position: int, secrets: Sequence[str] = ()) -> None:
        self._path, self.stream = path, stream
        # Values that no line may hold.
        self._secrets = secrets
        self.position = position
        self._partial_since: float | None = None

    def read_lines(self, at_end: bool) -> list[dict[str, Any]]:
        """New whole lines; with `at_end` what is left too."""
        try:
            with open(self._path, "rb") as file:
                if os.fstat(file.fileno()).st_size < self.position:
                    # Rotated by a predecessor that could not note it any more.
                    self.position = 0
                file.seek(self.position)
                data = file.read(READ_BYTES)
        except FileNotFoundError:
            return []
        length = self._usable_length(data, at_end)
        if not at_end:
            length = _length_of_lines(data[:length], MAX_LINES_PER_LOOK)
        self.position += length
        now = time.time()
        return [self._line(now, part) for part in self._split(data[:length])]

    def rotate(self) -> bool:
        """Copy and truncate: the worker keeps its descriptor, which appends."""
        try:
            if os.stat(self._path).st_size < ROTATE_BYTES:
                return False
        except FileNotFoundError:
            return False
        if os.stat(self._path).st_size != self.position:
            # Only what has been read may go; the next round comes soon.
            return False
        shutil.copyfile(self._path, self._path.with_name(self._path.name + ".1"))
        # Lines written since the copy would be lost, so the truncation waits for a quiet moment.
        if os.stat(self._path).st_size != self.position:
            return False
        os.truncate(self._path, 0)
        self.position = 0
        return True

    def leave_out(self, max_bytes: int) -> list[dict[str, Any]]:
        """Where more than so much is unread: the end of it in lines, and one that tells of the rest. The file is emptied."""
        try:
            with open(self._path, "r+b") as file:
                size = os.fstat(file.fileno()).st_size
                if size - self.position <= max_bytes:
                    return []
                file.seek(size - KEPT_BYTES)
                kept = file.read(KEPT_BYTES)
                file.truncate(0)
        except FileNotFoundError:
            return []
        megabytes = (size - self.position - len(kept)) / 1e6
        self.position, self._partial_since = 0, None
        now = time.time()
        told = f"WARNING {megabytes:,.1f} MB of output are left out here: it came faster than it can be kept"
        return [self._line(now, part) for part in [told, *self._split(kept)[-KEPT_LINES:]]]

    def _split(self, data: bytes) -> list[str]:
        text = data.decode("utf-8", errors="replace").replace("\0", "\ufffd")
        return [part for part in redact(text, self._secrets).split("\n") if part.strip()]

    def _usable_length(self, data: bytes, at_end: bool) -> int:
        length = data.rfind(b"\n") + 1
        if length < len(data):
            now = time.monotonic()
            self._partial_since = self._partial_since or now
            overdue = now - self._partial_since > PARTIAL_LINE_S or len(data) >= READ_BYTES
            if at_end or overdue:
                length = len(data)
        if length == len(data):
            self._partial_since = None
        return length

    def _line(self, now: float, text: str) -> dict[str, Any]:
        # A carriage return redraws the line: its last state counts.
        shown = text.rstrip("\r").rsplit("\r", 1)[-1]
        return {
            "time": now,
            "stream": self.stream,
            "level": _level(shown),
            "text": shown[:MAX_LINE],
        }


def _length_of_lines(data: bytes, num_lines: int) -> int:
    """The bytes of the first so many lines."""
    end = 0
    for _ in range(num_lines):
        found = data.find(b"\n", end)
        if found == -1:
            return len(data)
        end = found + 1
    return end


def _level(text: str) -> str:
    if ERROR_LINE.search(text):
        return "error"
    if WARNING_LINE.search(text):
        return "warning"
    return "debug" if text.startswith("DEBUG") else "info"
