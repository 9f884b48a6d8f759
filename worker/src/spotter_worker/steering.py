"""Owns what becomes of a `set` and a `revert`: checked, done between two steps, read back, told, kept for a run that goes
on later.

All processes of a run do the same at the same step; the first one keeps the journal and speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checkpoint import find_damage
from .commands import Command
from .course import Course
from .disk_room import FULL
from .distributed import Peers
from .keeping import Keeper, Trained
from .live_change import ChangeJournal, LiveChange
from .live_values import assert_in_force, batch_to_go_on_with, changed_config, put_in_force
from .progress import Progress
from .recipe_configs import LoopConfig
from .report import Reporter

Save = Callable[[], None]


class GoesOnLaterError(Exception):
    """A change is reverted, or a more urgent run needs the room: leave, and another attempt goes on from a checkpoint."""


@dataclass(frozen=True)
class Prepared:
    """What a change would make of the run; nothing has happened yet."""

    config: LoopConfig
    course: Course
    batch: int
    counted_from: tuple[int, int, int]


class Steering:
    """`course` is the one in force. `reverted`: changes, by their commands, that are not to be made again."""

    def __init__(
        self,
        trained: Trained,
        keeper: Keeper,
        reporter: Reporter,
        peers: Peers,
        run_dir: Path,
        reverted: Collection[int],
    ) -> None:
        self._trained, self._keeper, self._reporter = trained, keeper, reporter
        self._peers, self._run_dir, self._reverted = peers, run_dir, reverted
        self._journal = ChangeJournal(run_dir)
        self._changes = peers.from_first(self._journal.read(reverted) if peers.is_first else [])
        # Made in an earlier attempt, and not yet again in this one.
        self._waiting = list(self._changes)
        self.course = self._plan(trained.task.config, Progress())

    # -- commands ----------------------------------------------------------------------------------

    def set(self, command: Command, progress: Progress, save: Save) -> None:
        try:
            prepared = self._prepare(command.values, progress)
        except ValueError as problem:
            self._reporter.command_refused(command.id, progress.step, str(problem))
            return
        full = self._save_first(save)
        if full is not None:
            self._reporter.command_refused(command.id, progress.step, full)
            return
        change = self._carry_out(command.id, command.values, prepared, progress)
        self._reporter.changed(change, is_again=False)
        self._reporter.change_done(change)

    def go_back(self, command: Command, step: int) -> None:
        """Leaves the run, unless it would not find there what it needs."""
        assert command.checkpoint is not None
        problem = None
        if self._peers.is_first:
            try:
                problem = find_damage(self._run_dir / command.checkpoint)
            except ValueError as error:
                problem = str(error)
        problem = self._peers.from_first(problem)
        if problem is not None:
            why = f"{command.checkpoint} cannot be gone back to: {problem}"
            self._reporter.command_refused(command.id, step, why)
            return
        self._reporter.going_back(command.id, step, command.checkpoint)
        raise GoesOnLaterError

    def give_way(self, command: Command, step: int, save: Save) -> None:
        """Leaves the run for a more urgent one, once its whole state is on disk."""
        full = self._save_first(save)
        if full is not None:
            self._reporter.command_refused(command.id, step, full)
            return
        self._reporter.gives_way(command.id, step, self._keeper.path_of(step))
        raise GoesOnLaterError

    # -- a run that goes on ------------------------------------------------------------------------

    def restore(self, progress: Progress) -> None:
        """Puts the values of the loaded checkpoint in force, and forgets what reverted changes have led to."""
        if self._reverted:
            self._keeper.forget_after(progress.step)
        task, known = self._trained.task, [LiveChange(**one) for one in progress.changes]
        config = task.config
        for change in known:
            config = changed_config(config, change.after, task.model)
        self._put_in_force(config)
        self.course = self._plan(config, progress)
        ids = [change.id for change in known]
        self._waiting = [change for change in self._waiting if change.id not in ids]
        for change in known:
            self._tell_again(change)

    def begin_fork(self, progress: Progress) -> Course:
        """The parent's changes are in the fork's own config, as far as the fork keeps them; none is made again."""
        progress.changes = []
        self.course = self._plan(self._trained.task.config, progress)
        return self.course

    def repeat(self, progress: Progress, save: Save) -> None:
        """What an earlier attempt was told after this step, and the checkpoint that was loaded does not know."""
        if not self._waiting:
            return
        due = [change for change in self._waiting if change.step <= progress.step]
        self._waiting = self._waiting[len(due) :]
        for change in due:
            save()
            prepared = self._prepare(change.after, progress)
            self._tell_again(self._carry_out(change.id, change.after, prepared, progress))

    def _tell_again(self, change: LiveChange) -> None:
        self._reporter.changed(change, is_again=True)
        # The first telling may have been lost with the process.
        self._reporter.change_done(change)

    # -- one change --------------------------------------------------------------------------------

    def _plan(self, config: LoopConfig, progress: Progress) -> Course:
        num_batches = self._trained.task.train_batches.num_batches
        return Course(
            *(config, num_batches, self._peers.size),
            *(progress.counted_from, progress.schedule_start),
        )

    def _prepare(self, values: Mapping[str, Any], progress: Progress) -> Prepared:
        """A ValueError says why these values cannot be, and what can."""
        task = self._trained.task
        config = changed_config(task.config, values, task.model)
        if config == task.config:
            told = ", ".join(f"{name} is {getattr(config, name)} already" for name in values)
            raise ValueError(f"nothing would change: {told}")
        batches, batch, counted_from = task.train_batches, progress.batch, progress.counted_from
        if config.batch_size != task.config.batch_size:
            batches = batches.resized(config.batch_size)
            batch = batch_to_go_on_with(
                batch, task.config.batch_size, config.batch_size, batches.num_batches
            )
            counted_from = (progress.step, progress.epoch, batch)
        course = Course(
            *(config, batches.num_batches, self._peers.size),
            *(counted_from, progress.schedule_start),
        )
        if course.total_steps <= progress.step:
            raise ValueError(
                f"the run would be over: {progress.step} steps are made, and under these values it has "
                f"{course.total_steps}"
            )
        return Prepared(config, course, batch, counted_from)

    def _save_first(self, save: Save) -> str | None:
        """Returns why there is no checkpoint, where the disk has no room for it."""
        try:
            save()
        except OSError as error:
            # With several processes the others are waiting already: then it ends the run, as any checkpoint would.
            if error.errno not in FULL or self._peers.size > 1:
                raise
            return f"no checkpoint could be written first: {error.strerror}"
        return None

    def _carry_out(
        self, command_id: int, values: Mapping[str, Any], prepared: Prepared, progress: Progress
    ) -> LiveChange:
        """The checkpoint of this step is written; from the next step on the values are the new ones."""
        old = self._trained.task.config
        change = LiveChange(
            command_id,
            progress.step,
            before={name: getattr(old, name) for name in values},
            after={name: getattr(prepared.config, name) for name in values},
            checkpoint=self._keeper.path_of(progress.step),
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

    def _put_in_force(self, config: LoopConfig) -> None:
        task, optimizer = self._trained.task, self._trained.optimizer
        put_in_force(config, task, optimizer)
        assert_in_force(config, task, optimizer)


def _next_rate(course: Course, progress: Progress) -> float:
    return course.learning_rate(progress.step + 1, progress.drops)
