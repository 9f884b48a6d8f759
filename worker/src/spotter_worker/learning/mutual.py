"""Owns students that learn together (deep mutual learning, Zhang et al. 2018): each from the labels and from the mean
answer of the others; the best one is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from ..classification import num_right
from ..recipe_configs import LoopConfig
from ..task import Batch, EvalBatches, EvalSums, Example, Measure, Scores, Task, TaskState

if TYPE_CHECKING:
    from ..classifier import ClassifierTask


class Students(nn.Module):
    """Several networks that are shown the same; their answers side by side."""

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        self.students = nn.ModuleList(networks)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return torch.stack([one(*inputs) for one in self.students])


class MutualTask(Task):
    """A classifier's task, trained as several students at once."""

    def __init__(self, inner: ClassifierTask) -> None:
        config = inner.config
        assert config.mutual_students is not None
        widths = config.mutual_widths or [inner.architecture.width] * config.mutual_students
        if len(widths) != config.mutual_students:
            raise ValueError(
                f"mutual_widths has {len(widths)} widths for {config.mutual_students} students; give one each, or none"
            )
        self._inner = inner
        self._architectures = [replace(inner.architecture, width=width) for width in widths]
        # Which student the kept weights are of.
        self._kept = 0
        networks = []
        for number, architecture in enumerate(self._architectures):
            # Students of the same beginnings would have nothing to tell each other.
            torch.manual_seed(config.seed + number)
            networks.append(inner.network(architecture))
        torch.manual_seed(config.seed)
        self.config, self.device = config, inner.device
        self._weight = config.mutual_weight
        self.model = Students(networks).to(inner.device)
        self.model_name = f"{len(widths)} × {inner.model_name}"
        self.train_batches, self.sizes = inner.train_batches, inner.sizes
        self.validation, self.test = inner.validation, inner.test
        self.classes, self.length_unit = inner.classes, inner.length_unit
        said = f"{len(widths)}, widths {', '.join(map(str, widths))}: the best one is kept"
        self.derived = {**inner.derived, "mutual_students": said}

    # -- training ----------------------------------------------------------------------------------

    def reconfigure(self, config: LoopConfig) -> None:
        super().reconfigure(config)
        self._inner.reconfigure(config)

    def train_scores(self, model: nn.Module, batch: Batch) -> Scores:
        inner, labels = self._inner, self._inner.labels(batch)
        answers = inner.logits(model, batch)
        losses, sums = [], {"accuracy": torch.zeros((), device=answers.device)}
        for number, logits in enumerate(answers):
            loss, parts = inner.objective(logits, batch)
            distance = self._distance(answers.detach(), number, logits)
            losses.append(loss + self._weight * distance)
            right = num_right(logits, labels)
            sums[f"{_name(number)}/accuracy"] = right
            sums["accuracy"] += right / len(answers)
            for name, value in {**parts, "mutual": distance.detach()}.items():
                share = value * len(labels) / len(answers)
                sums[name] = sums[name] + share if name in sums else share
        total = torch.stack(losses).sum()
        # Worth the mean, so that it can be compared with one model's; its gradient is each student's own.
        loss = total - (total - total / len(losses)).detach()
        return Scores(loss, len(labels), sums)

    def _distance(self, answers: torch.Tensor, number: int, logits: torch.Tensor) -> torch.Tensor:
        others = [one for place, one in enumerate(answers) if place != number]
        wanted = torch.stack([functional.softmax(one.float(), 1) for one in others]).mean(0)
        given = functional.log_softmax(logits.float(), 1)
        return functional.kl_div(given, wanted, reduction="batchmean")

    # -- evaluation --------------------------------------------------------------------------------

    def eval_sums(self, model: nn.Module, batch: Batch) -> EvalSums:
        if not isinstance(model, Students):
            # The kept one, tested alone.
            return self._inner.eval_sums(model, batch)
        count = self.count(batch)
        sums: dict[str, torch.Tensor] = {}
        predicted: torch.Tensor | None = None
        for number, student in enumerate(model.students):
            found = self._inner.eval_sums(student, batch)
            sums |= {f"{_name(number)}/{name}": value for name, value in found.sums.items()}
            if found.predicted is not None:
                predicted = found.predicted if predicted is None else predicted + found.predicted
        return EvalSums(count, sums, predicted=predicted)

    def more_metrics(self, means: dict[str, float]) -> dict[str, float]:
        """The best student's values are the run's."""
        if f"{_name(0)}/accuracy" not in means:
            return {}
        best = self._best(means, "")
        names = ("loss", "accuracy")
        return {name: means[f"{_name(best)}/{name}"] for name in names}

    def kept_weights(
        self, state: dict[str, torch.Tensor], metrics: dict[str, float]
    ) -> dict[str, torch.Tensor]:
        self._kept = self._best(metrics, "val/") if metrics else 0
        prefix = f"students.{self._kept}."
        return {
            name.removeprefix(prefix): one for name, one in state.items() if name.startswith(prefix)
        }

    def card(self) -> dict[str, Any]:
        card = self._inner.card()
        kept = self._architectures[self._kept]
        return {**card, "architecture": {**card["architecture"], "width": kept.width}}

    def _best(self, means: dict[str, float], prefix: str) -> int:
        def order(number: int) -> tuple[float, float]:
            name = _name(number)
            return means[f"{prefix}{name}/accuracy"], -means[f"{prefix}{name}/loss"]

        return max(range(len(self._architectures)), key=order)

    # -- what the classifier itself knows ----------------------------------------------------------------------

    def count(self, batch: Batch) -> int:
        return self._inner.count(batch)

    def save_assets(self, folder: Path) -> None:
        self._inner.save_assets(folder)

    def preview(self, limit: int) -> list[dict[str, Any]]:
        return self._inner.preview(limit)

    def examples(self, part: str) -> Iterator[Example]:
        return self._inner.examples(part)

    def extra_evaluations(self) -> dict[str, EvalBatches]:
        return self._inner.extra_evaluations()

    def joint_metrics(self, found: dict[str, float]) -> dict[str, float]:
        return self._inner.joint_metrics(found)

    def begin(self, measure: Measure) -> dict[str, float]:
        return self._inner.begin(measure)

    def state(self) -> TaskState:
        inner = self._inner.state()
        return TaskState(inner.tensors, {**inner.facts, "kept": self._kept})

    def restore(self, state: TaskState) -> None:
        self._kept = state.facts["kept"]
        self._inner.restore(state)

    def closing_evaluations(self) -> dict[str, EvalBatches]:
        return self._inner.closing_evaluations()

    def closing_metrics(self, metrics: dict[str, float]) -> dict[str, float]:
        return self._inner.closing_metrics(metrics)


def together(task: ClassifierTask) -> Task:
    """The task itself, or as many students of it as its config wants."""
    return task if task.config.mutual_students is None else MutualTask(task)


def _name(number: int) -> str:
    return f"student_{number + 1}"
