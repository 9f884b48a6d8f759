"""Owns the order of training examples and the making of batches: both follow from (seed, epoch, number) alone.

Because nothing here has a memory, the position in the data is two numbers, and a resumed run sees the same examples
with the same random changes. What an example is, only the two functions know that are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

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
    ) -> None:
        self._indices, self._batch_size, self._seed = indices, batch_size, seed
        self._read, self._make = read, make
        self._ahead = ThreadPoolExecutor(1, "prefetch") if prefetch else None
        full, rest = divmod(len(indices), batch_size)
        # A lone last example gives normalisation over the batch nothing to average over.
        self.num_batches = full + (1 if rest > 1 or (rest == 1 and full == 0) else 0)

    def epoch(self, epoch: int, first_batch: int = 0) -> Iterator[Made]:
        """Batches of one epoch, from `first_batch` on."""
        generator = torch.Generator().manual_seed(mix_seed(self._seed, epoch, -1))
        order = self._indices[torch.randperm(len(self._indices), generator=generator)]
        upcoming: Future[Raw] | None = None
        for number in range(first_batch, self.num_batches):
            chosen = self._slice(order, number)
            raw = upcoming.result() if upcoming else self._read(chosen)
            if self._ahead is not None and number + 1 < self.num_batches:
                upcoming = self._ahead.submit(self._read, self._slice(order, number + 1))
            own = torch.Generator().manual_seed(mix_seed(self._seed, epoch, number))
            yield self._make(raw, chosen, own)

    def _slice(self, order: torch.Tensor, number: int) -> torch.Tensor:
        return order[number * self._batch_size : (number + 1) * self._batch_size]


def mix_seed(seed: int, epoch: int, number: int) -> int:
    # Spread apart by odd constants: neighbouring seeds must not share epochs.
    return (seed * 1_000_003 + epoch * 7_919 + number * 104_729 + 12_345) % (2**63)
