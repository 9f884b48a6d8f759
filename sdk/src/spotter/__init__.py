"""The package of own training scripts: metrics, files and checkpoints to a Spotter server. Standard library only.

    import spotter

    spotter.init(name="first try", config={"lr": 3e-4})
    for step in range(1000):
        spotter.log({"train/loss": loss}, step=step)

Inside a `command` run nothing else is needed. Elsewhere SPOTTER_URL and SPOTTER_TOKEN (or `url=` and `token=`) name the
server; without one everything is kept in a folder, and `python -m spotter sync <folder>` hands it over later.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import lifetime
from .files import last_step_of
from .script_run import FINISH_S, Run
from .settings import read_settings
from .values import Warnings, to_config
from .ways import SilentWay, Way, choose_way, resumed_checkpoint

__all__ = [
    "Run",
    "checkpoint",
    "config",
    "finish",
    "init",
    "log",
    "log_artifact",
    "resumed_from",
    "run",
    "should_checkpoint",
    "should_stop",
]

# The run that `init()` has begun; what the functions below speak for.
run: Run | None = None
config: dict[str, Any] = {}
_warnings = Warnings()
_goes_on = False


def init(
    name: str | None = None,
    project: str | int | None = None,
    config: Any = None,
    *,
    url: str | None = None,
    token: str | None = None,
    dir: str | os.PathLike[str] | None = None,
    tags: list[str] | None = None,
    note: str = "",
    total_steps: int | None = None,
    total_epochs: int | None = None,
) -> Run:
    """Begins a run, and makes it the one that `spotter.log()` and the others speak for.

    Returns at once: where a server is named it is asked in the background, and while it does not answer, `dir`
    (default `spotter-runs`, or SPOTTER_DIR) keeps everything. An earlier run that is still open ends first.
    """
    global run
    if run is not None:
        run.finish()
    way = _choose_way(name, project, config, url, token, dir, tags, note)
    run = Run(way, _safe_config(config), total_steps, total_epochs, _warnings)
    _count_on()
    globals()["config"] = run.config
    lifetime.watch(run)
    return run


def log(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """Numbers under their names, at a step; without one, the step after the last. Never blocks, never raises."""
    if _has_run("log"):
        assert run is not None
        run.log(metrics, step)


def log_artifact(
    path: str | os.PathLike[str], name: str | None = None, kind: str = "other"
) -> None:
    """Keeps a copy of a file or folder with the run; kind is checkpoint, weights, config, report or other."""
    if _has_run("log_artifact"):
        assert run is not None
        run.log_artifact(path, name, kind)


def checkpoint(path: str | os.PathLike[str], step: int, keep_last: int = 3) -> None:
    """Tells that a file or folder holds the state of `step`; a resumed command run finds it by `resumed_from()`."""
    if _has_run("checkpoint"):
        assert run is not None
        run.checkpoint(path, step, keep_last)


def should_stop() -> bool:
    """Whether somebody has asked this run to stop; a loop that asks may save first and end by itself."""
    return run is not None and run.should_stop()


def should_checkpoint() -> bool:
    """Whether somebody has asked for a checkpoint that `checkpoint()` has not answered yet."""
    return run is not None and run.should_checkpoint()


def resumed_from() -> Path | None:
    """In a resumed command run, the checkpoint that it goes on from; None at the beginning, and elsewhere."""
    global _goes_on
    checkpoint = resumed_checkpoint(read_settings())
    _goes_on = checkpoint is not None
    _count_on()
    return checkpoint


def finish(state: str = "finished", timeout_s: float = FINISH_S) -> None:
    """Ends the run; without it the end of the script does."""
    if run is not None:
        run.finish(state, timeout_s=timeout_s)


def _count_on() -> None:
    """A script that has never asked for its checkpoint begins anew, and so do its steps."""
    folder = read_settings().resume_from
    last_step = last_step_of(folder) if _goes_on and folder is not None else None
    if run is not None and last_step is not None:
        run.count_from(last_step)


def _choose_way(
    name: str | None,
    project: str | int | None,
    config: Any,
    url: str | None,
    token: str | None,
    dir: str | os.PathLike[str] | None,
    tags: list[str] | None,
    note: str,
) -> Way:
    wish: dict[str, object] = {
        "name": name,
        "project": project,
        "config": _safe_config(config),
        "tags": [str(tag) for tag in tags or []],
        "note": str(note),
        "url": url,
        "token": token,
    }
    try:
        return choose_way(read_settings(), None if dir is None else Path(dir), wish)
    # A folder that cannot be written, an address that is none: the training goes on without its chart.
    except Exception as error:  # noqa: BLE001
        _warnings.say(f"init(): {type(error).__name__}: {error}; nothing of this run is kept")
        return SilentWay()


def _safe_config(config: Any) -> dict[str, Any]:
    try:
        return to_config(config)
    except Exception as error:  # noqa: BLE001
        _warnings.say(f"config is left out: {type(error).__name__}: {error}")
        return {}


def _has_run(what: str) -> bool:
    if run is None:
        _warnings.say(f"{what}() before init() does nothing")
    return run is not None
