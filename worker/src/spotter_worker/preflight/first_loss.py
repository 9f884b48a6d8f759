"""Owns the comparison of the first loss with what a model that knows nothing should have (diagnosis F10)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch

from spotter.wire.columns import encode_value

from ..task import Task
from .budget import Budget
from .findings import OK, PROBLEM, WARNING, Finding, number
from .trial import Trial, endless_batches

LOWEST, HIGHEST, FAR_TOO_HIGH = 0.5, 1.5, 5.0
NUM_BATCHES = 4


@dataclass(frozen=True)
class FirstLoss:
    measured: float
    expected: float | None
    formula: str | None
    is_pretrained: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "measured": encode_value(self.measured),
            "expected": self.expected,
            "formula": self.formula,
            "is_pretrained": self.is_pretrained,
        }

    def finding(self) -> Finding:
        measured, expected = self.measured, self.expected
        if not math.isfinite(measured):
            return Finding(
                "initial-loss-not-finite",
                PROBLEM,
                f"The first loss is {measured}: the inputs or the model's first weights hold numbers out of range.",
                f"初始损失为 {measured}：输入或初始权重中有超出范围的数值。",
                "precision",
            )
        if expected is None:
            return Finding(
                "initial-loss",
                OK,
                f"First loss {number(measured)}.",
                f"初始损失 {number(measured)}。",
            )
        ratio = measured / expected
        told = f"First loss {number(measured)}; a model that knows nothing has {self.formula} = {number(expected)}"
        told_zh = (
            f"初始损失 {number(measured)}；一无所知的模型应为 {self.formula} = {number(expected)}"
        )
        if ratio > HIGHEST:
            return Finding(
                "initial-loss-high",
                PROBLEM if ratio > FAR_TOO_HIGH else WARNING,
                f"{told}: {number(ratio)} times too high. Inputs that are not normalised or labels that do not fit the "
                "outputs look like this.",
                f"{told_zh}：高出 {number(ratio)} 倍。常见原因是输入未归一化，或标签与输出不对应。",
                "data",
            )
        if ratio < LOWEST and not self.is_pretrained:
            return Finding(
                "initial-loss-low",
                WARNING,
                f"{told}: too low for an untrained model. The answer may be inside the input.",
                f"{told_zh}：对未训练的模型而言过低，答案可能泄漏在输入中。",
                "data",
            )
        ending = "; it has learnt before." if self.is_pretrained else ": as it should be."
        ending_zh = "；模型已学习过。" if self.is_pretrained else "：正常。"
        return Finding("initial-loss-expected", OK, f"{told}{ending}", f"{told_zh}{ending_zh}")


def measure_first_loss(task: Task, budget: Budget, is_pretrained: bool) -> FirstLoss:
    """The mean over a few training batches, in training mode, as the loop's first steps would tell it."""
    trial = Trial(task)
    losses: list[float] = []
    with torch.no_grad():
        for batch in islice(endless_batches(task), NUM_BATCHES):
            losses.append(float(trial.loss(batch)))
            if budget.is_spent:
                break
    expected = task.expected_initial_loss()
    value, formula = expected if expected is not None else (None, None)
    return FirstLoss(sum(losses) / len(losses), value, formula, is_pretrained)
