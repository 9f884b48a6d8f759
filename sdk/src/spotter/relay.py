"""Owns the folder through which a program hands its events to the worker that started it, and hears what is asked of it.

A program appends lines to a `*.jsonl` file of its own there, each an object: `{"events": [...]}` with events of the
worker protocol, or, by hand from any language, `{"step": 12, "metrics": {"loss": 0.5}}`. The worker reads them all, gives
them its own numbers and sends them. `control.json` is the way back. Standard library only; used by both sides.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Past this size a writer begins another file, and the reader removes the one that it has read.
ROTATE_BYTES = 4 * 1024 * 1024
# A reader that finds more goes on at its next look: commands must not wait for a flood of points.
MAX_BYTES_PER_LOOK = 4 * 1024 * 1024
NUMBERED = re.compile(r"(?P<stem>.+)\.(?P<number>\d{6})\.jsonl")
# `should_stop()` may stand in the innermost loop; the file is looked at so often at most.
LOOK_INTERVAL_S = 0.2


class RelayWriter:
    """The outlet of a program's tracker. Each process writes files of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stem = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._number, self._written = 1, 0
        self._file = self._open()

    def start(self) -> None:
        return

    def append(self, events_json: str) -> None:
        data = f'{{"events":{events_json}}}\n'.encode()
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._written += len(data)
        if self._written > ROTATE_BYTES:
            os.close(self._file)
            self._number, self._written = self._number + 1, 0
            self._file = self._open()

    def wait_drained(self, timeout_s: float) -> bool:
        # On disk is as good as sent: the worker outlives us.
        return True

    def close(self) -> None:
        os.close(self._file)

    def _open(self) -> int:
        path = self._folder / f"{self._stem}.{self._number:06d}.jsonl"
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


class RelayReader:
    """The worker's side: every line once, in each file's order."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._positions: dict[str, int] = {}

    def read_lines(self) -> Iterator[bytes]:
        for path in sorted(self._folder.glob("*.jsonl")):
            try:
                yield from self._read_file(path)
                self._remove_if_done(path)
            except FileNotFoundError:
                # Its writer has taken it away: it is the program's own folder.
                continue

    def _read_file(self, path: Path) -> Iterator[bytes]:
        position = self._positions.get(path.name, 0)
        end = position + MAX_BYTES_PER_LOOK
        with open(path, "rb") as file:
            file.seek(position)
            for line in file:
                # Its writer is not done with it.
                if not line.endswith(b"\n"):
                    break
                position += len(line)
                self._positions[path.name] = position
                if line.strip():
                    yield line
                if position > end:
                    break

    def _remove_if_done(self, path: Path) -> None:
        numbered = NUMBERED.fullmatch(path.name)
        if numbered is None:
            return
        after = f"{numbered['stem']}.{int(numbered['number']) + 1:06d}.jsonl"
        if path.with_name(after).exists() and path.stat().st_size == self._positions.get(path.name):
            path.unlink()


class RelayControl:
    """The program's ear: what the worker has written into `control.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looked_at = 0.0
        self._said: dict[str, Any] = {}
        self._told: set[str] = set()

    def should_stop(self) -> bool:
        self._tell("asks-stop")
        return bool(self._look().get("stop"))

    def checkpoint_asked(self) -> int | None:
        """Number of the command that asks for a checkpoint."""
        self._tell("asks-checkpoint")
        asked = self._look().get("checkpoint")
        return asked if isinstance(asked, int) else None

    def _tell(self, name: str) -> None:
        # The worker must know whom it can ask politely.
        if name not in self._told:
            self._told.add(name)
            (self._folder / name).touch()

    def _look(self) -> dict[str, Any]:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_INTERVAL_S:
            self._looked_at = now
            try:
                self._said = json.loads((self._folder / "control.json").read_text())
            except FileNotFoundError:
                self._said = {}
        return self._said


class RelayOrders:
    """The worker's mouth."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said: dict[str, Any] = {}

    def say(self, **more: Any) -> None:
        self._said.update(more)
        beside = self._folder / "control.json.tmp"
        beside.write_text(json.dumps(self._said))
        beside.replace(self._folder / "control.json")

    def is_heard(self, name: str) -> bool:
        """Whether the program has ever asked: `asks-stop`, `asks-checkpoint`."""
        return (self._folder / name).exists()
