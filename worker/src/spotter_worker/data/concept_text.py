"""Owns how questions become tokens: words of most languages, single characters of Chinese.

The vocabulary is small and made from the training questions; it travels with the weights.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import torch

FILLER, UNKNOWN = 0, 1
MAX_TOKENS = 64
# Beyond this the rarest words are left to UNKNOWN: they would be seen too seldom to be learnt.
MAX_VOCABULARY = 20_000
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+")


def words_of(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def build_vocabulary(texts: Iterable[str]) -> list[str]:
    """Words in the order of their numbers; the first two stand for filling and for unknown words."""
    counts = Counter(word for text in texts for word in words_of(text))
    common = sorted(counts, key=lambda word: (-counts[word], word))[: MAX_VOCABULARY - 2]
    return ["", "?", *common]


def encode(texts: Sequence[str], vocabulary: Sequence[str]) -> torch.Tensor:
    """(N, L) numbers of words, filled up with 0."""
    numbers = {word: number for number, word in enumerate(vocabulary)}
    rows = [[numbers.get(word, UNKNOWN) for word in words_of(text)] for text in texts]
    tokens = torch.zeros(len(rows), max((len(row) for row in rows), default=1), dtype=torch.int64)
    for number, row in enumerate(rows):
        tokens[number, : len(row)] = torch.tensor(row, dtype=torch.int64)
    return tokens
