"""Owns what a program says through its relay: checked line by line, then told to the tracker as the run's own news."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from spotter.relay import RelayReader
from spotter.values import Warnings, to_metrics

from .tracker import Tracks

# What a program may say of its run; the rest is the worker's to tell.
PASSED_ON = {
    "metric-points",
    "run-progress",
    "epoch-completed",
    "file-saved",
    "file-removed",
    "log-lines",
    "command-acked",
}
# Where a program's files are; the rest of the run's folder, its attempts' tokens among it, is nobody's to offer.
FILE_FOLDERS = {"artifacts", "checkpoints"}
MAX_COMPLAINTS = 20


class ProgramNews:
    """`step` is the last that the program logged at."""

    def __init__(self, relay: Path, tracker: Tracks, step: int) -> None:
        self._reader = RelayReader(relay)
        self._tracker = tracker
        self._warnings = Warnings()
        self._facts: dict[str, Any] = {}
        self._num_complaints = 0
        self.step = step
        self._has_points = False
        # How the program says that it ended: state and error.
        self.ending: dict[str, Any] | None = None

    def started(self, facts: dict[str, Any]) -> None:
        self._facts = facts
        self._tracker.event({"type": "run-started", **facts})

    def pass_on(self) -> int:
        """Tells what is new; returns how many lines that was."""
        num_lines = 0
        for line in self._reader.read_lines():
            num_lines += 1
            try:
                self._take(json.loads(line))
            # The edge to somebody's program: its mistake is a word in its log, and its good lines count all the same.
            except Exception as error:  # noqa: BLE001
                self._complain(f"{type(error).__name__}: {error} in {line[:200]!r}")
        return num_lines

    def pass_on_rest(self) -> None:
        while self.pass_on():
            continue

    def paused(self, paused: bool) -> None:
        self._tracker.event({"type": "run-paused", "step": max(0, self.step), "paused": paused})

    def answer(self, command_id: int, outcome: str, message: str | None) -> None:
        # 0: from a signal; nobody waits for an answer.
        if command_id > 0:
            facts = {"command_id": command_id, "outcome": outcome, "message": message}
            self._tracker.event({"type": "command-acked", **facts, "step": self.step})

    def _take(self, line: Any) -> None:
        if "metrics" in line:
            # Written by hand, from any language.
            self.step = int(line["step"])
            self._note_beginning(self.step)
            self._tracker.log(to_metrics(line["metrics"], self._warnings), self.step)
            return
        for event in line["events"]:
            kind = event["type"]
            if kind == "run-started":
                self._take_start(event)
            elif kind == "run-ended":
                self.ending = {"state": event["state"], "error": event["error"]}
            elif kind in PASSED_ON:
                _refuse_foreign_file(event)
                self._note_step(event)
                self._tracker.event(event)
            else:
                raise ValueError(f"{kind!r} is not for a program to say")

    def _take_start(self, event: dict[str, Any]) -> None:
        """What `init()` knows joins what is known of the command; its config stands beside the command's own."""
        told = {f"config.{name}": text for name, text in _leaves(event.get("config") or {}, "")}
        self._facts = {
            **self._facts,
            "total_steps": event.get("total_steps"),
            "total_epochs": event.get("total_epochs"),
            "versions": {**self._facts["versions"], **event.get("versions", {})},
            "derived": {**self._facts.get("derived", {}), **told},
        }
        self._tracker.event({"type": "run-started", **self._facts})

    def _note_step(self, event: dict[str, Any]) -> None:
        if event["type"] == "metric-points":
            self._note_beginning(min(columns["step"][0] for columns in event["series"].values()))
            for columns in event["series"].values():
                self.step = max(self.step, *columns["step"][-1:], self.step)

    def _note_beginning(self, step: int) -> None:
        """A program that begins before its checkpoint's end, or anew, logs again what earlier attempts did."""
        if not self._has_points and step < self._facts["first_step"]:
            self._facts = {**self._facts, "first_step": max(0, step)}
            self._tracker.event({"type": "run-started", **self._facts})
        self._has_points = True

    def _complain(self, text: str) -> None:
        self._num_complaints += 1
        if self._num_complaints <= MAX_COMPLAINTS:
            print(f"WARNING relay: {text}", file=sys.stderr, flush=True)


def _refuse_foreign_file(event: dict[str, Any]) -> None:
    if event["type"] not in ("file-saved", "file-removed"):
        return
    parts = event["path"].split("/")
    if parts[0] not in FILE_FOLDERS or any(part in ("", ".", "..") for part in parts):
        folders = " or ".join(sorted(FILE_FOLDERS))
        raise ValueError(f"{event['path']!r} is not a file in the run's {folders}")


def _leaves(config: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in config.items():
        if isinstance(value, dict) and value:
            found += _leaves(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", json.dumps(value, ensure_ascii=False)))
    return found
