"""Owns the learning rate as a pure function of the step: it has no state to lose.

What `plateau` has seen so far is counted by the run's progress and given from outside, as a number of drops.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .recipe_configs import LoopConfig

# One-cycle as PyTorch's OneCycleLR has it: begins at a 25th of the peak, rises over 30 % of the steps, ends four
# orders of magnitude below where it began.
CYCLE_START_SHARE, CYCLE_END_SHARE, CYCLE_RISE_SHARE = 1 / 25, 1e-4 / 25, 0.3


@dataclass(frozen=True)
class Schedule:
    kind: str
    peak: float
    total_steps: int
    warmup_steps: int
    # For `step`: steps between two drops; for `step` and `plateau`: the factor of each.
    drop_every_steps: int
    drop_factor: float
    # Where the falling ones end.
    floor: float = 0.0
    # For `warmup-stable-decay`: the last steps, over which it falls.
    decay_steps: int = 0

    def learning_rate(self, step: int, num_drops: int = 0) -> float:
        """For the update that makes step number `step`, from 1; `num_drops` is what a plateau has cost so far."""
        if self.kind == "one-cycle":
            return self._one_cycle(step)
        if step <= self.warmup_steps:
            return self.peak * step / self.warmup_steps
        match self.kind:
            case "cosine":
                fallen = 0.5 * (1 + math.cos(math.pi * self._progress(step)))
                return self.floor + (self.peak - self.floor) * fallen
            case "linear":
                return self.floor + (self.peak - self.floor) * (1 - self._progress(step))
            case "step":
                return self.peak * self.drop_factor ** ((step - 1) // self.drop_every_steps)
            case "plateau":
                return max(self.floor, self.peak * self.drop_factor**num_drops)
            case "warmup-stable-decay":
                return self._stable_then_decay(step)
        return self.peak

    def _progress(self, step: int) -> float:
        """Share of the way from the warm-up's end to the last step."""
        span = max(1, self.total_steps - self.warmup_steps)
        return min(1.0, (step - 1 - self.warmup_steps) / span)

    def _stable_then_decay(self, step: int) -> float:
        into_decay = step - (self.total_steps - self.decay_steps)
        if into_decay <= 0:
            return self.peak
        # 1 - sqrt falls steeply at first; it did best of the shapes that Hägele et al. compared (arXiv 2405.18392).
        left = 1 - math.sqrt(min(1.0, into_decay / self.decay_steps))
        return self.floor + (self.peak - self.floor) * left

    def _one_cycle(self, step: int) -> float:
        # Its rise is its own warm-up; the warm-up fields do not count here.
        rise = max(1, round(CYCLE_RISE_SHARE * self.total_steps))
        if step <= rise:
            start = self.peak * CYCLE_START_SHARE
            risen = 0.5 * (1 - math.cos(math.pi * (step - 1) / max(1, rise - 1)))
            return start + (self.peak - start) * risen
        end = max(self.floor, self.peak * CYCLE_END_SHARE)
        progress = min(1.0, (step - rise) / max(1, self.total_steps - rise))
        return end + (self.peak - end) * 0.5 * (1 + math.cos(math.pi * progress))


def build_schedule(config: LoopConfig, steps_per_epoch: int, total_steps: int) -> Schedule:
    warmup_steps = round(config.warmup_epochs * steps_per_epoch)
    if config.warmup_steps is not None:
        warmup_steps = config.warmup_steps
    return Schedule(
        kind=config.schedule,
        peak=config.learning_rate,
        total_steps=total_steps,
        warmup_steps=warmup_steps,
        drop_every_steps=config.step_every_epochs * steps_per_epoch,
        drop_factor=config.step_factor,
        floor=config.learning_rate * config.min_learning_rate_share,
        decay_steps=max(1, round(config.decay_share * total_steps)),
    )
