"""Owns learning new things without losing old ones: what the old data is tested on before and after, and how much was
forgotten.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ..task import EvalBatches, Measure, TaskState
from .elastic import ElasticWeights
from .teacher import Teacher

if TYPE_CHECKING:
    from ..classifier import ClassifierTask


@dataclass(frozen=True)
class OldData:
    validation: EvalBatches
    test: EvalBatches
    # For the Fisher information: some of the training part, one a batch.
    alone: EvalBatches
    # Tells whether the same examples are replayed when the run goes on.
    choice: str


class Continual:
    def __init__(
        self,
        old: OldData,
        start: Teacher | None,
        elastic: ElasticWeights | None,
        device: torch.device,
    ) -> None:
        self._old, self._start, self._device = old, start, device
        self.elastic = elastic
        self._before: float | None = None

    @property
    def old_validation(self) -> EvalBatches:
        return self._old.validation

    def begin(self, task: ClassifierTask, measure: Measure) -> dict[str, float]:
        if self._start is None:
            return {}
        # The old model itself, with the classes that it had: the rows of new classes are random still.
        (measured,) = self.closing_evaluations().values()
        self._before = measure(self._start, measured)["accuracy"]
        if self.elastic is not None:
            self.elastic.measure(task, self._old.alone, self._start.known)
        # Where the series of the evaluations begins.
        return {"val_old/accuracy": measure(self._start, self.old_validation)["accuracy"]}

    def closing_evaluations(self) -> dict[str, EvalBatches]:
        has_test = len(self._old.test) > 0
        return {"test_old": self._old.test} if has_test else {"val_old": self._old.validation}

    def closing_metrics(self, metrics: dict[str, float]) -> dict[str, float]:
        (measured,) = self.closing_evaluations()
        after = metrics[f"{measured}/accuracy"]
        told = {"continual/old_accuracy_after": after}
        if self._before is not None:
            told["continual/old_accuracy_before"] = self._before
            told["continual/forgetting"] = self._before - after
        return told

    def state(self) -> TaskState:
        start = {} if self._start is None else {"start": self._start.sha256}
        facts = {"old_accuracy_before": self._before, "replay": self._old.choice, **start}
        return TaskState({} if self.elastic is None else self.elastic.state(), facts)

    def restore(self, state: TaskState) -> None:
        if state.facts.get("replay") != self._old.choice:
            raise ValueError(
                "old_data has changed since the checkpoint was written; put the old files back, or start a new run"
            )
        self._before = state.facts["old_accuracy_before"]
        if self.elastic is not None:
            self.elastic.restore(state.tensors, self._device)


def digest(indices: torch.Tensor, labels: torch.Tensor) -> str:
    """Of which examples are chosen and of what class they are."""
    content = indices.numpy().tobytes() + labels[indices].numpy().tobytes()
    return hashlib.sha256(content).hexdigest()
