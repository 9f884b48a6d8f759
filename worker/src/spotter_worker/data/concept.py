"""Owns what every source of questions about images becomes: a store of images, and groups of questions each.

All questions of a group share one image, so that the network looks at it once. G groups, M questions at most in each.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn import functional

from .batches import Normalization
from .images import ImageStore

# The answer of a place in a group that holds no question; the loss passes over it.
NO_ANSWER = -100
# What a question is marked as: about one object, about several, or nobody said.
NON_RELATIONAL, RELATIONAL, UNMARKED = 0, 1, -1


@dataclass(frozen=True)
class QuestionData:
    store: ImageStore
    # Each text once; images share questions.
    texts: list[str]
    # (G,): the group's image.
    image: torch.Tensor
    # (G, M): number of the text; the number of the answer's class; relational or not.
    question: torch.Tensor
    answer: torch.Tensor
    kind: torch.Tensor
    classes: list[str]
    # What a person knows an image by; None where it comes from no file.
    name_of: Callable[[int], str] | None = None


class QuestionBatch(NamedTuple):
    """B images, M questions on each at most, U different questions of at most L tokens."""

    images: torch.Tensor  # (B, C, H, W) float
    tokens: torch.Tensor  # (U, L); 0 fills up
    asked: torch.Tensor  # (B, M): which of the U
    answers: torch.Tensor  # (B, M)
    kinds: torch.Tensor  # (B, M)
    # Places of `answers` that hold a question, and those of each kind; known here, so that counting waits for no GPU.
    num_questions: int
    num_relational: int
    num_non_relational: int


class QuestionMaker:
    """Makes batches out of groups, on the device."""

    def __init__(
        self,
        data: QuestionData,
        tokens: torch.Tensor,
        normalization: Normalization,
        device: torch.device,
    ) -> None:
        """`tokens`: (number of texts, longest), 0 fills up."""
        self._data, self._tokens = data, tokens
        self._normalization, self._device = normalization, device

    def pixels(self, groups: torch.Tensor) -> torch.Tensor:
        """The slow part, which may run ahead on a thread."""
        return self._data.store.gather(self._data.image[groups])

    def batch(self, groups: torch.Tensor, pixels: torch.Tensor) -> QuestionBatch:
        # 640 questions of a batch are often the same 70: each is encoded once.
        different, asked = torch.unique(self._data.question[groups], return_inverse=True)
        tokens = self._tokens[different]
        longest = max(1, int((tokens != 0).sum(1).max()))
        answers, kinds = self._data.answer[groups], self._data.kind[groups]
        counts = [int((answers != NO_ANSWER).sum())]
        counts += [int((kinds == kind).sum()) for kind in (RELATIONAL, NON_RELATIONAL)]
        device = self._device
        images = self._normalization.apply(pixels.to(device, non_blocking=True).float() / 255)
        return QuestionBatch(
            images.contiguous(memory_format=torch.channels_last),
            tokens[:, :longest].to(device),
            asked.to(device),
            answers.to(device),
            kinds.to(device),
            *counts,
        )


class QuestionTrainBatches:
    """The order follows from (seed, epoch) alone, so that a resumed run sees the same batches."""

    def __init__(
        self, maker: QuestionMaker, groups: torch.Tensor, batch_size: int, seed: int, ahead: bool
    ) -> None:
        self._maker, self._groups, self._batch_size, self._seed = maker, groups, batch_size, seed
        self._ahead = ThreadPoolExecutor(1, "prefetch") if ahead else None
        self.num_batches = self._count_batches()

    def _count_batches(self) -> int:
        full, rest = divmod(len(self._groups), self._batch_size)
        # A lone last image gives batch normalisation little to average over.
        return full + (1 if rest > 1 or (rest == 1 and full == 0) else 0)

    def resized(self, batch_size: int) -> QuestionTrainBatches:
        """The same images in the same order, so many at once."""
        other = copy.copy(self)
        other._batch_size = batch_size
        other.num_batches = other._count_batches()
        return other

    def epoch(self, epoch: int, first_batch: int = 0, every: int = 1) -> Iterator[QuestionBatch]:
        # Spread apart by odd constants: neighbouring seeds must not share epochs.
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + epoch * 7_919 + 12_345)
        order = self._groups[torch.randperm(len(self._groups), generator=generator)]
        upcoming: Future[torch.Tensor] | None = None
        for number in range(first_batch, self.num_batches, every):
            groups = self._slice(order, number)
            pixels = upcoming.result() if upcoming else self._maker.pixels(groups)
            if self._ahead is not None and number + every < self.num_batches:
                upcoming = self._ahead.submit(
                    self._maker.pixels, self._slice(order, number + every)
                )
            yield self._maker.batch(groups, pixels)

    def _slice(self, order: torch.Tensor, number: int) -> torch.Tensor:
        return order[number * self._batch_size : (number + 1) * self._batch_size]


class QuestionEvalBatches:
    """Groups in their order; `len` counts questions."""

    def __init__(
        self, maker: QuestionMaker, groups: torch.Tensor, num_questions: int, batch_size: int
    ) -> None:
        self._maker, self._groups, self._batch_size = maker, groups, batch_size
        self._num_questions = num_questions

    def __len__(self) -> int:
        return self._num_questions

    def __iter__(self) -> Iterator[QuestionBatch]:
        for groups in torch.split(self._groups, self._batch_size) if len(self._groups) else ():
            yield self._maker.batch(groups, self._maker.pixels(groups))


@dataclass(frozen=True)
class QuestionSplit:
    """Numbers of groups."""

    train: torch.Tensor
    validation: torch.Tensor
    # Empty when no test is wanted.
    test: torch.Tensor

    def part(self, name: str) -> torch.Tensor:
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


def split_questions(data: QuestionData, validation: float, test: float, seed: int) -> QuestionSplit:
    """By image: what was asked about a picture in training is not asked about it again in the test."""
    num_images = len(data.store)
    order = torch.randperm(num_images, generator=torch.Generator().manual_seed(seed))
    num_test, num_validation = round(num_images * test), round(num_images * validation)
    parts = {
        "test": order[:num_test],
        "validation": order[num_test : num_test + num_validation],
        "training": order[num_test + num_validation :],
    }
    for name, part in parts.items():
        if len(part) == 0 and (name != "test" or test > 0):
            raise ValueError(f"{num_images} images are too few: the {name} part would be empty")
    by_image = torch.argsort(data.image, stable=True)
    counts = torch.bincount(data.image, minlength=num_images)
    first = functional.pad(counts.cumsum(0), (1, 0))

    def groups_of(images: torch.Tensor) -> torch.Tensor:
        return torch.cat([by_image[first[one] : first[one + 1]] for one in images.tolist()])

    return QuestionSplit(
        groups_of(parts["training"]),
        groups_of(parts["validation"]),
        groups_of(parts["test"]) if num_test else torch.empty(0, dtype=torch.int64),
    )


def count_questions(data: QuestionData, groups: torch.Tensor) -> int:
    return int((data.answer[groups] != NO_ANSWER).sum())
