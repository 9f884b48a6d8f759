"""Owns what a language model asks of its tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy

END = "<|endoftext|>"
# The first token of every tokenizer of ours: stands between two documents.
END_ID = 0


class Tokenizer(Protocol):
    @property
    def size(self) -> int:
        """Tokens, the end token among them."""
        ...

    def encode(self, text: str) -> numpy.ndarray:
        """Never gives the end token, whatever the text holds."""
        ...

    def encode_all(self, texts: Sequence[str]) -> list[numpy.ndarray]: ...

    def decode(self, ids: Iterable[int]) -> str: ...

    def to_json(self) -> dict[str, Any]:
        """The content of tokenizer.json."""
        ...


def special_token(number: int, content: str) -> dict[str, Any]:
    """An entry of tokenizer.json's `added_tokens`."""
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": content, **flags, "special": True}
