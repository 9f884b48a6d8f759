"""Owns the time that a pre-flight may take: a share for each check, and a bound on what cannot be asked to hurry."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXTRA_S = 5.0


class Budget:
    """Counts from when it is made."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    def share(self, part: float) -> Budget:
        """So much of what is left."""
        return Budget(self.left * part)

    @property
    def is_spent(self) -> bool:
        return self.left <= 0.0


def least_steps(num: int, step_s: float) -> int:
    """So many steps are taken although the time is over, where they are quick: fewer would say nothing."""
    return num if num * step_s <= EXTRA_S else 1


@contextmanager
def at_most(seconds: float, what: str) -> Iterator[None]:
    """A ValueError inside once the time is over. For the main thread, where signals arrive."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise ValueError(f"{what} took longer than {seconds:.0f} s and was given up")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
