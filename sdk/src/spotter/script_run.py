"""Owns one run as a script sees it: log, files, checkpoints, the wish to stop, the end. Nothing here blocks on a network
or raises into the loop that calls it.
"""

from __future__ import annotations

import functools
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from .epochs import EpochCount
from .files import KINDS
from .values import Warnings, to_config, to_metrics
from .ways import Way
from .wire.tracker import Tracker

STATES = ("finished", "failed", "stopped")
SAID_TO_FAIL = {
    "kind": "script-failed",
    "message": "The script said that it failed; its log may say why.",
    "hint": None,
    "traceback": None,
}
# How long the end waits for a server that is slow or away; the rest stays on disk.
FINISH_S = 10.0
PROGRESS_INTERVAL_S = 1.0
# What of the present process is worth knowing on the run's page, where it is loaded anyway.
LIBRARIES = ("torch", "tensorflow", "keras", "jax", "lightning", "transformers", "numpy")

Method = TypeVar("Method", bound=Callable[..., Any])


def _guarded(otherwise: Any) -> Callable[[Method], Method]:
    """What goes wrong in here is a warning, once; the caller's training is worth more than its chart."""

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def call(self: Run, *args: Any, **named: Any) -> Any:
            if not self._may_speak(method.__name__):
                return otherwise
            try:
                return method(self, *args, **named)
            # The edge between a training and whoever watches it.
            except Exception as error:  # noqa: BLE001
                self._warnings.say(f"{method.__name__}(): {type(error).__name__}: {error}")
                return otherwise

        return call  # type: ignore[return-value]

    return decorate


