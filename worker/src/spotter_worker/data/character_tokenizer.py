"""Owns the tokenizer whose tokens are characters, kept as a `tokenizer.json` that Hugging Face's libraries open."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy

TOKENIZER_NAME, SETTINGS_NAME = "tokenizer.json", "tokenizer_config.json"
END, UNKNOWN = "<|endoftext|>", "<|unknown|>"
END_ID, UNKNOWN_ID = 0, 1


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

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.tokens[number] for number in ids if number != END_ID)

    def save(self, folder: Path) -> None:
        special = [
            {
                "id": number,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, token in enumerate((END, UNKNOWN))
        ]
        model = {
            "type": "WordLevel",
            "vocab": {token: number for number, token in enumerate(self.tokens)},
            "unk_token": UNKNOWN,
        }
        each_character = {
            "type": "Split",
            "pattern": {"Regex": "[\\s\\S]"},
            "behavior": "Isolated",
            "invert": False,
        }
        _write_json(
            folder / TOKENIZER_NAME,
            {
                "version": "1.0",
                "truncation": None,
                "padding": None,
                "added_tokens": special,
                "normalizer": None,
                "pre_tokenizer": each_character,
                "post_processor": None,
                "decoder": {"type": "Fuse"},
                "model": model,
            },
        )
        _write_json(
            folder / SETTINGS_NAME,
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "bos_token": END,
                "eos_token": END,
                "unk_token": UNKNOWN,
                "clean_up_tokenization_spaces": False,
            },
        )


def learn_characters(documents: Iterable[str], at_most: int | None) -> CharacterTokenizer:
    """The characters of the texts in Unicode's order; with a limit, the most frequent ones."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(document)
    characters = sorted(counts, key=lambda character: (-counts[character], character))
    if at_most is not None:
        characters = characters[: at_most - 2]
    return CharacterTokenizer([END, UNKNOWN, *sorted(characters)])


def load_characters(folder: Path) -> CharacterTokenizer:
    model = json.loads((folder / TOKENIZER_NAME).read_text(encoding="utf-8"))["model"]
    vocabulary: dict[str, int] = model["vocab"]
    return CharacterTokenizer(sorted(vocabulary, key=lambda token: vocabulary[token]))


def _write_json(file: Path, content: object) -> None:
    beside = file.with_name(file.name + ".tmp")
    beside.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    beside.replace(file)
