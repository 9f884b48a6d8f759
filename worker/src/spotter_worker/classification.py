"""Owns what all recipes that sort into classes share: the loss and its weights, right answers, and the answer that a
prediction gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from .asked import Asked
from .task import EvalSums

NUM_TOP = 5


def class_weights(kind: str, labels: torch.Tensor, num_classes: int) -> torch.Tensor | None:
    """Weights by class whose mean over `labels` (the training part's) is 1; None where all count the same."""
    if kind == "off":
        return None
    counts = torch.bincount(labels, minlength=num_classes).double()
    # A class that the training part lacks never asks for its weight.
    return (len(labels) / (num_classes * counts.clamp(min=1))).float()


def class_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    smoothing: float,
    weights: torch.Tensor | None,
) -> torch.Tensor:
    """The mean over the batch. Weights multiply each example's loss and the mean stays one over examples: so a step over
    several batches, or on several machines, adds up to the same.
    """
    if weights is None:
        return functional.cross_entropy(logits, labels, label_smoothing=smoothing)
    losses = functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
    return (losses * weights.to(losses.device)[labels]).mean()


def num_right(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (logits.detach().argmax(1) == labels).sum()


def class_sums(logits: torch.Tensor, labels: torch.Tensor, num_classes: int) -> EvalSums:
    """One batch of an evaluation: loss, right answers and how often each class was answered."""
    loss = functional.cross_entropy(logits, labels, reduction="sum")
    predicted = torch.bincount(logits.argmax(1), minlength=num_classes)
    sums = {"loss": loss, "accuracy": num_right(logits, labels)}
    return EvalSums(len(labels), sums, predicted=predicted)


def class_answer(
    logits: torch.Tensor,
    classes: Sequence[str],
    truth: str | None,
    asked: Asked,
) -> dict[str, Any]:
    """The contract's Prediction without `input`, from one example's logits (classes,)."""
    confidence, order = functional.softmax(logits, 0).sort(descending=True)
    top = [
        {"label": classes[number], "confidence": float(share)}
        for number, share in zip(order[:NUM_TOP].tolist(), confidence[:NUM_TOP], strict=True)
    ]
    return {
        "label": top[0]["label"],
        "confidence": top[0]["confidence"],
        "top": top,
        "truth": truth,
        "text": None,
        **asked.to_json(),
    }
