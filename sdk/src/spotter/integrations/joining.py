"""Owns how a callback finds its run: the one that the script has begun, else one of its own, which it also ends."""

from __future__ import annotations

from typing import Any

import spotter
from spotter.script_run import Run


class Joined:
    """`options` are those of `spotter.init()`; they count only where the script has begun no run."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._own: Run | None = None

    def begin(self, **known: Any) -> None:
        """`known` is what the library can tell; the script's own words go before it."""
        if spotter.run is None or spotter.run.is_finished:
            self._own = spotter.init(**{**known, **self._options})

    def tell_config(self, config: dict[str, Any]) -> None:
        """What the library knows only later. A run that the script has begun has the script's config."""
        if self._own is not None and config:
            self._own.update_config(config)

    def end(self, state: str = "finished") -> None:
        if self._own is not None:
            self._own.finish(state)
            self._own = None
