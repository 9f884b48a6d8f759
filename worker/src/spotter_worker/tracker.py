"""Owns the worker's tracker: the package's, with a spool in the attempt's folder, and in tests a file of the truth."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from spotter.wire.api import ServerClient
from spotter.wire.columns import encode_value
from spotter.wire.courier import CarriedSpool, Courier
from spotter.wire.spool import Spool
from spotter.wire.tracker import Tracker as PackageTracker


class Tracks(Protocol):
    """What the loop and its helpers need of a tracker."""

    def log(self, metrics: Mapping[str, float], step: int) -> None: ...

    def event(self, event: dict[str, Any]) -> None: ...


class NullTracker:
    """For tests and benches: takes everything, keeps nothing."""

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        return

    def event(self, event: dict[str, Any]) -> None:
        return


class Tracker(PackageTracker):
    """Tells one attempt; `on_superseded(code)` hears that the server takes no more of it."""

    def __init__(
        self,
        client: ServerClient,
        spool_folder: Path,
        job_id: int,
        attempt: int,
        on_superseded: Callable[[str], None],
        truth_file: Path | None = None,
    ) -> None:
        spool = Spool(spool_folder, "worker")
        path = f"/api/worker/jobs/{job_id}/events"
        courier = Courier(spool, client, lambda: path, attempt, on_superseded)
        super().__init__(CarriedSpool(spool, courier))
        self._ids = {"job_id": job_id, "attempt": attempt}
        self._truth = _open_truth(truth_file)

    def log(self, metrics: Mapping[str, float], step: int, at: float | None = None) -> None:
        if self._truth is not None:
            at = round(time.time() if at is None else at, 6)
            _write_truth(self._truth, self._ids, metrics, step, at)
        super().log(metrics, step, at)


def _open_truth(path: Path | None) -> int | None:
    return None if path is None else os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _write_truth(
    file: int, ids: dict[str, int], points: Mapping[str, float], step: int, now: float
) -> None:
    lines = [
        json.dumps({**ids, "name": name, "step": step, "time": now, "value": encode_value(value)})
        for name, value in points.items()
    ]
    os.write(file, ("\n".join(lines) + "\n").encode())
