"""Owns trying a task out: steps on a copy of its model, so that nothing of the task itself changes."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Iterator

import torch
from torch import nn

from ..evaluating import evaluating
from ..optimizers import build_optimizer
from ..precision import Precision
from ..task import Batch, EvalSums, Task


class Trial:
    """A copy of the model with an optimiser of its own.

    `plain`: without dropout and label smoothing, where the question is what the model can learn at all.
    """

    def __init__(
        self, task: Task, learning_rate: float | None = None, *, plain: bool = False
    ) -> None:
        changes: dict[str, float] = {}
        if learning_rate is not None:
            changes["learning_rate"] = learning_rate
        if plain:
            changes["label_smoothing"] = 0.0
        self.task = copy.copy(task)
        self.task.config = dataclasses.replace(task.config, **changes)  # type: ignore[arg-type]
        self.model = copy.deepcopy(task.model)
        self.task.model = self.model
        self.model.train()
        if plain:
            _without_dropout(self.model)
        self.optimizer = build_optimizer(self.task.config, self.model)
        self._precision = Precision(self.task.config.precision, task.device)

    def loss(self, batch: Batch) -> torch.Tensor:
        """In training mode."""
        with self._precision.autocast():
            return self.task.train_scores(self.model, batch).loss

    def step(self, batch: Batch) -> float:
        """One update as the loop makes it. @returns the loss before it"""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(batch)
        self._precision.backward(loss, 1.0)
        self._precision.unscale(self.optimizer)
        clip = self.task.config.gradient_clip
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), clip)
        self._precision.step(self.optimizer)
        return float(loss.detach())

    def evaluate(self, batch: Batch) -> EvalSums:
        with evaluating(self.model), torch.inference_mode(), self._precision.autocast():
            return self.task.eval_sums(self.model, batch)

    def set_learning_rate(self, learning_rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate

    def timed_step(self, batches: Iterator[Batch]) -> float:
        """Seconds for a batch and its update."""
        started = time.perf_counter()
        self.step(next(batches))
        if self.task.device.type == "cuda":
            torch.cuda.synchronize(self.task.device)
        return time.perf_counter() - started


def endless_batches(task: Task) -> Iterator[Batch]:
    """The training's own batches, epoch after epoch."""
    epoch = 0
    while True:
        yield from task.train_batches.epoch(epoch)
        epoch += 1


def _without_dropout(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
        elif isinstance(getattr(module, "dropout", None), float):
            # Recurrent and attention layers hold theirs as a number.
            module.dropout = 0.0  # type: ignore[assignment]
