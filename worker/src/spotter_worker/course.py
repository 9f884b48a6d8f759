"""Owns the course of a training under one config: how many steps it has, and the learning rate of each."""

from __future__ import annotations

import math

from .recipe_configs import LoopConfig
from .schedule import Schedule, build_schedule


class Course:
    """`num_batches`: of an epoch; `counted_from`: the step, epoch and batch at which batches of this size began;
    `schedule_start`: the step behind which the schedule began.
    """

    def __init__(
        self,
        config: LoopConfig,
        num_batches: int,
        num_processes: int,
        counted_from: tuple[int, int, int],
        schedule_start: int = 0,
    ) -> None:
        step, epoch, batch = counted_from
        batches_a_step = config.accumulate_steps * num_processes
        self.steps_per_epoch = math.ceil(num_batches / batches_a_step)
        rest_of_epoch = math.ceil((num_batches - batch) / batches_a_step)
        steps = step + rest_of_epoch + (config.epochs - epoch - 1) * self.steps_per_epoch
        self.total_steps = min(steps, config.max_steps or steps)
        # As if the epoch had begun in such batches.
        begun = self.steps_per_epoch - rest_of_epoch
        self.total_epochs = epoch + math.ceil(
            (self.total_steps - step + begun) / self.steps_per_epoch
        )
        self._schedule_start = schedule_start
        self.schedule: Schedule = build_schedule(
            config, self.steps_per_epoch, self.total_steps - schedule_start
        )

    def learning_rate(self, step: int, num_drops: int) -> float:
        """For the update that makes step number `step` of the run."""
        return self.schedule.learning_rate(step - self._schedule_start, num_drops)
