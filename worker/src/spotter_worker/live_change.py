"""Owns one change of a running training's values, and the journal in which a run keeps them.

A checkpoint holds the changes that were made before it. The journal holds all: so a run that dies right after a change,
before its next checkpoint, finds it again, and takes it up at the very step at which it was made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

JOURNAL_NAME = "changes.json"


@dataclass(frozen=True)
class LiveChange:
    # Of the command.
    id: int
    # After this step; the checkpoint of the same step was written before.
    step: int
    before: dict[str, Any]
    after: dict[str, Any]
    checkpoint: str
    # Of the step that follows, under the old values and under the new ones.
    rate_before: float
    rate_after: float

    def sentence(self) -> str:
        told = [f"{name} {self.before[name]} → {value}" for name, value in self.after.items()]
        if self.rate_before != self.rate_after:
            told.append(f"the next step's rate {self.rate_before:.3g} → {self.rate_after:.3g}")
        return ", ".join(told)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def result(self) -> dict[str, Any]:
        """As an acknowledgement carries it: the contract's ChangeResult."""
        return {name: value for name, value in asdict(self).items() if name not in ("id", "step")}


class ChangeJournal:
    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / JOURNAL_NAME

    def read(self, reverted: Collection[int]) -> list[LiveChange]:
        """In their order, without those that were reverted; these are forgotten."""
        if not self._path.exists():
            return []
        found = [LiveChange(**one) for one in json.loads(self._path.read_text())]
        kept = [change for change in found if change.id not in reverted]
        if len(kept) < len(found):
            self.write(kept)
        return kept

    def write(self, changes: list[LiveChange]) -> None:
        beside = self._path.with_name(f"{self._path.name}.tmp")
        with open(beside, "w") as file:
            json.dump([change.to_json() for change in changes], file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
