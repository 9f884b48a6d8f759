"""Trains one recipe in this process, without a server: what the benches of trainings share."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "worker/src"), str(ROOT / "sdk/src")]


def train(
    recipe: str, config: dict[str, Any], places: Mapping[str, Path], keep: Path | None = None
) -> tuple[dict[str, float], float]:
    """The final metrics and the seconds of the whole run, without loading Python's libraries.

    `keep`: a folder for the run's weights and checkpoints; without it they are thrown away.
    """
    from spotter.wire.api import ServerClient
    from spotter_worker.commands import CommandPoll
    from spotter_worker.loop import Loop
    from spotter_worker.recipe_configs import CONFIGS
    from spotter_worker.recipes import recipe_module
    from spotter_worker.report import Reporter
    from spotter_worker.starting import start_from
    from spotter_worker.tracker import NullTracker

    module, parsed = recipe_module(recipe), CONFIGS[recipe].parse(config)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        run_dir = keep or Path(folder)
        task = module.build_task(parsed, places)
        start_from(task, places)
        # Never started: nobody sends commands to a bench.
        commands = CommandPoll(ServerClient(run_dir, ""), 1, 1)
        loop = Loop(task, Reporter(NullTracker(), run_dir), commands, run_dir)
        metrics = loop.run().metrics
    return metrics, time.perf_counter() - started
