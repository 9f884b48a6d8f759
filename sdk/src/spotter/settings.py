"""Owns the environment: the only file of the package that reads it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Each has an argument of `init()` or a command run's worker behind it."""

    # Address of the server, and an API token of the account.
    url: str | None
    token: str | None
    # Where runs are kept while the server does not have them.
    folder: Path
    # Set by the worker that started this program: where to hand events in, its run's folder and number, and the
    # checkpoint to go on from.
    relay: Path | None
    run_folder: Path | None
    run_id: int | None
    resume_from: Path | None
    # Of several processes that train one model only the first tells.
    rank: int


def read_settings() -> Settings:
    def path(name: str) -> Path | None:
        text = os.environ.get(name)
        return Path(text) if text else None

    run_id = os.environ.get("SPOTTER_RUN", "")
    rank = os.environ.get("RANK", "")
    return Settings(
        url=os.environ.get("SPOTTER_URL") or None,
        token=os.environ.get("SPOTTER_TOKEN") or None,
        folder=path("SPOTTER_DIR") or Path("spotter-runs"),
        relay=path("SPOTTER_RELAY"),
        run_folder=path("SPOTTER_RUN_FOLDER"),
        run_id=int(run_id) if run_id.isdecimal() else None,
        resume_from=path("SPOTTER_RESUME_FROM"),
        rank=int(rank) if rank.isdecimal() else 0,
    )
