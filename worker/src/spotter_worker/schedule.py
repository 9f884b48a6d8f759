"""Owns the learning rate as a pure function of the step: it has no state to lose."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .recipe_configs import LoopConfig


@dataclass(frozen=True)
class Schedule:
    kind: str
    peak: float
    total_steps: int
    warmup_steps: int
    # For `step`: steps between two drops, and the factor of each.
    drop_every_steps: int
    drop_factor: float

    def learning_rate(self, step: int) -> float:
        """For the update that makes step number `step`, from 1."""
        if step <= self.warmup_steps:
            return self.peak * step / self.warmup_steps
        match self.kind:
            case "cosine":
                span = max(1, self.total_steps - self.warmup_steps)
                progress = min(1.0, (step - 1 - self.warmup_steps) / span)
                return self.peak * 0.5 * (1 + math.cos(math.pi * progress))
            case "step":
                return self.peak * self.drop_factor ** ((step - 1) // self.drop_every_steps)
        return self.peak


def build_schedule(config: LoopConfig, steps_per_epoch: int, total_steps: int) -> Schedule:
    return Schedule(
        kind=config.schedule,
        peak=config.learning_rate,
        total_steps=total_steps,
        warmup_steps=round(config.warmup_epochs * steps_per_epoch),
        drop_every_steps=config.step_every_epochs * steps_per_epoch,
        drop_factor=config.step_factor,
    )
