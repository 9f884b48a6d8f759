"""Owns what every recipe that sorts into classes is to the loop: one network's logits against labels, with whatever the
run learns from besides.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .classification import class_loss, class_sums, num_right
from .learning.continual import Continual
from .learning.teacher import Teacher
from .recipe_configs import ClassifierConfig
from .task import Batch, EvalBatches, EvalSums, Measure, Scores, Task, TaskState


class ClassifierTask(Task):
    config: ClassifierConfig
    # Everything that decides the network's shapes: a data class with `width` among its fields.
    architecture: Any
    # Of classes in the loss; None where all count the same.
    weights: torch.Tensor | None
    teacher: Teacher | None = None
    continual: Continual | None = None

    @abstractmethod
    def logits(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        """(N, number of classes); with an outer dimension more where `model` is several students."""

    @abstractmethod
    def labels(self, batch: Batch) -> torch.Tensor:
        """(N,)"""

    @abstractmethod
    def network(self, architecture: Any) -> nn.Module:
        """A new network, on the device."""

    @abstractmethod
    def takes_input_of(self, card: dict[str, Any], folder: Path) -> bool:
        """Whether a model of this recipe was trained on inputs that were prepared as this run's are."""

    def loss(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Of one network's logits against the labels."""
        return class_loss(logits, self.labels(batch), self.config.label_smoothing, self.weights)

    def objective(
        self, logits: torch.Tensor, batch: Batch
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """What one network learns from a batch: the loss, and those of its parts that are worth a series."""
        loss = self.loss(logits, batch)
        if self.teacher is None:
            return loss, {}
        distance = self.teacher.distance(self.logits(self.teacher, batch), logits)
        return loss + self.config.distill_weight * distance, {"distillation": distance.detach()}

    def train_scores(self, model: nn.Module, batch: Batch) -> Scores:
        logits, labels = self.logits(model, batch), self.labels(batch)
        loss, parts = self.objective(logits, batch)
        if self.continual is not None and self.continual.elastic is not None:
            penalty = self.continual.elastic.penalty(self.model)
            loss, parts = loss + penalty, {**parts, "ewc_penalty": penalty.detach()}
        sums = {name: value * len(labels) for name, value in parts.items()}
        return Scores(loss, len(labels), {"accuracy": num_right(logits, labels), **sums})

    def eval_sums(self, model: nn.Module, batch: Batch) -> EvalSums:
        return class_sums(self.logits(model, batch), self.labels(batch), len(self.classes))

    def count(self, batch: Batch) -> int:
        return len(self.labels(batch))

    # -- learning on -------------------------------------------------------------------------------

    def extra_evaluations(self) -> dict[str, EvalBatches]:
        return {} if self.continual is None else {"val_old": self.continual.old_validation}

    def joint_metrics(self, found: dict[str, float]) -> dict[str, float]:
        if "val_old/accuracy" not in found:
            return {}
        both = (found["val/accuracy"] + found["val_old/accuracy"]) / 2
        return {"val/accuracy_both": both}

    def begin(self, measure: Measure) -> dict[str, float]:
        return {} if self.continual is None else self.continual.begin(self, measure)

    def state(self) -> TaskState:
        own = TaskState() if self.continual is None else self.continual.state()
        teacher = {} if self.teacher is None else {"teacher": self.teacher.sha256}
        return TaskState(own.tensors, {**own.facts, **teacher})

    def restore(self, state: TaskState) -> None:
        if self.teacher is not None and state.facts.get("teacher") != self.teacher.sha256:
            raise ValueError(
                "distill_from: the teacher's weights have changed since the checkpoint was written; put the old ones "
                "back, or start a new run"
            )
        if self.continual is not None:
            self.continual.restore(state)

    def closing_evaluations(self) -> dict[str, EvalBatches]:
        return {} if self.continual is None else self.continual.closing_evaluations()

    def closing_metrics(self, metrics: dict[str, float]) -> dict[str, float]:
        return {} if self.continual is None else self.continual.closing_metrics(metrics)
