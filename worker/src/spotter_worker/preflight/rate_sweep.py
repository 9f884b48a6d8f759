"""Owns the learning-rate range test (Smith 2015, arXiv 1506.01186): a sweep upwards on a copy, and what follows from it.

The suggested rate lies midway (on the logarithm) between where the loss falls fastest and a tenth of where it runs away:
the first alone is timid where the loss falls for decades, the second alone is risky.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spotter.wire.columns import encode_value

from ..task import Task
from .budget import Budget, least_steps
from .findings import OK, PROBLEM, WARNING, Finding, rate
from .trial import Trial, endless_batches

LOWEST_RATE = 1e-6
# Plain gradient steps need larger rates than those that are scaled by their own size.
HIGHEST_RATES = {"sgd": 10.0}
HIGHEST_RATE = 1.0
# With few steps the sweep begins later, where something happens.
MAX_STEPS, MIN_STEPS, FEW_STEPS, LOWEST_OF_FEW = 100, 12, 40, 1e-5
# So far above the first loss the sweep has seen enough.
HOPELESS = 1.5
# A fall of less than this share of the first loss says nothing.
MIN_FALL = 0.1
# A rate this near to where the loss ran away is risky; one this far below the suggested wastes steps.
NEAR_DIVERGENCE, TOO_LOW = 1 / 3, 1 / 30


@dataclass(frozen=True)
class RateSweep:
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
        bound = (smoothed[0] + smoothed[best]) / 2 if best is not None else smoothed[0] * HOPELESS
        for place in range(start, len(smoothed)):
            if not math.isfinite(self.losses[place]) or smoothed[place] > bound:
                return self.rates[place]
        return self.rates[-1] if self.has_run_away else None

    @property
    def steepest(self) -> float | None:
        smoothed, best = self.smoothed, self._best
        # A sweep that ended while the loss still fell says nothing about where it falls fastest.
        if best is None or best < 2 or (self.is_cut_short and best == len(smoothed) - 1):
            return None
        # Rates are evenly spaced on the logarithm, so that differences compare.
        place = min(range(1, best), key=lambda one: smoothed[one + 1] - smoothed[one - 1])
        return self.rates[place]

    @property
    def suggested(self) -> float | None:
        steepest, diverged, best = self.steepest, self.diverged_at, self._best
        if steepest is None or best is None:
            return None
        bound = self.rates[best] if diverged is None else diverged / 10
        chosen = min(math.sqrt(steepest * bound), self.rates[best])
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
                f"No learning rate can be suggested: {why} (steps: {len(self.rates)}).",
                f"无法建议学习率：{why_zh}（共 {len(self.rates)} 步）。",
                "learning_rate",
            )
        is_high = diverged is not None and configured > NEAR_DIVERGENCE * diverged
        if not is_high and configured >= TOO_LOW * suggested:
            return Finding(
                "learning-rate-fits",
                OK,
                f"Learning rate {rate(configured)} can work; the test suggests {rate(suggested)}.",
                f"学习率 {rate(configured)} 可行；测试建议 {rate(suggested)}。",
            )
        runs_away = f"; the loss runs away at {rate(diverged)}" if diverged is not None else ""
        runs_away_zh = f"；损失在 {rate(diverged)} 处发散" if diverged is not None else ""
        return Finding(
            "learning-rate-high" if is_high else "learning-rate-low",
            WARNING,
            f"Learning rate {rate(configured)} is {'high' if is_high else 'low'}: the test suggests "
            f"{rate(suggested)}{runs_away}.",
            f"学习率 {rate(configured)} 偏{'高' if is_high else '低'}：测试建议 {rate(suggested)}"
            f"{runs_away_zh}。",
            "learning_rate",
        )


def sweep_rates(task: Task, budget: Budget, step_s: float) -> RateSweep:
    wanted = max(MIN_STEPS, min(MAX_STEPS, int(budget.left / max(step_s, 1e-4))))
    highest = HIGHEST_RATES.get(task.config.optimizer, HIGHEST_RATE)
    lowest = LOWEST_RATE if wanted >= FEW_STEPS else LOWEST_OF_FEW
    growth = (highest / lowest) ** (1 / (wanted - 1))
    fewest = least_steps(MIN_STEPS, step_s)
    trial, batches = Trial(task), endless_batches(task)
    rates: list[float] = []
    losses: list[float] = []
    for number in range(wanted):
        learning_rate = lowest * growth**number
        trial.set_learning_rate(learning_rate)
        loss = trial.step(next(batches))
        rates.append(learning_rate)
        losses.append(loss)
        if not math.isfinite(loss) or (number > MIN_STEPS // 2 and loss > HOPELESS * losses[0]):
            return RateSweep(rates, losses, False, True)
        if budget.is_spent and len(rates) >= fewest:
            break
    return RateSweep(rates, losses, len(rates) < wanted, False)
