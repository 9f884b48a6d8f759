"""Owns what ends a run without `finish()`: the script's end, an exception that nobody caught, SIGTERM."""

from __future__ import annotations

import atexit
import signal
import sys
import threading
from types import FrameType, TracebackType

from .script_run import Run, state_of

EXIT_TERMINATED = 128 + signal.SIGTERM

_open: list[Run] = []
_uncaught: list[BaseException] = []


def watch(run: Run) -> None:
    """Ends the run with the script, in the state that the script's end suggests."""
    if not _open:
        atexit.register(_finish_all)
        _listen_to_exceptions()
        _listen_to_sigterm()
    _open[:] = [one for one in _open if not one.is_finished] + [run]


def _finish_all() -> None:
    error = _uncaught[0] if _uncaught else None
    state = state_of(error)
    for run in _open:
        # In a forked child this does nothing: the run is its parent's.
        run.finish(state, error if state == "failed" else None)


def _listen_to_exceptions() -> None:
    before = sys.excepthook

    def remember(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        _uncaught.append(error)
        before(kind, error, trace)

    sys.excepthook = remember


def _listen_to_sigterm() -> None:
    """SIGTERM ends Python without its exit handlers; as an exit it does not. Somebody else's handler stays."""
    is_ours = threading.current_thread() is threading.main_thread()
    if is_ours and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, frame: FrameType | None) -> None:
    # sys.excepthook does not hear of SystemExit.
    _uncaught.append(SystemExit(EXIT_TERMINATED))
    sys.exit(EXIT_TERMINATED)
