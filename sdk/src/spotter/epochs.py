"""Owns which epoch a script is in, of what it logs under the name `epoch`."""

from __future__ import annotations

import math


class EpochCount:
    """Scripts count epochs from 0 or from 1, or say how many are done, as a fraction; whoever watches sees one from 1."""

    def __init__(self) -> None:
        # 0: none has been told. A script need not have epochs.
        self.number = 0
        self._from_zero: bool | None = None

    def take(self, told: float) -> None:
        if not math.isfinite(told) or abs(told) >= 2**31:
            return
        whole = math.floor(told)
        if told != whole:
            # A share of epochs: 0.3 lies in the first one, and so does its end, 1.
            self._from_zero = False
            self.number = whole + 1
            return
        if self._from_zero is None:
            self._from_zero = whole == 0
        self.number = whole + (1 if self._from_zero else 0)
