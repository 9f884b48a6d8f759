"""Owns the report that grows while pre-flight works; it is told after every check."""

from __future__ import annotations

import time
from typing import Any

from ..tracker import Tracks
from .findings import Finding, verdict_of, worst_first

CHECKS = (
    "build",
    "samples",
    "data",
    "initial-loss",
    "memory",
    "time",
    "learning-rate",
    "overfit",
)


class GrowingReport:
    def __init__(self, tracker: Tracks, recipe: str, budget_s: float) -> None:
        self._tracker = tracker
        self._started = time.monotonic()
        self.findings: list[Finding] = []
        self.parts: dict[str, Any] = {
            "recipe": recipe,
            "device": None,
            "model": None,
            "derived": {},
            "now": None,
            "done": [],
            "budget_s": budget_s,
            "samples": [],
            "data": None,
            "initial_loss": None,
            "memory": None,
            "time": None,
            "learning_rate": None,
            "overfit": None,
        }

    def begin(self, check: str) -> None:
        assert check in CHECKS
        self.parts["now"] = check
        self._tell()

    def done(self, check: str) -> None:
        self.parts["done"].append(check)

    def end(self) -> None:
        self.parts["now"] = None
        self._tell()

    def to_json(self) -> dict[str, Any]:
        return {
            **self.parts,
            "elapsed_s": time.monotonic() - self._started,
            "verdict": verdict_of(self.findings),
            "findings": [one.to_json() for one in worst_first(self.findings)],
        }

    def _tell(self) -> None:
        self._tracker.event({"type": "job-result", "result": self.to_json()})
