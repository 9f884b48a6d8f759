"""Owns the tokenizer whose tokens are frequent strings of bytes (byte-level BPE, as in GPT-2), by the `tokenizers`
library.

Every text goes through and comes back: what is not frequent is written in single bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from ..requirement_sets import require_set
from .tokenizer import END, END_ID

if TYPE_CHECKING:
    import tokenizers

NUM_BYTES = 256
SMALLEST = NUM_BYTES + 1
# Small models should not spend their weights on the table of tokens: 4,096 is about three characters of English each.
USUAL_SIZE = 4096


class BpeTokenizer:
    def __init__(self, inner: tokenizers.Tokenizer) -> None:
        self._inner = inner
        # A text that spells the end token is text, and ends nothing.
        self._inner.encode_special_tokens = True

    @property
    def size(self) -> int:
        return self._inner.get_vocab_size()

    def encode(self, text: str) -> numpy.ndarray:
        return self.encode_all([text])[0]

    def encode_all(self, texts: Sequence[str]) -> list[numpy.ndarray]:
        encoded = self._inner.encode_batch_fast(list(texts), add_special_tokens=False)
        return [numpy.array(one.ids, dtype=numpy.uint32) for one in encoded]

    def decode(self, ids: Iterable[int]) -> str:
        text: str = self._inner.decode([int(number) for number in ids if number != END_ID])
        return text

    def to_json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._inner.to_str())
        return content


def learn_bpe(texts: Iterable[str], vocabulary_size: int | None) -> tuple[BpeTokenizer, str]:
    wanted = USUAL_SIZE if vocabulary_size is None else vocabulary_size
    if wanted < SMALLEST:
        raise ValueError(
            f"vocabulary_size is {wanted}; byte-level BPE needs at least {SMALLEST}: {NUM_BYTES} bytes and the end token"
        )
    require_set("language")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=wanted,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    tokenizer = BpeTokenizer(inner)
    if tokenizer.size < wanted:
        return tokenizer, f"the data has no more pairs to join; asked for {wanted}"
    reason = "usual for byte-level BPE" if vocabulary_size is None else "as asked for"
    return tokenizer, f"{reason}; {NUM_BYTES} bytes and what the data joins most often"


def load_bpe(file: Path) -> BpeTokenizer:
    require_set("language")
    from tokenizers import Tokenizer

    return BpeTokenizer(Tokenizer.from_file(str(file)))
