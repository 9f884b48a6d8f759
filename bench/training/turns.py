"""Trains one config in two ways in turns, in one process: by our loop, watched as in a real run, and by a bare loop.

The machine's drift falls on both alike. The bare loop takes two blocks a turn, whose difference is noise alone (A/A).
"""

from __future__ import annotations

import contextlib
import io
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WARMUP_TURNS, MIN_TURNS = 2, 6


@dataclass
class Turns:
    """Seconds a step of each block, and seconds a step inside tracker and probes: by the clock, and of the processor."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    bare_again: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    inside_cpu: list[float] = field(default_factory=list)
    ours_cpu: list[float] = field(default_factory=list)
    bare_cpu: list[float] = field(default_factory=list)

    def settled(self) -> Turns:
        return Turns(*(values[WARMUP_TURNS:] for values in vars(self).values()))

    def step_s(self) -> float:
        return statistics.median([*self.bare, *self.bare_again])

    def slower(self) -> float:
        """Our step time over the bare one's, less one: the median over turns."""
        both = [(one + other) / 2 for one, other in zip(self.bare, self.bare_again, strict=True)]
        return (
            statistics.median(ours / bare for ours, bare in zip(self.ours, both, strict=True)) - 1
        )

    def slower_cpu(self) -> float:
        """The same of processor time, which other programs' load touches less."""
        both = zip(self.ours_cpu, self.bare_cpu, strict=True)
        return statistics.median(ours / bare for ours, bare in both) - 1

    def noise(self) -> float:
        pairs = zip(self.bare, self.bare_again, strict=True)
        return statistics.median(one / other for one, other in pairs) - 1


class Watched:
    """Stands between our loop and its tracker and probes; after each block of ours the bare loop has its turn."""

    def __init__(
        self,
        tracker: Any,
        bare: Iterator[None],
        block: int,
        seconds: float,
        stop: Callable[[], None],
    ) -> None:
        self._tracker, self._bare, self._block, self._stop = tracker, bare, block, stop
        self.turns = Turns()
        self._inside_s = self._inside_cpu_s = 0.0
        self._num_steps = 0
        self._ends_at = time.monotonic() + seconds
        self._started, self._cpu_started = time.perf_counter(), time.thread_time()

    def timed(self, call: Callable[..., Any], *arguments: Any) -> Any:
        started, cpu_started = time.perf_counter(), time.thread_time()
        answer = call(*arguments)
        self._inside_s += time.perf_counter() - started
        self._inside_cpu_s += time.thread_time() - cpu_started
        return answer

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        self.timed(self._tracker.log, metrics, step)
        if "train/loss" not in metrics:
            return
        self._num_steps += 1
        if self._num_steps % self._block == 0:
            self._end_block()

    def event(self, event: dict[str, Any]) -> None:
        self.timed(self._tracker.event, event)

    def _end_block(self) -> None:
        turns = self.turns
        turns.ours.append((time.perf_counter() - self._started) / self._block)
        turns.ours_cpu.append((time.thread_time() - self._cpu_started) / self._block)
        turns.inside.append(self._inside_s / self._block)
        turns.inside_cpu.append(self._inside_cpu_s / self._block)
        cpu_started = time.thread_time()
        for times in (turns.bare, turns.bare_again):
            started = time.perf_counter()
            for _ in range(self._block):
                next(self._bare)
            times.append((time.perf_counter() - started) / self._block)
        turns.bare_cpu.append((time.thread_time() - cpu_started) / self._block / 2)
        if time.monotonic() > self._ends_at and len(turns.ours) >= MIN_TURNS:
            self._stop()
        self._inside_s = self._inside_cpu_s = 0.0
        self._started, self._cpu_started = time.perf_counter(), time.thread_time()


class TimedProbes:
    """Every method of the probes, with its time added to what the watching costs."""

    def __init__(self, probes: Any, watched: Watched) -> None:
        self._probes, self._watched = probes, watched

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._probes, name)
        if name == "watching_units":
            return method
        return lambda *given, **named: self._watched.timed(lambda: method(*given, **named))


def bare_steps(task: Any) -> Iterator[None]:
    """The training loop as a person writes it: one step each time it is asked."""
    import torch

    from spotter_worker.optimizers import build_optimizer

    config, model = task.config, task.model
    optimizer = build_optimizer(config, model)
    batches_of = task.train_batches
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, config.epochs * batches_of.num_batches
    )
    model.train()
    for epoch in range(config.epochs):
        for batch in batches_of.epoch(epoch):
            optimizer.zero_grad(set_to_none=True)
            loss = task.train_scores(model, batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip)
            optimizer.step()
            schedule.step()
            loss.item()
            yield


def take_turns(
    recipe: str,
    config: dict[str, Any],
    places: Mapping[str, Path],
    tracker: Any,
    run_dir: Path,
    block: int,
    seconds: float,
) -> Turns:
    from spotter.wire.api import ServerClient
    from spotter_worker.commands import Command, CommandPoll
    from spotter_worker.loop import Loop
    from spotter_worker.recipe_configs import CONFIGS
    from spotter_worker.recipes import recipe_module
    from spotter_worker.report import Reporter

    # No evaluations and no checkpoints: they are not part of a step.
    endless = {"epochs": 10_000, "max_steps": None, "eval_every_steps": 10**9}
    endless |= {"checkpoint_every_epochs": 10_000, "checkpoint_every_steps": None}
    parsed = CONFIGS[recipe].parse({**config, **endless})
    module = recipe_module(recipe)
    commands = CommandPoll(ServerClient(run_dir, ""), 1, 1)
    with contextlib.redirect_stdout(io.StringIO()):
        bare = bare_steps(module.build_task(parsed, places))
        task = module.build_task(parsed, places)
        stop = Command(0, "stop")
        watched = Watched(tracker, bare, block, seconds, lambda: commands.put(stop))
        loop = Loop(task, Reporter(watched, run_dir), commands, run_dir)
        loop._probes = TimedProbes(loop._probes, watched)  # type: ignore[assignment]
        # Its weights are of no use to anyone.
        loop._keeper.export = lambda *_: {}  # type: ignore[method-assign]
        loop.run()
    return watched.turns.settled()
