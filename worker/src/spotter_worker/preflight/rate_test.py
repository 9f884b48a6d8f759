"""Owns the learning-rate range test (Smith 2015, arXiv 1506.01186): a sweep upwards on a copy, and what follows from it.

The suggested rate is where the loss falls fastest, and at most a tenth of where it runs away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spotter.wire.columns import encode_value

from ..task import Task
from .budget import Budget
from .findings import OK, PROBLEM, WARNING, Finding, rate
from .trial import Trial, endless_batches

LOWEST_RATE = 1e-6
# Plain gradient steps need larger rates than those that are scaled by their own size.
HIGHEST_RATES = {"sgd": 10.0}
HIGHEST_RATE = 1.0
MAX_STEPS, MIN_STEPS = 100, 24
# So far above the best value the sweep has seen enough.
HOPELESS = 4.0
# A fall of less than this share of the first loss says nothing.
MIN_FALL = 0.1
TOO_HIGH, TOO_LOW = 10.0, 1 / 30


@dataclass(frozen=True)
class RateTest:
    rates: list[float]
    losses: list[float]
    is_cut_short: bool
    # The sweep was ended because the loss had run away.
    has_run_away: bool

    @property
    def smoothed(self) -> list[float]:
        """Means of neighbours on both sides: an average of the past would shift the curve to higher rates."""
        reach = max(1, len(self.losses) // 20)
        out = []
        for place in range(len(self.losses)):
            near = self.losses[max(0, place - reach) : place + reach + 1]
            finite = [loss for loss in near if math.isfinite(loss)]
            out.append(sum(finite) / len(finite) if finite else math.inf)
        return out

    @property
    def _best(self) -> int | None:
        """Place of the lowest smoothed loss, where it has fallen at all."""
        smoothed = self.smoothed
        if len(smoothed) < MIN_STEPS // 2:
            return None
        best = min(range(len(smoothed)), key=lambda place: smoothed[place])
        fall = smoothed[0] - smoothed[best]
        return best if fall > MIN_FALL * abs(smoothed[0]) else None

    @property
    def diverged_at(self) -> float | None:
        """The rate at which half of what was won is lost again."""
        smoothed, best = self.smoothed, self._best
        start = best if best is not None else 0
        bound = (
            (smoothed[0] + smoothed[best]) / 2 if best is not None else smoothed[0] * HIGHEST_LOST
        )
        for place in range(start, len(smoothed)):
            if not math.isfinite(self.losses[place]) or smoothed[place] > bound:
                return self.rates[place]
        return self.rates[-1] if self.has_run_away else None

    @property
    def steepest(self) -> float | None:
        smoothed, best = self.smoothed, self._best
        if best is None or best < 2:
            return None
        # Rates are evenly spaced on the logarithm, so that differences compare.
        place = min(range(1, best), key=lambda one: smoothed[one + 1] - smoothed[one - 1])
        return self.rates[place]

    @property
    def suggested(self) -> float | None:
        steepest, diverged = self.steepest, self.diverged_at
        if steepest is None:
            return None
        chosen = steepest if diverged is None else min(steepest, diverged / 10)
        return float(f"{chosen:.1e}")

    def to_json(self) -> dict[str, Any]:
        return {
            "learning_rates": self.rates,
            "loss": [encode_value(loss) for loss in self.losses],
            "smoothed": [encode_value(loss) for loss in self.smoothed],
            "suggested": self.suggested,
            "steepest": self.steepest,
            "diverged_at": self.diverged_at,
            "is_cut_short": self.is_cut_short,
        }

    def finding(self, configured: float) -> Finding:
        suggested, diverged = self.suggested, self.diverged_at
        if diverged is not None and configured >= diverged:
            return Finding(
                "learning-rate-diverges",
                PROBLEM,
                f"Learning rate {rate(configured)}: in the test the loss ran away from {rate(diverged)} on. "
                f"Take {rate(suggested if suggested else diverged / 10)}.",
                f"学习率 {rate(configured)}：测试中损失自 {rate(diverged)} 起发散。"
                f"建议 {rate(suggested if suggested else diverged / 10)}。",
                "learning_rate",
            )
        if suggested is None:
            why = "the test was cut short" if self.is_cut_short else "the loss did not fall clearly"
            why_zh = "测试时间不足" if self.is_cut_short else "损失没有明显下降"
            return Finding(
                "learning-rate-unknown",
                OK if self.is_cut_short else WARNING,
                f"No learning rate can be suggested: {why} in {len(self.rates)} steps.",
                f"无法建议学习率：{len(self.rates)} 步内{why_zh}。",
                "learning_rate",
            )
        ratio = configured / suggested
        if TOO_LOW <= ratio <= TOO_HIGH:
            return Finding(
                "learning-rate-fits",
                OK,
                f"Learning rate {rate(configured)} suits; the loss falls fastest at {rate(suggested)}.",
                f"学习率 {rate(configured)} 合适；损失在 {rate(suggested)} 处下降最快。",
            )
        is_high = ratio > TOO_HIGH
        return Finding(
            "learning-rate-high" if is_high else "learning-rate-low",
            WARNING,
            f"Learning rate {rate(configured)} is {'high' if is_high else 'low'}: the loss falls fastest at "
            f"{rate(suggested)}.",
            f"学习率 {rate(configured)} 偏{'高' if is_high else '低'}：损失在 {rate(suggested)} 处下降最快。",
            "learning_rate",
        )


# Without any fall: so many times the first loss is a loss that ran away.
HIGHEST_LOST = 2.0


def sweep_rates(task: Task, budget: Budget, step_s: float) -> RateTest:
    wanted = max(MIN_STEPS, min(MAX_STEPS, int(budget.left / max(step_s, 1e-4))))
    highest = HIGHEST_RATES.get(task.config.optimizer, HIGHEST_RATE)
    growth = (highest / LOWEST_RATE) ** (1 / (wanted - 1))
    trial, batches = Trial(task), endless_batches(task)
    rates: list[float] = []
    losses: list[float] = []
    lowest = math.inf
    for number in range(wanted):
        learning_rate = LOWEST_RATE * growth**number
        trial.set_learning_rate(learning_rate)
        loss = trial.step(next(batches))
        rates.append(learning_rate)
        losses.append(loss)
        lowest = min(lowest, loss)
        if not math.isfinite(loss) or (number > MIN_STEPS // 2 and loss > HOPELESS * lowest):
            return RateTest(rates, losses, False, True)
        if budget.is_spent:
            break
    return RateTest(rates, losses, len(rates) < wanted, False)
