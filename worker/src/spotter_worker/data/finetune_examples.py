"""Owns all examples of a fine-tuning: from rows to tokens, and which are for training, validation and test."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ..recipe_configs import TextFinetuneConfig
from .answer_batches import TokenStore
from .answer_tokens import AnswerTokenizer, Tokens
from .dialogues import Columns, find_columns, read_dialogues
from .table_rows import Row, read_rows


@dataclass(frozen=True)
class Rows:
    """Rows that are not read yet, but for the first, which told the format."""

    columns: Columns
    all: Iterator[Row]


class Origins:
    """Which row each example was: eight bytes an example, however many there are."""

    def __init__(self) -> None:
        self._files: dict[Path, int] = {}
        self._places: list[Path] = []
        self._file_of, self._rows = array("i"), array("i")

    def add(self, row: Row) -> None:
        if row.file not in self._files:
            self._files[row.file] = len(self._places)
            self._places.append(row.file)
        self._file_of.append(self._files[row.file])
        self._rows.append(row.number)

    def name(self, number: int) -> str:
        """As editors count: `pairs.jsonl:12`."""
        return f"{self._places[self._file_of[number]].name}:{self._rows[number]}"


@dataclass(frozen=True)
class Examples:
    store: TokenStore
    origins: Origins
    # Numbers of examples in `train`, `validation`, `test`.
    parts: dict[str, list[int]]
    # Examples without an answer within the context.
    num_left_out: int = field(default=0)


def open_rows(config: TextFinetuneConfig, place: Path) -> Rows:
    rows = read_rows(place)
    first = next(rows)

    def all_rows() -> Iterator[Row]:
        yield first
        yield from rows

    return Rows(find_columns(config, first), all_rows())


def load_examples(
    config: TextFinetuneConfig, rows: Rows, tokenizer: AnswerTokenizer, context: int
) -> Examples:
    """Every example that has something to learn within the context."""
    num_left_out = 0
    origins = Origins()

    def tokens() -> Iterator[Tokens]:
        nonlocal num_left_out
        for dialogue in read_dialogues(rows.all, rows.columns):
            found = tokenizer.encode(dialogue)
            # Nothing stands before the first token, so nobody learns it.
            if found.learnt[1:].any():
                origins.add(dialogue.row)
                yield found
            else:
                num_left_out += 1

    store = TokenStore(tokens())
    if len(store) == 0:
        raise ValueError(
            f"none of the {num_left_out} examples has an answer within {context} tokens; give a larger context"
        )
    return Examples(store, origins, _split(config, len(store)), num_left_out)


def _split(config: TextFinetuneConfig, num_examples: int) -> dict[str, list[int]]:
    generator = torch.Generator().manual_seed(config.split_seed)
    order = torch.randperm(num_examples, generator=generator).tolist()
    num_validation = max(1, round(num_examples * config.validation_fraction))
    num_test = round(num_examples * config.test_fraction)
    if num_validation + num_test >= num_examples:
        raise ValueError(
            f"{num_examples} examples are too few: {num_validation} go to validation and {num_test} to the test"
        )
    return {
        "train": order[num_validation + num_test :],
        "validation": order[:num_validation],
        "test": order[num_validation : num_validation + num_test],
    }
