"""Owns the numbered batches on disk: every batch is a line here before it travels. Standard library
only.

`<source>.jsonl` grows by one line a batch; `<source>.state.json` remembers what the server has. A
stale state only leads to repeats, which the server recognises by their number, so it is not written
on every receipt.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

# Past this size the file is emptied as soon as the server has everything in it.
COMPACT_BYTES = 4 * 1024 * 1024
# Lines kept in memory for the courier; older ones are read back from disk.
MEMORY_BYTES = 8 * 1024 * 1024
STATE_INTERVAL_S = 1.0


class Line(NamedTuple):
    seq: int
    offset: int
    data: bytes


class Spool:
    """One writer side and one reader side, which may be two threads of one process."""

    def __init__(self, folder: Path, source: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.source = source
        self._path = folder / f"{source}.jsonl"
        self._state_path = folder / f"{source}.state.json"
        self._lock = threading.Lock()
        self._has_unsent = threading.Condition(self._lock)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self._recent: deque[Line] = deque()
        self._recent_bytes = 0
        self._state_written_at = 0.0
        self.acked_seq = 0
        self._last_seq = 0
        # Where the file ends, and where the first line begins that the server does not have.
        self._end = self._unsent_offset = 0
        self.mark: dict[str, Any] = {}
        self._load()

    def append(self, events_json: str, mark: dict[str, Any] | None = None) -> int:
        """Numbers a batch and puts it on disk. `mark` comes back after a restart as `spool.mark`."""
        with self._lock:
            seq = self._last_seq + 1
            mark_json = json.dumps(mark if mark is not None else self.mark)
            data = f'{{"seq":{seq},"mark":{mark_json},"events":{events_json}}}\n'.encode()
            _write_all(self._file, data, self._end)
            line = Line(seq, self._end, data)
            self._last_seq = seq
            self._end += len(data)
            if mark is not None:
                self.mark = mark
            self._remember(line)
            self._has_unsent.notify_all()
            return seq

    def next_unsent(self, timeout_s: float) -> Line | None:
        """The first line that the server does not have yet; waits for one."""
        with self._lock:
            if self.acked_seq == self._last_seq:
                self._has_unsent.wait(timeout_s)
            if self.acked_seq == self._last_seq:
                return None
            return self._line(self.acked_seq + 1)

    def ack(self, seq: int) -> None:
        with self._lock:
            line = self._line(seq)
            self.acked_seq = seq
            self._unsent_offset = line.offset + len(line.data)
            while self._recent and self._recent[0].seq <= seq:
                self._recent_bytes -= len(self._recent.popleft().data)
            now = time.monotonic()
            if self.acked_seq == self._last_seq and self._end > COMPACT_BYTES:
                self._write_state()
                os.ftruncate(self._file, 0)
                self._end = self._unsent_offset = 0
            elif now - self._state_written_at > STATE_INTERVAL_S:
                self._write_state()
            self._has_unsent.notify_all()

    def rewind(self, expected_seq: int) -> bool:
        """Goes back to a line that the server misses; false if it is not on disk any more."""
        with self._lock:
            position = 0
            for line in self._read_lines(0):
                if line.seq == expected_seq:
                    self.acked_seq = expected_seq - 1
                    self._unsent_offset = position
                    self._recent.clear()
                    self._recent_bytes = 0
                    return True
                position = line.offset + len(line.data)
            return False

    def keep_refused(self, line: Line) -> None:
        """Puts a batch aside that the server will never take, for a person to look at."""
        with open(self._path.with_suffix(".refused"), "ab") as file:
            file.write(line.data)

    def wait_drained(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        with self._lock:
            while self.acked_seq < self._last_seq:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return False
                self._has_unsent.wait(remaining)
            return True

    def close(self) -> None:
        with self._lock:
            self._write_state()
            os.close(self._file)

    def _load(self) -> None:
        if self._state_path.exists():
            state = json.loads(self._state_path.read_text())
            self.acked_seq, self.mark = int(state["acked_seq"]), state["mark"]
        self._last_seq = self.acked_seq
        for line in self._read_lines(0):
            self._end = line.offset + len(line.data)
            if line.seq <= self.acked_seq:
                self._unsent_offset = self._end
                continue
            self._last_seq = line.seq
            self.mark = json.loads(line.data)["mark"]
        # A torn last line was cut short by a crash before it could travel; its number is free.
        os.ftruncate(self._file, self._end)

    def _line(self, seq: int) -> Line:
        for line in self._recent:
            if line.seq == seq:
                return line
            if line.seq > seq:
                break
        for line in self._read_lines(self._unsent_offset):
            if line.seq == seq:
                return line
        raise AssertionError(f"{self._path} lost batch {seq}")

    def _read_lines(self, offset: int) -> Iterator[Line]:
        with open(self._path, "rb") as file:
            file.seek(offset)
            for data in file:
                if not data.endswith(b"\n"):
                    return
                yield Line(_seq_of(data), offset, data)
                offset += len(data)

    def _remember(self, line: Line) -> None:
        # Only an unbroken row up to the end is kept, so that the row's first line is findable.
        self._recent.append(line)
        self._recent_bytes += len(line.data)
        while self._recent_bytes > MEMORY_BYTES and self._recent:
            self._recent_bytes -= len(self._recent.popleft().data)

    def _write_state(self) -> None:
        beside = self._state_path.with_suffix(".tmp")
        beside.write_text(json.dumps({"acked_seq": self.acked_seq, "mark": self.mark}))
        beside.replace(self._state_path)
        self._state_written_at = time.monotonic()


def _seq_of(data: bytes) -> int:
    # `{"seq":12,…`: cheaper than parsing a line of a megabyte for its number.
    return int(data[7 : data.index(b",", 7)])


def _write_all(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
