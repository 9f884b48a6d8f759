"""Owns what each job kind does; loads torch, so that a wrong spec is told before that takes its
seconds.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from .commands import CommandPoll
from .loop import AbandonedError, Loop
from .predict import predict
from .recipe_configs import CONFIGS
from .recipes import recipe_module
from .report import Reporter
from .sysmon import SystemMonitor
from .task import Places, Task
from .tracker import Tracker


def run_job(spec: dict[str, Any], run_dir: Path, tracker: Tracker, commands: CommandPoll) -> str:
    """Returns the state that the job ended in."""
    torch.set_num_threads(spec["num_threads"])
    places = {name: Path(place) for name, place in spec["places"].items()}
    if spec["kind"] == "predict":
        wanted = spec["predict"]
        result = predict(Path(wanted["weights"]), wanted["inputs"], places)
        tracker.event({"type": "job-result", "result": result})
        tracker.event({"type": "run-ended", "state": "finished", "metrics": {}, "error": None})
        return "finished"
    return _train(spec, run_dir, places, tracker, commands)


def _train(
    spec: dict[str, Any],
    run_dir: Path,
    places: Places,
    tracker: Tracker,
    commands: CommandPoll,
) -> str:
    recipe = recipe_module(spec["recipe"])
    config = CONFIGS[spec["recipe"]].parse(spec["config"])
    started = time.perf_counter()
    reporter = Reporter(tracker, run_dir)
    if spec["resume_from"] is None:
        reporter.preparing()
    task: Task = recipe.build_task(config, places)
    loop = Loop(task, reporter, commands, run_dir)
    resumed_from = None
    if spec["resume_from"] is not None:
        loaded = loop.resume(run_dir / spec["resume_from"])
        resumed_from = loaded.step if loaded else None
        if loaded is None:
            print("WARNING no sound checkpoint was found; the run begins anew", flush=True)
    reporter.started(task, loop.total_steps, resumed_from)
    print(f"prepared in {time.perf_counter() - started:.1f} s", flush=True)
    commands.start()
    monitor = SystemMonitor(tracker, lambda: loop.progress.step, use_gpu=task.device.type == "cuda")
    monitor.start()
    try:
        end = loop.run()
    except AbandonedError:
        return "abandoned"
    finally:
        monitor.stop()
        for command in commands.stop():
            reporter.command_refused(command.id, loop.progress.step, "the run has ended")
    reporter.ended(end.state, end.metrics)
    return end.state
