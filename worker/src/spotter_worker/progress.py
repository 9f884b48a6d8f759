"""Owns where a run stands: what a checkpoint must know beside the tensors, and which of two standings is better."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .recipe_config import Primary
from .recipe_configs import LoopConfig

# Best of one moment: `{metric, value, loss, step, epoch}`.
Standing = dict[str, Any]
LOWER_IS_BETTER = ("loss", "perplexity", "error")


@dataclass
class Progress:
    step: int = 0
    # Finished epochs, and finished batches of the present one (of all processes together).
    epoch: int = 0
    batch: int = 0
    # Sums since the last evaluation: `loss`, `accuracy`, …, and how many examples (or tokens) they are over.
    sums: dict[str, float] = field(default_factory=dict)
    num_seen: int = 0
    # Of the last evaluation, and its step.
    metrics: dict[str, float] = field(default_factory=dict)
    evaluated_step: int = 0
    # Best so far, and the best few among those with a checkpoint, the best first.
    best: Standing | None = None
    # Everything that the best evaluation measured, and training's means up to it: what the kept weights are worth.
    # Checkpoints of before 2026-11-22 hold no means of training here, and those of before that nothing.
    best_metrics: dict[str, float] = field(default_factory=dict)
    best_checkpoints: list[Standing] = field(default_factory=list)
    # Evaluations since the best one; the same since the last drop of a `plateau`, and how many drops there were.
    evaluations_without_gain: int = 0
    evaluations_since_drop: int = 0
    drops: int = 0
    # What people have changed so far, each `LiveChange` as JSON: a checkpoint of after a change knows of it.
    changes: list[dict[str, Any]] = field(default_factory=list)
    # Where the present batch size began: step, epoch and batch. The steps that are left are counted from there.
    counted_from: tuple[int, int, int] = (0, 0, 0)
    # The step behind which the schedule began: a fork may begin it anew.
    schedule_start: int = 0


def metrics_of_weights(progress: Progress) -> dict[str, float]:
    """What is known of the weights that are kept: of their own evaluation, and of the training up to it."""
    best = progress.best
    if best is None or best["step"] == progress.evaluated_step:
        return dict(progress.metrics)
    # A checkpoint of an earlier version knows no more of its best than this; the last evaluation's are other weights'.
    return {**progress.best_metrics, best["metric"]: best["value"], "val/loss": best["loss"]}


class Ranking:
    """Which standing is better, by the metric that the config or the recipe names."""

    def __init__(self, config: LoopConfig, measured_sets: Collection[str]) -> None:
        self.primary = chosen_metric(config)
        if self.primary.metric.partition("/")[0] not in measured_sets:
            sets = ", ".join(sorted(measured_sets))
            raise ValueError(
                f"best_metric is {self.primary.metric!r}; it must be a metric of one of these: {sets}"
            )

    def stand(self, metrics: dict[str, float], step: int, epoch: int) -> Standing:
        name = self.primary.metric
        if name not in metrics:
            known = ", ".join(sorted(metrics))
            raise ValueError(
                f"best_metric is {name!r}, which this run does not measure; it has: {known}"
            )
        loss = metrics.get("val/loss", math.nan)
        return {"metric": name, "value": metrics[name], "loss": loss, "step": step, "epoch": epoch}

    def is_better(self, one: Standing, other: Standing | None) -> bool:
        return other is None or self._order(one) > self._order(other)

    def best_few(self, standings: list[Standing], num: int) -> list[Standing]:
        # Of equals the earlier stays in front: `sorted` is stable.
        return sorted(standings, key=self._order, reverse=True)[:num]

    def _order(self, standing: Standing) -> tuple[float, float]:
        # Small validation sets tie often; the surer of two equals is better. What is no number is worst.
        sign = 1 if self.primary.higher_is_better else -1
        keys = (sign * standing["value"], -standing["loss"])
        value, loss = (-math.inf if math.isnan(key) else key for key in keys)
        return value, loss


def chosen_metric(config: LoopConfig) -> Primary:
    if config.best_metric is None or config.best_metric == config.PRIMARY.metric:
        return config.PRIMARY
    lower = any(word in config.best_metric.lower() for word in LOWER_IS_BETTER)
    return Primary(config.best_metric, not lower)
