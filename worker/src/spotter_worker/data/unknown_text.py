"""Owns the count of what a tokenizer has no token for, so that nobody trains a model on holes without being told."""

from __future__ import annotations

from collections import Counter

import numpy

NUM_NAMED = 8


class UnknownText:
    def __init__(self) -> None:
        self.num_tokens = 0
        self.num_unknown = 0
        self._pieces: Counter[str] = Counter()

    def count(
        self, text: str, ids: numpy.ndarray, offsets: numpy.ndarray, unknown: int | None
    ) -> None:
        """`ids` (N) with their places (N, 2) in `text`; `unknown` is the token for all that has none."""
        self.num_tokens += len(ids)
        if unknown is None:
            return
        (places,) = numpy.nonzero(ids == unknown)
        self.num_unknown += len(places)
        self._pieces.update(text[start:end] for start, end in offsets[places].tolist())

    @property
    def share(self) -> float:
        return self.num_unknown / max(1, self.num_tokens)

    def named(self) -> str:
        """The most frequent ones, quoted."""
        pieces = [repr(piece) for piece, _ in self._pieces.most_common(NUM_NAMED)]
        return ", ".join(pieces) + (" …" if len(self._pieces) > NUM_NAMED else "")
