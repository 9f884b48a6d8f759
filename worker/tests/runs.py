"""Runs the loop in this process, with a tracker that keeps what it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from conftest import TINY

from spotter.wire.api import ServerClient
from spotter_worker.commands import Command, CommandPoll
from spotter_worker.distributed import Peers
from spotter_worker.loop import Loop, RunEnd
from spotter_worker.recipe_configs import CONFIGS
from spotter_worker.recipes import recipe_module
from spotter_worker.report import Reporter
from spotter_worker.starting import start_from
from spotter_worker.task import Task


class KeepingTracker:
    def __init__(self) -> None:
        self.points: list[tuple[str, int, float]] = []
        self.events: list[dict[str, Any]] = []
        # Called after every step's points, with the step.
        self.after_step: Callable[[int], None] = lambda _step: None

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        self.points += [(name, step, value) for name, value in metrics.items()]
        if "train/loss" in metrics:
            self.after_step(step)

    def event(self, event: dict[str, Any]) -> None:
        json.dumps(event, allow_nan=False)
        self.events.append(event)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def series(self, name: str) -> list[tuple[int, float]]:
        return [(step, value) for found, step, value in self.points if found == name]

    def numbers(self) -> list[tuple[str, int, float]]:
        """What training decides: all but times."""
        exact = ("train/loss", "train/accuracy", "train/learning_rate", "val/", "test/")
        return [point for point in self.points if point[0].startswith(exact)]


class Run:
    """One attempt of a training in this process."""

    def __init__(
        self,
        run_dir: Path,
        config: dict[str, Any] | None = None,
        resume_from: str | None = None,
        probes_enabled: bool = True,
        places: Mapping[str, Path] | None = None,
        recipe: str = "vision",
        peers: Peers | None = None,
        reverted: Collection[int] = (),
    ) -> None:
        self.run_dir = run_dir
        self.tracker = KeepingTracker()
        self._told: dict[int, list[Command]] = {}
        # Never started: commands are put in by the test.
        self.commands = CommandPoll(ServerClient(run_dir, ""), 1, 1)
        given = {**(TINY if recipe == "vision" else {}), **(config or {})}
        self.task: Task = recipe_module(recipe).build_task(
            CONFIGS[recipe].parse(given), places or {}
        )
        start_from(self.task, places or {})
        reporter = Reporter(self.tracker, run_dir)
        if peers is not None:
            # As a job does: equal weights, but noise of one's own.
            torch.manual_seed(self.task.config.seed + peers.rank)
        self.loop = Loop(
            self.task, reporter, self.commands, run_dir, probes_enabled, peers, reverted
        )
        self.resumed = self.loop.resume(run_dir / resume_from) if resume_from else None

    def command_at(self, step: int, *actions: str) -> Run:
        return self.tell_at(step, *(Command(n, one) for n, one in enumerate(actions, start=1)))

    def tell_at(self, step: int, *commands: Command) -> Run:
        self._told[step] = [*self._told.get(step, []), *commands]

        def give(now: int) -> None:
            for command in self._told.get(now, []):
                self.commands.put(command)

        self.tracker.after_step = give
        return self

    def set_at(self, step: int, command_id: int = 1, **values: Any) -> Run:
        return self.tell_at(step, Command(command_id, "set", values))

    def go(self) -> RunEnd:
        return self.loop.run()

    def weights(self) -> bytes:
        return (self.run_dir / "weights/model.safetensors").read_bytes()
