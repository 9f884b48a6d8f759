"""Owns giving a classifier what its config has it learn from besides labels, once the classifier stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch

from ..task import EvalBatches
from ..weights import SavedWeights
from .continual import Continual, OldData, digest
from .elastic import MAX_EXAMPLES, ElasticWeights
from .material import Material, Past, told
from .teacher import Teacher

if TYPE_CHECKING:
    from ..classifier import ClassifierTask

EVAL_BATCH_SIZE = 256


class MakeBatches(Protocol):
    def __call__(self, indices: torch.Tensor, batch_size: int) -> EvalBatches: ...


def attach_learning(
    task: ClassifierTask, past: Past, material: Material, make_batches: MakeBatches
) -> None:
    """`make_batches`: the recipe's batches of examples as they are."""
    config = task.config
    task.derived |= told(config, past, material)
    if past.teacher is not None:
        task.teacher = _teacher(task, past.teacher, "distill_from")
    if material.old is None:
        return
    train = material.old.train
    replayed = train[:0] if material.replay is None else material.replay.indices
    old = OldData(
        make_batches(material.old.validation, EVAL_BATCH_SIZE),
        make_batches(material.old.test, EVAL_BATCH_SIZE),
        # The split has mixed them: the first are a fair sample.
        make_batches(train[:MAX_EXAMPLES], 1),
        digest(torch.cat([replayed, material.old.validation, material.old.test]), material.labels),
    )
    start = None if past.start is None else _teacher(task, past.start, "init_from")
    elastic = None if config.ewc_lambda is None else ElasticWeights(config.ewc_lambda)
    task.continual = Continual(old, start, elastic, task.device)


def _teacher(task: ClassifierTask, saved: SavedWeights, field: str) -> Teacher:
    if not task.takes_input_of(saved.card, saved.folder):
        raise ValueError(
            f"{field}: that model was trained on inputs that were prepared in another way (size, scale or vocabulary); "
            "start from it too, or give this run the same settings"
        )
    teacher = Teacher(saved, task.classes, task.config.distill_temperature).to(task.device)
    if len(teacher.known) < 2:
        raise ValueError(f"{field}: that model and this run share fewer than two classes")
    return teacher