class Run:
    """Use `spotter.init()`; a `with` block ends it with what happened inside."""

    def __init__(
        self,
        way: Way,
        config: Any = None,
        total_steps: int | None = None,
        total_epochs: int | None = None,
        warnings: Warnings | None = None,
    ) -> None:
        self._warnings = warnings or Warnings()
        self._way = way
        self._tracker = Tracker(way.outlet)
        self._total = (total_steps, total_epochs)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._step = -1
        # Whether the script leaves the counting of its steps to us.
        self._counts = False
        self._epochs = EpochCount()
        self._started_at = time.monotonic()
        self._first_step: int | None = None
        self._progress_at = 0.0
        self._is_finished = False
        self._answered_checkpoint = 0
        self.config = to_config(config)
        self._tracker.start()
        self._tracker.event(self._started_event())

    @_guarded(None)
    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Numbers under their names, at a step; without one, the step after the last."""
        if not isinstance(metrics, Mapping):
            raise TypeError(f"log() takes a dict of numbers, not {type(metrics).__name__}")
        numbers = to_metrics(metrics, self._warnings)
        with self._lock:
            self._counts = step is None
            self._step = self._step + 1 if step is None else int(step)
            at = self._step
        if numbers:
            self._tracker.log(numbers, at)
        self._tell_progress(at, numbers.get("epoch"))

    @_guarded(None)
    def update_config(self, more: Any) -> None:
        """Adds to the config what was not known when the run began."""
        self.config.update(to_config(more))
        self._tracker.event(self._started_event())

    @_guarded(None)
    def log_artifact(
        self, path: str | os.PathLike[str], name: str | None = None, kind: str = "other"
    ) -> None:
        """Keeps a copy of a file or folder with the run. Copies now (at the disk's speed), sends later."""
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} is not one of {', '.join(KINDS)}")
        source = Path(path)
        for file in self._way.keep(source, name or source.name):
            self._register(file.path, file.size, file.sha256, kind, self._known_step(), None)

    @_guarded(None)
    def checkpoint(self, path: str | os.PathLike[str], step: int, keep_last: int = 3) -> None:
        """Tells that a file or folder holds the state of `step`.

        In a command run a copy is kept, and a resumed run finds it (`resumed_from()`); elsewhere it stays where it is.
        """
        source = Path(path).absolute()
        if not source.exists():
            raise FileNotFoundError(f"{source} is not there")
        counted_to = self._step if self._counts else None
        kept = self._way.keep_checkpoint(source, int(step), counted_to)
        if kept is None:
            self._say(f"checkpoint of step {step}: {source}")
        else:
            self._register(kept.path, kept.size, kept.sha256, "checkpoint", int(step), "last")
            for dropped in self._way.drop_checkpoints(keep_last):
                self._tracker.event({"type": "file-removed", "path": dropped})
        asked = self._way.checkpoint_asked()
        if asked is not None and asked > self._answered_checkpoint:
            self._answered_checkpoint = asked
            done = {"command_id": asked, "outcome": "done", "message": None, "step": int(step)}
            self._tracker.event({"type": "command-acked", **done})

    @_guarded(None)
    def count_from(self, step: int) -> None:
        """Where a script goes on from a checkpoint, points without a step follow those of before; `step`: the last."""
        with self._lock:
            if self._first_step is None:
                self._step = max(self._step, step)

    @_guarded(False)
    def should_stop(self) -> bool:
        """Whether somebody has asked this run to stop. A loop that asks may save first and end by itself."""
        return self._way.should_stop()

    @_guarded(False)
    def should_checkpoint(self) -> bool:
        """Whether somebody has asked for a checkpoint that `checkpoint()` has not answered yet."""
        asked = self._way.checkpoint_asked()
        return asked is not None and asked > self._answered_checkpoint

    @_guarded(None)
    def finish(
        self,
        state: str = "finished",
        error: BaseException | None = None,
        timeout_s: float = FINISH_S,
    ) -> None:
        """Ends the run, and waits a little until everything is where it should be. The second time it does nothing."""
        if state not in STATES:
            raise ValueError(f"state {state!r} is not one of {', '.join(STATES)}")
        self._is_finished = True
        deadline = time.monotonic() + timeout_s
        told = describe(error) or (SAID_TO_FAIL if state == "failed" else None)
        ended = {"type": "run-ended", "state": state, "metrics": {}, "error": told}
        if self._first_step is not None:
            self._tell_progress(self._last_progress(state), None, is_last=True)
        if self._way.tells_end or state != "finished":
            self._tracker.event(ended)
        is_drained = self._tracker.finish(timeout_s)
        self._way.finish(is_drained, deadline)

    @property
    def is_finished(self) -> bool:
        return self._is_finished

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish(state_of(error), error if state_of(error) == "failed" else None)

    def _may_speak(self, what: str) -> bool:
        if os.getpid() != self._pid:
            self._warnings.say(
                f"{what}() in a forked process does nothing; log in the process that called init()"
            )
            return False
        if self._is_finished:
            if what not in ("finish", "should_stop", "should_checkpoint"):
                self._warnings.say(f"{what}() after finish() does nothing")
            return False
        return True

    def _known_step(self) -> int | None:
        return self._step if self._step >= 0 else None

    def _register(
        self, path: str, size: int, sha256: str, kind: str, step: int | None, label: str | None
    ) -> None:
        facts = {"path": path, "size": size, "sha256": sha256, "step": step, "label": label}
        self._tracker.event({"type": "file-saved", "kind": kind, **facts})

    def _say(self, text: str) -> None:
        line = {"time": time.time(), "stream": "stdout", "level": "info", "text": text[:2000]}
        self._tracker.event({"type": "log-lines", "lines": [line]})

    def _last_progress(self, state: str) -> int:
        """`range(60)` ends at step 59 with all of its 60 steps done."""
        counts_from_zero = self._first_step != 1 and self._total[0] == self._step + 1
        return self._step + 1 if state == "finished" and counts_from_zero else self._step

    def _tell_progress(self, step: int, epoch: float | None, is_last: bool = False) -> None:
        now = time.monotonic()
        if epoch is not None:
            self._epochs.take(epoch)
        if self._first_step is None:
            self._first_step, self._started_at = step, now
        if not is_last and now - self._progress_at < PROGRESS_INTERVAL_S:
            return
        self._progress_at = now
        done, seconds = step - self._first_step, now - self._started_at
        speed = done / seconds if done > 0 and seconds > 0 else None
        total_steps, total_epochs = self._total
        left = None if total_steps is None or not speed else max(0, total_steps - step) / speed
        self._tracker.event(
            {
                "type": "run-progress",
                "step": step,
                "total_steps": total_steps,
                "epoch": self._epochs.number,
                "total_epochs": total_epochs,
                "batch": max(0, step),
                "batches": None,
                "eta_s": left,
                "steps_per_s": speed,
                "lr_schedule": None,
                "phase": "training",
            }
        )

    def _started_event(self) -> dict[str, Any]:
        versions = {"python": platform.python_version()}
        for name in LIBRARIES:
            version = getattr(sys.modules.get(name), "__version__", None)
            if version is not None:
                versions[name] = str(version)
        return {
            "type": "run-started",
            "total_steps": self._total[0],
            "total_epochs": self._total[1],
            "hostname": platform.node() or None,
            "pid": self._pid,
            "config": self.config,
            "versions": versions,
        }


def state_of(error: BaseException | None) -> str:
    """What an exception that ends a script makes of its run."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished"
    if isinstance(error, KeyboardInterrupt):
        return "stopped"
    # 128 + SIGTERM.
    if isinstance(error, SystemExit) and error.code == 143:
        return "stopped"
    return "failed"


def describe(error: BaseException | None) -> dict[str, Any] | None:
    """The `error` of a `run-ended` event."""
    if error is None:
        return None
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    message = str(error)[:4000] or type(error).__name__
    return {
        "kind": type(error).__name__,
        "message": message,
        "hint": None,
        "traceback": trace[-20_000:],
    }
