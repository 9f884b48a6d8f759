"""Owns which examples each batch takes: an order that follows from (seed, epoch, number) alone, with old examples mixed
into every batch where there is something to replay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Replay:
    """Numbers of the old examples that are kept, and their share of each batch."""

    indices: torch.Tensor
    share: float


class BatchOrder:
    """An epoch is one pass over `indices`; the old examples go round as often as it takes."""

    def __init__(
        self, indices: torch.Tensor, batch_size: int, seed: int, replay: Replay | None = None
    ) -> None:
        self._indices, self._seed, self._replay = indices, seed, replay
        self._old = torch.empty(0, dtype=torch.int64) if replay is None else replay.indices
        self._num_old = 0
        if replay is not None:
            if batch_size < 2:
                raise ValueError(
                    f"batch_size is {batch_size}; a replay needs at least 2, one new and one old example"
                )
            self._num_old = min(max(1, round(replay.share * batch_size)), batch_size - 1)
        self._num_new = batch_size - self._num_old
        full, rest = divmod(len(indices), self._num_new)
        # A lone last example gives batch normalisation nothing to average over.
        enough = 2 if self._num_old == 0 else 1
        self.num_batches = full + (1 if rest >= enough or (rest == 1 and full == 0) else 0)

    def resized(self, batch_size: int) -> BatchOrder:
        return BatchOrder(self._indices, batch_size, self._seed, self._replay)

    def of_epoch(self, epoch: int) -> Callable[[int], torch.Tensor]:
        """The numbers of the examples in each batch of an epoch, by the batch's number."""
        order = self._shuffled(self._indices, mix_seed(self._seed, epoch, -1))
        if self._num_old == 0:
            return lambda number: order[number * self._num_new : (number + 1) * self._num_new]
        old = self._shuffled(self._old, mix_seed(self._seed, epoch, -2))

        def chosen(number: int) -> torch.Tensor:
            new = order[number * self._num_new : (number + 1) * self._num_new]
            places = torch.arange(self._num_old) + number * self._num_old
            return torch.cat([new, old[places % len(old)]])

        return chosen

    def _shuffled(self, indices: torch.Tensor, seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return indices[torch.randperm(len(indices), generator=generator)]


def choose_kept(
    indices: torch.Tensor, labels: torch.Tensor, most: int | None, seed: int
) -> torch.Tensor:
    """At most so many of `indices`, as equally many of every class as there are, chosen by the seed; in rising order."""
    if most is None or most >= len(indices):
        return indices.sort().values
    generator = torch.Generator().manual_seed(seed)
    shuffled = indices[torch.randperm(len(indices), generator=generator)]
    one_hot = torch.nn.functional.one_hot(labels[shuffled])
    # The first of every class come first, then the second of every class, and so on.
    rank = (one_hot.cumsum(0) * one_hot).sum(1)
    return shuffled[torch.argsort(rank, stable=True)[:most]].sort().values


def mix_seed(seed: int, epoch: int, number: int) -> int:
    # Spread apart by odd constants: neighbouring seeds must not share epochs.
    return (seed * 1_000_003 + epoch * 7_919 + number * 104_729 + 12_345) % (2**63)
