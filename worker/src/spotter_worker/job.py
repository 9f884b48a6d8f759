"""Owns what each job kind does; loads torch, so that a wrong spec is told before that takes its
seconds.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from .commands import CommandPoll
from .compiling import set_determinism
from .distributed import Peers
from .forking import read_fork
from .loop import AbandonedError, Loop, RunEnd
from .predict import predict
from .preflight.preflight import preflight
from .recipe_configs import CONFIGS, LoopConfig
from .recipes import recipe_module
from .report import Reporter
from .requirement_sets import PATIENCE, InstallationStoppedError
from .settings import Settings, read_settings
from .starting import start_from
from .steering import GoesOnLaterError
from .sysmon import SystemMonitor
from .task import Places, Task
from .tracker import Tracks


def run_job(
    spec: dict[str, Any], run_dir: Path, tracker: Tracks, commands: CommandPoll, cache: Path
) -> str:
    """Returns the state that the job ended in. `cache`: a folder for what can be made again, such as files of tokens."""
    settings = read_settings()
    torch.set_num_threads(max(1, spec["num_threads"] // settings.num_local_processes))
    places = {name: Path(place) for name, place in spec["places"].items()} | {"cache": cache}
    if spec["kind"] == "predict":
        wanted = spec["predict"]
        result = predict(Path(wanted["weights"]), wanted["inputs"], places)
        tracker.event({"type": "job-result", "result": result})
        tracker.event({"type": "run-ended", "state": "finished", "metrics": {}, "error": None})
        return "finished"
    if spec["kind"] == "preflight":
        wish = spec["preflight"]
        budget_s, trials = float(wish["budget_s"]), bool(wish.get("trials", True))
        preflight(spec["recipe"], spec["config"], places, budget_s, tracker, trials=trials)
        tracker.event({"type": "run-ended", "state": "finished", "metrics": {}, "error": None})
        return "finished"
    return _train(spec, run_dir, places, tracker, commands, join_peers(settings, spec))


def join_peers(settings: Settings, spec: dict[str, Any]) -> Peers:
    """The processes that train this model together, if torchrun has started several."""
    if settings.num_processes == 1:
        return Peers()
    use_gpu = torch.cuda.is_available()
    if use_gpu:
        # "cuda" means this process's own from here on.
        torch.cuda.set_device(settings.local_rank)
    config = CONFIGS[spec["recipe"]].parse(spec["config"])
    assert isinstance(config, LoopConfig)
    minutes = config.peer_timeout_minutes
    return Peers.join(settings.rank, settings.num_processes, use_gpu, minutes)


def _train(
    spec: dict[str, Any],
    run_dir: Path,
    places: Places,
    tracker: Tracks,
    commands: CommandPoll,
    peers: Peers,
) -> str:
    reporter = Reporter(tracker, run_dir)
    if peers.is_first:
        # Preparing may take minutes, in which somebody may change their mind.
        commands.start()
        PATIENCE.is_end_asked = lambda: commands.is_end_asked
    try:
        return _prepare_and_train(spec, run_dir, places, tracker, commands, peers, reporter)
    except InstallationStoppedError as stopped:
        print(stopped, flush=True)
        return _end_unprepared(reporter, commands)


def _end_unprepared(reporter: Reporter, commands: CommandPoll) -> str:
    left = commands.stop()
    if any(command.action == "abandon" for command in left):
        return "abandoned"
    for command in left:
        if command.action == "stop":
            reporter.command_done(command.id, 0)
        else:
            reporter.command_refused(command.id, 0, "the run was stopped before it began")
    reporter.ended("stopped", {})
    return "stopped"


def _prepare_and_train(
    spec: dict[str, Any],
    run_dir: Path,
    places: Places,
    tracker: Tracks,
    commands: CommandPoll,
    peers: Peers,
    reporter: Reporter,
) -> str:
    recipe = recipe_module(spec["recipe"])
    config = CONFIGS[spec["recipe"]].parse(spec["config"])
    assert isinstance(config, LoopConfig)
    started = time.perf_counter()
    fork = read_fork(spec.get("fork"), places)
    if spec["resume_from"] is None:
        reporter.preparing(0 if fork is None else fork.step)
    set_determinism(config)
    task: Task = recipe.build_task(config, places)
    # Where a run goes on too: without a sound checkpoint it begins anew, and then from here.
    start_from(task, places)
    if peers.size > 1:
        task.derived["processes"] = (
            f"{peers.size} ({config.strategy}): a step takes {peers.size} batches at once"
        )
        # Equal weights, but noise of one's own.
        torch.manual_seed(config.seed + peers.rank)
    # Servers of before 2026-11 know of no changes.
    reverted = spec.get("reverted_changes", [])
    # On a CPU there is nothing to give back: its memory is where the copies would go.
    release_s = read_settings().pause_release_s if task.device.type != "cpu" else 0.0
    loop = Loop(
        *(task, reporter, commands, run_dir),
        peers=peers,
        reverted=reverted,
        pause_release_s=release_s or None,
    )
    resumed_from = None
    if spec["resume_from"] is not None:
        loaded = loop.resume(run_dir / spec["resume_from"])
        resumed_from = loaded.step if loaded else None
        if loaded is None:
            print("WARNING no sound checkpoint was found; the run begins anew", flush=True)
    if resumed_from is None and fork is not None:
        loop.fork(fork)
        resumed_from = fork.step
    reporter.started(task, loop.total_steps, loop.total_epochs, resumed_from, loop.progress)
    print(f"prepared in {time.perf_counter() - started:.1f} s", flush=True)
    if not peers.is_first:
        try:
            return loop.run().state
        except AbandonedError:
            return "abandoned"
        except GoesOnLaterError:
            return "stopped"
    monitor = SystemMonitor(tracker, lambda: loop.progress.step, use_gpu=task.device.type == "cuda")
    monitor.start()
    try:
        end = loop.run()
    except AbandonedError:
        return "abandoned"
    except GoesOnLaterError:
        # Nothing is tested or kept: what comes after this attempt does that.
        end = RunEnd("stopped", goes_on=True)
    finally:
        monitor.stop()
        for command in commands.stop():
            reporter.command_refused(command.id, loop.progress.step, "the run has ended")
    reporter.ended(end.state, end.metrics, goes_on=end.goes_on)
    return end.state
