"""Owns what becomes of a `set`: checked, put in force between two steps, read back, kept for a run that goes on later.

All processes of a run do the same at the same step; the first one keeps the journal and speaks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .course import Course
from .distributed import Peers
from .keeping import Trained
from .live_change import ChangeJournal, LiveChange
from .live_values import assert_in_force, batch_to_go_on_with, changed_config, put_in_force
from .progress import Progress
from .recipe_configs import LoopConfig


@dataclass(frozen=True)
class Prepared:
    """What a change would make of the run; nothing has happened yet."""

    config: LoopConfig
    course: Course
    batch: int
    counted_from: tuple[int, int, int]


class Steering:
    """`course` is the one in force."""

    def __init__(
        self, trained: Trained, peers: Peers, run_dir: Path, reverted: Collection[int]
    ) -> None:
        self._trained, self._peers = trained, peers
        self._journal = ChangeJournal(run_dir)
        self._changes = peers.from_first(self._journal.read(reverted) if peers.is_first else [])
        # Made in an earlier attempt, and not yet again in this one.
        self._waiting = list(self._changes)
        self.course = self._plan(trained.task.config, Progress())

    def _plan(self, config: LoopConfig, progress: Progress) -> Course:
        num_batches = self._trained.task.train_batches.num_batches
        return Course(config, num_batches, self._peers.size, progress.counted_from)

    def prepare(self, values: Mapping[str, Any], progress: Progress) -> Prepared:
        """A ValueError says why these values cannot be, and what can."""
        task = self._trained.task
        config = changed_config(task.config, values, task.model)
        same = [name for name in values if getattr(config, name) == getattr(task.config, name)]
        if len(same) == len(values):
            told = ", ".join(f"{name} is {getattr(config, name)} already" for name in same)
            raise ValueError(f"nothing would change: {told}")
        batches, batch, counted_from = task.train_batches, progress.batch, progress.counted_from
        if config.batch_size != task.config.batch_size:
            batches = batches.resized(config.batch_size)
            batch = batch_to_go_on_with(
                batch, task.config.batch_size, config.batch_size, batches.num_batches
            )
            counted_from = (progress.step, progress.epoch, batch)
        course = Course(config, batches.num_batches, self._peers.size, counted_from)
        if course.total_steps <= progress.step:
            raise ValueError(
                f"the run would be over: {progress.step} steps are made, and under these values it has "
                f"{course.total_steps}"
            )
        return Prepared(config, course, batch, counted_from)

    def carry_out(
        self,
        command_id: int,
        values: Mapping[str, Any],
        prepared: Prepared,
        progress: Progress,
        checkpoint: str,
    ) -> LiveChange:
        """The checkpoint of this step is written; from the next step on the values are the new ones."""
        old = self._trained.task.config
        change = LiveChange(
            command_id,
            progress.step,
            before={name: getattr(old, name) for name in values},
            after={name: getattr(prepared.config, name) for name in values},
            checkpoint=checkpoint,
            rate_before=_next_rate(self.course, progress),
            rate_after=_next_rate(prepared.course, progress),
        )
        self._put_in_force(prepared.config)
        progress.batch, progress.counted_from = prepared.batch, prepared.counted_from
        progress.changes = [*progress.changes, change.to_json()]
        self.course = prepared.course
        if change.id not in [known.id for known in self._changes]:
            self._changes.append(change)
            if self._peers.is_first:
                self._journal.write(self._changes)
        return change

    def restore(self, progress: Progress) -> list[LiveChange]:
        """The values of the checkpoint that was loaded; returns the changes that it knows of."""
        task, known = self._trained.task, [LiveChange(**one) for one in progress.changes]
        config = task.config
        for change in known:
            config = changed_config(config, change.after, task.model)
        self._put_in_force(config)
        self.course = self._plan(config, progress)
        ids = [change.id for change in known]
        self._waiting = [change for change in self._waiting if change.id not in ids]
        return known

    def due(self, step: int) -> list[LiveChange]:
        """What an earlier attempt was told after this step, or before it, and this one has not done yet."""
        if not self._waiting:
            return []
        due = [change for change in self._waiting if change.step <= step]
        self._waiting = self._waiting[len(due) :]
        return due

    def _put_in_force(self, config: LoopConfig) -> None:
        task, optimizer = self._trained.task, self._trained.optimizer
        put_in_force(config, task, optimizer)
        assert_in_force(config, task, optimizer)


def _next_rate(course: Course, progress: Progress) -> float:
    return course.schedule.learning_rate(progress.step + 1, progress.drops)
