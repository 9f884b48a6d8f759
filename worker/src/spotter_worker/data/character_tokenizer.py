"""Owns the tokenizer whose tokens are characters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy

from .tokenizer import END, END_ID, special_token

UNKNOWN = "<|unknown|>"
UNKNOWN_ID = 1


class CharacterTokenizer:
    def __init__(self, tokens: Sequence[str]) -> None:
        assert tokens[:2] == [END, UNKNOWN]
        self.tokens = list(tokens)
        # One look-up a character, for all of Unicode: a million characters take milliseconds.
        self._ids = numpy.full(0x110000, UNKNOWN_ID, dtype=numpy.uint32)
        for number, token in enumerate(tokens[2:], start=2):
            self._ids[ord(token)] = number

    @property
    def size(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> numpy.ndarray:
        points = numpy.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        ids: numpy.ndarray = self._ids[points]
        return ids

    def encode_all(self, texts: Sequence[str]) -> list[numpy.ndarray]:
        return [self.encode(text) for text in texts]

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.tokens[number] for number in ids if number != END_ID)

    def to_json(self) -> dict[str, Any]:
        each_character = {
            "type": "Split",
            "pattern": {"Regex": "[\\s\\S]"},
            "behavior": "Isolated",
            "invert": False,
        }
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [special_token(END_ID, END), special_token(UNKNOWN_ID, UNKNOWN)],
            "normalizer": None,
            "pre_tokenizer": each_character,
            "post_processor": None,
            "decoder": {"type": "Fuse"},
            "model": {
                "type": "WordLevel",
                "vocab": {token: number for number, token in enumerate(self.tokens)},
                "unk_token": UNKNOWN,
            },
        }


def learn_characters(texts: Iterable[str], at_most: int | None) -> CharacterTokenizer:
    """The characters of the texts in Unicode's order; with a limit, the most frequent ones."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    characters = sorted(counts, key=lambda character: (-counts[character], character))
    if at_most is not None:
        characters = characters[: at_most - 2]
    return CharacterTokenizer([END, UNKNOWN, *sorted(characters)])


def load_characters(file: Path) -> CharacterTokenizer:
    model = json.loads(file.read_text(encoding="utf-8"))["model"]
    vocabulary: dict[str, int] = model["vocab"]
    return CharacterTokenizer(sorted(vocabulary, key=lambda token: vocabulary[token]))
