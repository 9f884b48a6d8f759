"""Owns looking at a model: means over a set of examples, what it predicts there, and that looking changes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from .distributed import Peers
from .precision import Precision
from .task import EvalBatches, Task


@dataclass(frozen=True)
class Evaluation:
    # `loss`, `accuracy`, … over all examples of the set.
    means: dict[str, float]
    # Share of each class among the answers, in the order of the classes; empty where there are none.
    predicted: list[float]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """In evaluation mode; afterwards each module is in the mode it was in: a frozen one stays frozen."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def evaluate(
    task: Task,
    model: nn.Module,
    batches: EvalBatches,
    precision: Precision,
    peers: Peers,
    first_batch: AbstractContextManager[None] | None = None,
) -> Evaluation:
    """Every process takes its part of the batches. `first_batch` is entered around the first."""
    sums: dict[str, float] = {}
    counts: dict[str, float] = {}
    predicted: dict[str, float] = {}
    with evaluating(model), torch.inference_mode():
        for number, batch in enumerate(batches):
            if number % peers.size != peers.rank:
                continue
            watched = first_batch if number == 0 and first_batch is not None else nullcontext()
            with watched, precision.autocast():
                found = task.eval_sums(model, batch)
            for name, value in found.sums.items():
                # In double: a million small losses in float32 would lose digits.
                sums[name] = sums.get(name, 0.0) + float(value.double())
                counts[name] = counts.get(name, 0.0) + found.counts.get(name, found.count)
            if found.predicted is not None:
                for label, num in enumerate(found.predicted.tolist()):
                    predicted[str(label)] = predicted.get(str(label), 0.0) + num
    sums, counts, predicted = peers.sum(sums), peers.sum(counts), peers.sum(predicted)
    means = {name: value / max(1.0, counts[name]) for name, value in sums.items()}
    means |= task.more_metrics(means)
    answers = max(1.0, sum(predicted.values()))
    shares = [num / answers for num in predicted.values()]
    if len(shares) > 1:
        means["prediction_entropy"] = normalized_entropy(shares)
    return Evaluation(means, shares)


def normalized_entropy(shares: list[float]) -> float:
    """1 where all classes are answered equally often, 0 where only one is."""
    entropy = -sum(share * math.log(share) for share in shares if share > 0)
    return entropy / math.log(len(shares))
