"""Owns looking at a model: means over a set of examples, what it predicts there, and that looking changes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice

import torch
from torch import nn

from .distributed import Peers
from .evaluating import evaluating
from .precision import Precision
from .task import Batch, EvalBatches, Task


@dataclass(frozen=True)
class Evaluation:
    # `loss`, `accuracy`, … over all examples of the set.
    means: dict[str, float]
    # Share of each class among the answers, in the order of the classes; empty where there are none.
    predicted: list[float]


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
        for number, (batch, counts_here) in enumerate(_own(batches, peers)):
            watched = first_batch if number == 0 and first_batch is not None else nullcontext()
            with watched, precision.autocast():
                found = task.eval_sums(model, batch)
            if not counts_here:
                continue
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


def _own(batches: Iterable[Batch], peers: Peers) -> Iterator[tuple[Batch, bool]]:
    """This process's batches, each with whether it counts: one that only keeps step with the others does not."""
    waiting = iter(batches)
    while together := list(islice(waiting, peers.size)):
        if peers.rank < len(together):
            yield together[peers.rank], True
        elif peers.is_sharded:
            yield together[0], False


def normalized_entropy(shares: list[float]) -> float:
    """1 where all classes are answered equally often, 0 where only one is."""
    # From zero down: the negative of a sum that is zero would be a negative zero.
    entropy = 0.0 - sum(share * math.log(share) for share in shares if share > 0)
    return entropy / math.log(len(shares))
