"""Owns the stream of tokens and what a language model sees of it: random windows or packed documents, and rows in
order to evaluate. The tokens may lie on disk.

Train batches follow from (seed, epoch, number) alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy
import torch

from .batch_order import mix_seed

# Tokens, and the token that follows each: (B, T) int64 both.
TokenBatch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class TokenStream:
    """All documents, each with its end token; `starts` are the places where documents begin, and the length."""

    tokens: numpy.ndarray
    starts: numpy.ndarray

    def part(self, first: int, end: int) -> TokenStream:
        inside = self.starts[(self.starts > first) & (self.starts < end)] - first
        return TokenStream(self.tokens[first:end], numpy.array([0, *inside, end - first]))

    def __len__(self) -> int:
        return len(self.tokens)


class WindowBatches:
    """Stretches of `context` tokens from random places, as nanoGPT takes them."""

    def __init__(
        self,
        stream: TokenStream,
        context: int,
        batch_size: int,
        packed: bool,
        seed: int,
        device: torch.device,
        prefetch: bool,
    ) -> None:
        self._stream, self._context, self._batch_size = stream, context, batch_size
        self._packed, self._seed, self._device = packed, seed, device
        self._ahead = ThreadPoolExecutor(1, "prefetch") if prefetch else None
        self._windows = numpy.lib.stride_tricks.sliding_window_view(stream.tokens, context + 1)
        self.num_batches = self._count_batches()

    def _count_batches(self) -> int:
        # As many as cover the text once; the last token has none that follows it.
        return max(1, (len(self._stream) - 1) // (self._context * self._batch_size))

    def resized(self, batch_size: int) -> WindowBatches:
        """The same text, so many rows at once."""
        other = copy.copy(self)
        other._batch_size = batch_size
        other.num_batches = other._count_batches()
        return other

    def epoch(self, epoch: int, first_batch: int = 0, every: int = 1) -> Iterator[TokenBatch]:
        read = self._packed_rows(epoch) if self._packed else self._random_rows(epoch)
        upcoming: Future[numpy.ndarray] | None = None
        for number in range(first_batch, self.num_batches, every):
            rows = upcoming.result() if upcoming else read(number)
            if self._ahead is not None and number + every < self.num_batches:
                upcoming = self._ahead.submit(read, number + every)
            yield to_batch(rows, self._device)

    def _random_rows(self, epoch: int) -> Callable[[int], numpy.ndarray]:
        def read(number: int) -> numpy.ndarray:
            generator = torch.Generator().manual_seed(mix_seed(self._seed, epoch, number))
            places = torch.randint(len(self._windows), (self._batch_size,), generator=generator)
            rows: numpy.ndarray = self._windows[places.numpy()]
            return rows

        return read

    def _packed_rows(self, epoch: int) -> Callable[[int], numpy.ndarray]:
        """The documents in the epoch's own order, laid end to end and cut into rows."""
        generator = torch.Generator().manual_seed(mix_seed(self._seed, epoch, -1))
        starts = self._stream.starts
        order = torch.randperm(len(starts) - 1, generator=generator).numpy()
        lengths = (starts[1:] - starts[:-1])[order]
        ends = numpy.cumsum(lengths)
        # What to add to a place in the packed text to find it in the stream, by document.
        shifts = starts[:-1][order] - (ends - lengths)
        offsets = numpy.arange(self._context + 1)

        def read(number: int) -> numpy.ndarray:
            firsts = (number * self._batch_size + numpy.arange(self._batch_size)) * self._context
            # A text shorter than one batch begins again.
            places = (firsts[:, None] + offsets) % len(self._stream)
            rows: numpy.ndarray = self._stream.tokens[
                places + shifts[numpy.searchsorted(ends, places, side="right")]
            ]
            return rows

        return read


class RowBatches:
    """Every token once, in order, in rows of `context`; the last row may be short."""

    def __init__(
        self,
        stream: TokenStream,
        context: int,
        batch_size: int,
        at_most: int,
        device: torch.device,
    ) -> None:
        self._tokens = stream.tokens[: at_most + 1]
        self._context, self._batch_size, self._device = context, batch_size, device

    def __len__(self) -> int:
        return max(0, len(self._tokens) - 1)

    def __iter__(self) -> Iterator[TokenBatch]:
        context = self._context
        full = len(self) // context
        if full:
            windows = numpy.lib.stride_tricks.sliding_window_view(self._tokens, context + 1)
            rows = windows[::context][:full]
            for first in range(0, full, self._batch_size):
                yield to_batch(rows[first : first + self._batch_size], self._device)
        if full * context < len(self):
            yield to_batch(self._tokens[None, full * context :], self._device)


def to_batch(rows: numpy.ndarray, device: torch.device) -> TokenBatch:
    tokens = torch.from_numpy(rows.astype(numpy.int64)).to(device)
    return tokens[:, :-1], tokens[:, 1:]
