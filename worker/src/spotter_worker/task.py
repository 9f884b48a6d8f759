"""Owns what a recipe brings to the loop: model, data, loss, and how its weights are used afterwards.

The loop knows nothing of images, sounds or words; a recipe knows nothing of steps, checkpoints or servers. Everything
in between is here.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from .data.unknown_text import UnknownText
from .recipe_configs import LoopConfig

# Whatever a recipe's batches are made of; only the recipe looks inside.
Batch = Any
# Folders or files on this machine, by the config's field that names the source: `data`, `init_from`, …; and `cache`,
# where a recipe may keep what it can make again.
Places = Mapping[str, Path]


class TrainBatches(Protocol):
    """Batches of one epoch follow from (seed, epoch, number) alone: no memory, so a position is two numbers."""

    num_batches: int

    def resized(self, batch_size: int) -> TrainBatches:
        """The same examples in the same order, so many at once."""
        ...

    def epoch(self, epoch: int, first_batch: int = 0, every: int = 1) -> Iterator[Batch]:
        """From `first_batch` on, every `every`-th: one process's part of them."""
        ...


class EvalBatches(Protocol):
    """Examples in their order, unchanged; `len` counts examples, not batches."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Batch]: ...


@dataclass
class Scores:
    """What one training batch gave, on the device. `loss` is the mean over `count` examples (or tokens)."""

    loss: torch.Tensor
    count: int
    # Sums over the batch, e.g. `{"accuracy": number of right answers}`; the loop divides by the count.
    sums: dict[str, torch.Tensor] = field(default_factory=dict)


@dataclass
class EvalSums:
    """What one batch of an evaluation gave: sums over `count` examples (or tokens), `loss` among them."""

    count: int
    sums: dict[str, torch.Tensor]
    # Names whose sum is over fewer examples than `count`, such as the accuracy on one kind of question.
    counts: dict[str, int] = field(default_factory=dict)
    # How often each class was the answer, (classes,); None where there are no classes.
    predicted: torch.Tensor | None = None


# Measures a model on a set, as the loop does: `loss`, `accuracy`, … by name.
Measure = Callable[[nn.Module, EvalBatches], dict[str, float]]


@dataclass(frozen=True)
class TaskState:
    """What a task must find again when its run goes on, beside what follows from config and data."""

    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    # JSON.
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sizes:
    """How much there is in each part of the data."""

    train: int
    validation: int
    test: int
    unit: str = "examples"


@dataclass(frozen=True)
class Example:
    """One example as pre-flight looks at it, without training on it."""

    # Two examples with the same bytes are the same example.
    content: bytes
    # Number of its class; None where there are none.
    label: int | None = None
    # In the task's `length_unit`; None where all are equally long.
    length: float | None = None
    name: str = ""


class Task(ABC):
    """One recipe, built for one run. The attributes are set by the recipe's `build_task`."""

    config: LoopConfig
    device: torch.device
    # The network itself, never a wrapper: the loop compiles and distributes it.
    model: nn.Module
    model_name: str
    train_batches: TrainBatches
    validation: EvalBatches
    test: EvalBatches
    sizes: Sizes
    # Class names, in the order of the outputs; empty where there are none.
    classes: list[str]
    # Values that were not given but found, each with its reason.
    derived: dict[str, str]
    # True where the recipe itself takes up `init_from`; else the worker puts a model version's weights into `model`.
    loads_init_from: bool = False
    # What the tokenizer has no token for; None where nothing is cut into tokens, or none can lack.
    unknown_text: UnknownText | None = None
    # What the lengths of its examples are in: `s`, `tokens`; None where all are equal.
    length_unit: str | None = None
    # What the losses are means over, where its rate is told: `tokens` gives `train/tokens_per_s`.
    rate_unit: str | None = None

    @abstractmethod
    def train_scores(self, model: nn.Module, batch: Batch) -> Scores:
        """Forward pass and loss of one training batch. `model` may be a wrapper around `self.model`."""

    @abstractmethod
    def eval_sums(self, model: nn.Module, batch: Batch) -> EvalSums:
        """The same for evaluation: the plain loss, without smoothing or mixing. Called in evaluation mode."""

    @abstractmethod
    def count(self, batch: Batch) -> int:
        """Examples (or tokens) that the batch's loss is a mean over; known before the forward pass."""

    @abstractmethod
    def card(self) -> dict[str, Any]:
        """What is needed, besides the weights and the config, to build the model again."""

    def reconfigure(self, config: LoopConfig) -> None:
        """Takes a changed config, whose values it reads as it trains; what is built already is not its concern."""
        self.config = config

    def extra_evaluations(self) -> dict[str, EvalBatches]:
        """More sets to evaluate beside validation, by name: `{"val_old": …}` gives `val_old/accuracy`."""
        return {}

    def joint_metrics(self, found: dict[str, float]) -> dict[str, float]:
        """What follows from one evaluation of all sets together (`val/…`, `val_old/…`), under names of these sets."""
        return {}

    def more_metrics(self, means: dict[str, float]) -> dict[str, float]:
        """What follows from the means over a whole set and is no mean itself, such as perplexity."""
        return {}

    def export_state(self, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What the weights file holds of a state of the model; called once, at the end. The same, as a rule."""
        return state

    def save_assets(self, folder: Path) -> None:
        """Writes what belongs to the weights and is no tensor: a tokenizer, a chat template."""
        # Most recipes have none.
        return

    def begin(self, measure: Measure) -> dict[str, float]:
        """Before the first step of a run, the starting weights being in place; what is worth telling at step 0."""
        return {}

    def state(self) -> TaskState:
        """For each checkpoint."""
        return TaskState()

    def restore(self, state: TaskState) -> None:
        """Instead of `begin` where a run goes on; a ValueError where what the state is about has changed since."""
        return

    def kept_weights(
        self, state: dict[str, torch.Tensor], metrics: dict[str, float]
    ) -> dict[str, torch.Tensor]:
        """What of the model's state is kept as the best so far and becomes the run's weights; with the metrics of the
        evaluation (none where there was no evaluation).
        """
        return state

    def closing_evaluations(self) -> dict[str, EvalBatches]:
        """More sets to test the kept weights on, beside `test`, by name."""
        return {}

    def closing_metrics(self, metrics: dict[str, float]) -> dict[str, float]:
        """What follows from the final metrics, tests among them, by full name."""
        return {}

    def sample(self, model: nn.Module) -> str | None:
        """A look at what the model can do now, shown in the log at each evaluation; None where there is none."""
        return None

    def probe_input(self) -> Batch | None:
        """A fixed batch for probes of activations; None where the recipe has none."""
        return next(iter(self.validation), None)

    # -- for pre-flight ----------------------------------------------------------------------------

    def preview(self, limit: int) -> list[dict[str, Any]]:
        """Some training examples to look at: the contract's PreflightSample."""
        return []

    def examples(self, part: str) -> Iterator[Example]:
        """All examples of `train`, `validation` or `test`, to find copies and outliers; none where nobody knows."""
        return iter(())

    def expected_initial_loss(self) -> tuple[float, str] | None:
        """The loss of a model that knows nothing yet, and how it is written: `ln 10`."""
        return (math.log(len(self.classes)), f"ln {len(self.classes)}") if self.classes else None

    @property
    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())


@dataclass(frozen=True)
class PredictInput:
    """One thing to predict from: a file, a text, both, or a sample of the run's own test split."""

    name: str
    file: Path | None = None
    text: str | None = None
    # From 0.
    sample: int | None = None


class NoSampleError(ValueError):
    """The run's own test split ends before this sample."""

    def __init__(self, given: PredictInput, num_samples: int) -> None:
        super().__init__(f"{given.name}: the test split has {num_samples} samples")


class Predictor(ABC):
    """A recipe's saved weights, ready for use. Made by the recipe's `load_predictor`."""

    @abstractmethod
    def predict(self, given: PredictInput) -> dict[str, Any]:
        """The contract's Prediction without `input`: label, confidence, top, truth, text, and what shows the question."""

    def test_accuracy(self) -> float | None:
        """On the run's own test split; None where that means nothing."""
        return None
