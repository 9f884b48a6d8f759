"""Owns the test whether a copy of the model can learn one batch by heart: what cannot, has a mistake in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spotter.wire.columns import encode_value

from ..task import Batch, Task
from .budget import Budget, least_steps
from .findings import OK, PROBLEM, WARNING, Finding, number
from .trial import Trial

MAX_STEPS, MIN_STEPS = 120, 10
REACHED, LEARNING, STUCK = 0.1, 0.6, 0.95


@dataclass(frozen=True)
class Overfit:
    learning_rate: float
    losses: list[float]
    is_cut_short: bool

    @property
    def fell_to(self) -> float:
        """The last few losses as a share of the first."""
        last = self.losses[-3:]
        return sum(last) / len(last) / self.losses[0] if self.losses[0] else 0.0

    @property
    def reached(self) -> bool:
        return self.fell_to <= REACHED

    def to_json(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "steps": list(range(len(self.losses))),
            "loss": [encode_value(loss) for loss in self.losses],
            "reached": self.reached,
            "is_cut_short": self.is_cut_short,
        }

    def finding(self) -> Finding:
        steps, first, last = len(self.losses) - 1, number(self.losses[0]), number(self.losses[-1])
        told = f"On one batch the loss went from {first} to {last} in {steps} steps"
        told_zh = f"在单个批次上，损失在 {steps} 步内从 {first} 变为 {last}"
        if not math.isfinite(self.losses[-1]):
            return Finding(
                "overfit-diverged",
                PROBLEM,
                f"{told}: it is no number any more. The learning rate is too high, or a value is out of range.",
                f"{told_zh}：已不是有效数值。学习率过高，或有数值超出范围。",
                "learning_rate",
            )
        if self.fell_to <= LEARNING:
            end, end_zh = (
                ("it learns it by heart", "能够记住该批")
                if self.reached
                else ("it learns", "正在学习")
            )
            code = "overfit-reached" if self.reached else "overfit-learning"
            return Finding(code, OK, f"{told}: {end}.", f"{told_zh}：{end_zh}。")
        if self.is_cut_short:
            return Finding(
                "overfit-cut-short",
                OK,
                f"{told}; there was no time to see more.",
                f"{told_zh}；限时内无法看到更多。",
            )
        is_stuck = self.fell_to > STUCK
        return Finding(
            "overfit-stuck" if is_stuck else "overfit-slow",
            PROBLEM if is_stuck else WARNING,
            f"{told}: it {'does not learn' if is_stuck else 'learns slowly'} even that. Look at the labels and at the "
            "learning rate.",
            f"{told_zh}：连单个批次都{'学不会' if is_stuck else '学得很慢'}。请检查标签与学习率。",
            "learning_rate",
        )


def overfit_one_batch(
    task: Task, batch: Batch, learning_rate: float, budget: Budget, step_s: float
) -> Overfit:
    wanted = max(MIN_STEPS, min(MAX_STEPS, int(budget.left / max(step_s, 1e-4))))
    trial = Trial(task, learning_rate, plain=True)
    losses: list[float] = []
    fewest = max(2, least_steps(MIN_STEPS, step_s))
    for _ in range(wanted):
        losses.append(trial.step(batch))
        if not math.isfinite(losses[-1]) or losses[-1] < REACHED / 5 * losses[0]:
            return Overfit(learning_rate, losses, False)
        if budget.is_spent and len(losses) >= fewest:
            break
    return Overfit(learning_rate, losses, len(losses) < MAX_STEPS)
