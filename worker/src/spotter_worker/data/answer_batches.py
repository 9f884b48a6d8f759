"""Owns the tokens of all examples, and the batches that a fine-tuning sees of them: padded, or several to a row.

Train batches follow from (seed, epoch, number) alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy
import torch

from .answer_tokens import Tokens
from .epoch_batches import EpochBatches

# The label of a token that is not learnt, as torch's cross-entropy leaves out.
NOT_LEARNT = -100
# Rows that are being filled at once when packing; more find a better fit and take longer.
OPEN_ROWS = 32


@dataclass(frozen=True)
class AnswerBatch:
    """(B, T) tokens and, at each place, the label of the token that follows."""

    tokens: torch.Tensor
    labels: torch.Tensor
    # Places (columns) at which any row has something to learn: nothing else needs logits.
    columns: torch.Tensor
    # Padded: (B, T), true at tokens. Packed: (B, 1, T, T), true where a token may look at another.
    mask: torch.Tensor
    # (B, T), for packed rows, where every example begins at 0.
    positions: torch.Tensor | None
    # Labels.
    count: int

    def to(self, device: torch.device) -> AnswerBatch:
        moved = {name: getattr(self, name).to(device) for name in ("tokens", "labels", "columns")}
        positions = self.positions.to(device) if self.positions is not None else None
        return replace(self, **moved, mask=self.mask.to(device), positions=positions)


class TokenStore:
    """All examples' tokens end to end: five bytes a token."""

    def __init__(self, examples: Iterable[Tokens]) -> None:
        ids, learnt = [numpy.empty(0, numpy.int32)], [numpy.empty(0, bool)]
        lengths = [0]
        for example in examples:
            ids.append(example.ids)
            learnt.append(example.learnt)
            lengths.append(len(example.ids))
        self._ids, self._learnt = numpy.concatenate(ids), numpy.concatenate(learnt)
        self._starts = numpy.cumsum(lengths)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def lengths(self) -> numpy.ndarray:
        lengths: numpy.ndarray = numpy.diff(self._starts)
        return lengths

    def num_learnt(self) -> int:
        return int(self._learnt.sum())

    def tokens(self, number: int) -> Tokens:
        piece = slice(self._starts[number], self._starts[number + 1])
        return Tokens(self._ids[piece], self._learnt[piece])

    def batch(self, rows: Sequence[Sequence[int]], padding: int, packed: bool) -> AnswerBatch:
        """One row an entry, of one or several examples."""
        lengths = [[len(self.tokens(number).ids) for number in row] for row in rows]
        width = max(sum(row) for row in lengths)
        tokens = numpy.full((len(rows), width), padding, dtype=numpy.int64)
        labels = numpy.full((len(rows), width), NOT_LEARNT, dtype=numpy.int64)
        positions = numpy.zeros((len(rows), width), dtype=numpy.int64)
        # Which example of its row a token belongs to; padding to none.
        owners = numpy.full((len(rows), width), -1, dtype=numpy.int64)
        for place, row in enumerate(rows):
            start = 0
            for owner, number in enumerate(row):
                example = self.tokens(number)
                end = start + len(example.ids)
                tokens[place, start:end] = example.ids
                following = numpy.where(example.learnt[1:], example.ids[1:], NOT_LEARNT)
                labels[place, start : end - 1] = following
                positions[place, start:end] = numpy.arange(end - start)
                owners[place, start:end] = owner
                start = end
        learns = labels != NOT_LEARNT
        owner_of = torch.from_numpy(owners)
        return AnswerBatch(
            tokens=torch.from_numpy(tokens),
            labels=torch.from_numpy(labels),
            columns=torch.from_numpy(numpy.flatnonzero(learns.any(0))),
            mask=_looks(owner_of) if packed else owner_of >= 0,
            positions=torch.from_numpy(positions) if packed else None,
            count=int(learns.sum()),
        )


def pack(lengths: numpy.ndarray, order: Sequence[int], context: int) -> list[list[int]]:
    """Rows of at most `context` tokens: each example goes to the first open row that has room."""
    done: list[list[int]] = []
    rows: list[list[int]] = []
    room: list[int] = []
    for number in order:
        length = int(lengths[number])
        fits = next((place for place, left in enumerate(room) if left >= length), None)
        if fits is None:
            if len(rows) == OPEN_ROWS:
                fullest = room.index(min(room))
                done.append(rows.pop(fullest))
                room.pop(fullest)
            rows.append([])
            room.append(context)
            fits = len(rows) - 1
        rows[fits].append(number)
        room[fits] -= length
    return done + rows


def train_batches(
    store: TokenStore,
    rows: list[list[int]],
    padding: int,
    packed: bool,
    batch_size: int,
    seed: int,
    device: torch.device,
    prefetch: bool,
) -> EpochBatches[AnswerBatch, AnswerBatch]:
    return EpochBatches(
        torch.arange(len(rows)),
        batch_size,
        seed,
        lambda chosen: store.batch([rows[number] for number in chosen.tolist()], padding, packed),
        lambda batch, _chosen, _generator: batch.to(device),
        prefetch,
    )


class EvalRows:
    """Examples in their order, one a row."""

    def __init__(
        self,
        store: TokenStore,
        numbers: Sequence[int],
        padding: int,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._store, self._numbers, self._padding = store, list(numbers), padding
        self._batch_size, self._device = batch_size, device

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[AnswerBatch]:
        for first in range(0, len(self._numbers), self._batch_size):
            rows = [[number] for number in self._numbers[first : first + self._batch_size]]
            yield self._store.batch(rows, self._padding, packed=False).to(self._device)


def _looks(owners: torch.Tensor) -> torch.Tensor:
    """A token looks at itself and at earlier ones of its own example; padding at itself, for a softmax over nothing is
    no number.
    """
    width = owners.shape[1]
    same = owners[:, :, None] == owners[:, None, :]
    earlier = torch.ones(width, width, dtype=torch.bool).tril()
    return (same & earlier)[:, None]
