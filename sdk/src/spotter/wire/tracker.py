"""Owns the way out of a training: points and events in, batches out to an outlet, which keeps and carries them.
Standard library only.

`log()` and `event()` return at once and never raise. A scribe thread cuts batches: at once when
nothing is under way, else every 50 ms, and while the outlet is slow or its server away only as often as it
takes batches (at most a second's worth), so that a slow line gets fewer, larger batches instead of
an endless queue of small ones.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

from .columns import PointColumns

FLUSH_INTERVAL_S = 0.05
# While a batch is still on its way the next one waits for it, up to this long.
MAX_AGE_S = 1.0
# Entries in memory; at the bound the caller itself writes them to disk.
QUEUE_BOUND = 50_000
# A batch holds at most so many points and events; the server takes 200,000 points.
MAX_POINTS_PER_BATCH = 50_000
MAX_STEP = 2**53 - 1
MAX_COMPLAINTS = 50
# Events whose lines or points have times of their own.
UNTIMED = ("log-lines", "metric-points")
# Mirrors MetricName of the contract: no control characters, no half characters, no slash at either end.
METRIC_NAME = re.compile(r"(?!/)[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,250}(?<!/)")


class Outlet(Protocol):
    """Takes batches of events as JSON lists; `append` puts one on disk before it returns."""

    def start(self) -> None: ...

    def append(self, events_json: str) -> None: ...

    def wait_drained(self, timeout_s: float) -> bool:
        """Whether whoever is at the other end has everything."""
        ...

    def close(self) -> None: ...


class Tracker:
    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        # One entry a call: (step, time, metrics) of points, or an event as JSON.
        self._queue: deque[tuple[int, float, dict[str, float]] | str] = deque()
        self._cutting = threading.Lock()
        self._wake = threading.Event()
        self._idle = True
        self._finished = threading.Event()
        self._bad_names: set[str] = set()
        self._num_complaints = 0
        self._scribe = threading.Thread(target=self._run, name="scribe", daemon=True)

    def start(self) -> None:
        self._outlet.start()
        self._scribe.start()

    def log(self, metrics: Mapping[str, float], step: int, at: float | None = None) -> None:
        """Queues one step's points under the present time, or another."""
        try:
            # Microseconds are enough for a chart, and cost the store half the bytes.
            now = round(time.time() if at is None else at, 6)
            points = {name: float(value) for name, value in metrics.items()}
            if not -MAX_STEP <= step <= MAX_STEP:
                raise ValueError(f"step {step} cannot be said exactly in JSON")
            self._enqueue((int(step), now, points))
        # A tracker that fails must never end a training.
        except Exception as error:  # noqa: BLE001
            self._complain(f"points of step {step!r} are lost: {type(error).__name__}: {error}")

    def event(self, event: dict[str, Any]) -> None:
        """Queues an event of the contract; `time` is filled in where it is missing."""
        try:
            timed = event if event["type"] in UNTIMED else {"time": time.time(), **event}
            self._enqueue(json.dumps(timed, allow_nan=False, separators=(",", ":")))
        except Exception as error:  # noqa: BLE001
            self._complain(f"an event is lost: {type(error).__name__}: {error}")

    def flush(self) -> None:
        """Puts on disk what was given so far."""
        self._cut()

    def finish(self, timeout_s: float) -> bool:
        """Writes everything to disk and waits until the server has it; false: the rest waits in the
        spool.
        """
        self._finished.set()
        self._wake.set()
        self._scribe.join()
        self._cut()
        drained = self._outlet.wait_drained(timeout_s)
        self._outlet.close()
        return drained

    def _enqueue(self, entry: Any) -> None:
        self._queue.append(entry)
        if self._idle:
            self._wake.set()
        if len(self._queue) >= QUEUE_BOUND:
            self._cut()

    def _run(self) -> None:
        last_cut = 0.0
        while not self._finished.is_set():
            # Before looking: what comes in meanwhile needs to wake nobody, which costs the caller twice what queueing does.
            wait_s = last_cut + FLUSH_INTERVAL_S - time.monotonic()
            if wait_s > 0:
                self._finished.wait(wait_s)
            if not self._queue:
                self._idle = True
                # Checked again after the flag: an entry may have come in between.
                if not self._queue:
                    self._wake.wait(1.0)
                self._wake.clear()
                self._idle = False
                continue
            self._outlet.wait_drained(max(0.0, last_cut + MAX_AGE_S - time.monotonic()))
            last_cut = time.monotonic()
            try:
                self._cut()
            # Disk full, most likely: the entries are still queued; try again.
            except Exception as error:  # noqa: BLE001
                self._complain(f"cannot spool: {type(error).__name__}: {error}")
                self._finished.wait(1.0)

    def _cut(self) -> None:
        """Moves what is queued to the outlet, as one batch or several."""
        with self._cutting:
            num_waiting = len(self._queue)
            while num_waiting > 0:
                taken = self._take(num_waiting)
                num_waiting -= len(taken)
                events = self._to_events(taken)
                try:
                    if events:
                        self._outlet.append("[" + ",".join(events) + "]")
                except OSError:
                    self._queue.extendleft(reversed(taken))
                    raise

    def _take(self, most: int) -> list[Any]:
        taken: list[Any] = []
        num_points = 0
        while len(taken) < most and num_points < MAX_POINTS_PER_BATCH:
            entry = self._queue.popleft()
            num_points += 10 if isinstance(entry, str) else len(entry[2])
            taken.append(entry)
        return taken

    def _to_events(self, entries: list[Any]) -> list[str]:
        """Consecutive points become one event; an event among them keeps its place."""
        events: list[str] = []
        columns = PointColumns(self._name_is_good)
        for entry in entries:
            if isinstance(entry, str):
                if not columns.is_empty():
                    events.append(columns.take_event())
                events.append(entry)
            else:
                columns.add(*entry)
        if not columns.is_empty():
            events.append(columns.take_event())
        return events

    def _name_is_good(self, name: str) -> bool:
        if isinstance(name, str) and METRIC_NAME.fullmatch(name):
            return True
        if name not in self._bad_names and len(self._bad_names) < 100:
            self._bad_names.add(name)
            self._complain(f"{name!r} is not a metric name; its points are left out")
        return False

    def _complain(self, text: str) -> None:
        # A training that logs nonsense does so every step; its log must stay readable.
        self._num_complaints += 1
        if self._num_complaints <= MAX_COMPLAINTS:
            print(f"WARNING tracker: {text}", file=sys.stderr, flush=True)
