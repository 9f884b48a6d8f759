"""Owns following the worker's output files: new lines out, rotation when they grow. Standard
library only.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

ROTATE_BYTES = 8 * 1024 * 1024
READ_BYTES = 512 * 1024
MAX_LINE = 20_000
# A line without an end (a progress bar, a prompt) is shown after this long.
PARTIAL_LINE_S = 2.0
ERROR_LINE = re.compile(r"^(ERROR|CRITICAL|Traceback|\w*(Error|Exception)\b|Fatal)")
WARNING_LINE = re.compile(r"^WARN|Warning\b")


class LogTail:
    """One stream of the worker. `position` is where the next read begins; it survives in the
    spool's mark.
    """

    def __init__(self, path: Path, stream: str, position: int) -> None:
        self._path, self.stream = path, stream
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
        self.position += length
        now = time.time()
        text = data[:length].decode("utf-8", errors="replace").replace("\0", "\ufffd")
        return [self._line(now, part) for part in text.split("\n") if part.strip()]

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


def _level(text: str) -> str:
    if ERROR_LINE.search(text):
        return "error"
    if WARNING_LINE.search(text):
        return "warning"
    return "debug" if text.startswith("DEBUG") else "info"
