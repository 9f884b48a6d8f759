"""Owns how a text becomes numbers: words, characters or bytes, and the vocabulary that is learnt from the training part
and saved with the weights.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

VOCABULARY_NAME = "vocabulary.json"
PADDING, UNKNOWN = 0, 1
NUM_SPECIAL = 2
# Scripts that put no spaces between words: kana, Han with its extensions, Hangul.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
# One such character, a run of letters and digits of any other script, or one sign.
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+|[^\w\s]|_")


@dataclass(frozen=True)
class Vocabulary:
    kind: str
    # In the order of their numbers, the first being NUM_SPECIAL; empty for bytes.
    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        numbers = {token: number for number, token in enumerate(self.tokens, NUM_SPECIAL)}
        object.__setattr__(self, "_numbers", numbers)

    @property
    def size(self) -> int:
        return NUM_SPECIAL + (256 if self.kind == "bytes" else len(self.tokens))

    def encode(self, text: str, max_tokens: int) -> torch.Tensor:
        """At least one number."""
        if self.kind == "bytes":
            numbers = [byte + NUM_SPECIAL for byte in text.encode("utf-8")[:max_tokens]]
        else:
            known: dict[str, int] = self._numbers  # type: ignore[attr-defined]
            pieces = split_text(text, self.kind)[:max_tokens]
            numbers = [known.get(piece, UNKNOWN) for piece in pieces]
        return torch.tensor(numbers or [UNKNOWN], dtype=torch.int64)

    def decode(self, numbers: torch.Tensor) -> list[str]:
        """Each token as text, to show; what was not in the vocabulary as �."""
        known = [token if token.strip() else repr(token) for token in self.tokens]
        if self.kind == "bytes":
            known = [bytes([byte]).decode("ascii", "replace") for byte in range(256)]
        return [
            known[number - NUM_SPECIAL] if number >= NUM_SPECIAL else "�"
            for number in numbers.tolist()
        ]

    def save(self, folder: Path) -> None:
        content = {"kind": self.kind, "tokens": list(self.tokens)}
        beside = folder / (VOCABULARY_NAME + ".tmp")
        beside.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        beside.replace(folder / VOCABULARY_NAME)

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        content = json.loads((folder / VOCABULARY_NAME).read_text(encoding="utf-8"))
        return cls(content["kind"], tuple(content["tokens"]))


def learn_vocabulary(texts: Iterable[str], kind: str, size: int) -> Vocabulary:
    """The most frequent tokens; of equally frequent ones the first in the alphabet."""
    if kind == "bytes":
        return Vocabulary(kind, ())
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split_text(text, kind))
    ordered = sorted(counts, key=lambda token: (-counts[token], token))
    return Vocabulary(kind, tuple(ordered[: size - NUM_SPECIAL]))


def split_text(text: str, kind: str) -> list[str]:
    """Words are taken in lower case; runs of white space separate and are no tokens themselves."""
    if kind == "characters":
        return [character for character in text if not character.isspace()]
    return _WORD.findall(text.lower())
