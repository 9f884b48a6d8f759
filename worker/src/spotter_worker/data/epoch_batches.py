"""Owns the making of training batches, which follow from (seed, epoch, number) alone.

Because nothing here has a memory, the position in the data is two numbers, and a resumed run sees the same examples
with the same random changes. What an example is, only the two functions know that are given.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

from .batch_order import BatchOrder, Replay, mix_seed

Raw = TypeVar("Raw")
Made = TypeVar("Made")


class EpochBatches(Generic[Raw, Made]):
    """`read` fetches the chosen examples (ahead, on a thread, with `prefetch`); `make` turns them into a batch, with a
    generator of its own for all that is random.
    """

    def __init__(
        self,
        indices: torch.Tensor,
        batch_size: int,
        seed: int,
        read: Callable[[torch.Tensor], Raw],
        make: Callable[[Raw, torch.Tensor, torch.Generator], Made],
        prefetch: bool,
        replay: Replay | None = None,
    ) -> None:
        self._order, self._seed = BatchOrder(indices, batch_size, seed, replay), seed
        self._read, self._make = read, make
        self._ahead = ThreadPoolExecutor(1, "prefetch") if prefetch else None
        self.num_batches = self._order.num_batches

    def resized(self, batch_size: int) -> EpochBatches[Raw, Made]:
        """The same examples in the same order, so many at once."""
        other = copy.copy(self)
        other._order = self._order.resized(batch_size)
        other.num_batches = other._order.num_batches
        return other

    def epoch(self, epoch: int, first_batch: int = 0, every: int = 1) -> Iterator[Made]:
        """Batches of one epoch, from `first_batch` on."""
        numbers = self._order.of_epoch(epoch)
        upcoming: Future[Raw] | None = None
        for number in range(first_batch, self.num_batches, every):
            chosen = numbers(number)
            raw = upcoming.result() if upcoming else self._read(chosen)
            if self._ahead is not None and number + every < self.num_batches:
                upcoming = self._ahead.submit(self._read, numbers(number + every))
            own = torch.Generator().manual_seed(mix_seed(self._seed, epoch, number))
            yield self._make(raw, chosen, own)
