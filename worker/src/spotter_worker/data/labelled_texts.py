"""Owns reading texts with labels: CSV and JSON Lines files, or a folder with one sub-folder a class of .txt files.

Whatever is wrong with a row is a ValueError that names file and row.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from .class_folder import find_class_files, require_classes
from .unreadable_file import place_in_data

TABLE_SUFFIXES = {".csv", ".tsv", ".jsonl", ".ndjson"}
# A single field of a CSV; the module's own bound of 128 KiB is less than a long article.
MAX_FIELD = 16 * 1024**2


@dataclass(frozen=True)
class LabelledTexts:
    texts: list[str]
    labels: torch.Tensor
    classes: list[str]
    # What a person knows a text by: `reviews.csv:12`, `class/file.txt`. Of the new texts alone where old ones are joined.
    name_of: Callable[[int], str]


def load_texts(place: Path, text_column: str, label_column: str) -> LabelledTexts:
    """`place` is a file of rows, or a folder of such files or of classes."""
    if not place.exists():
        raise ValueError(f"{place}: there is no such file or folder on this machine")
    if place.is_file():
        files = [place]
    else:
        files = sorted(p for p in place.iterdir() if p.suffix.lower() in TABLE_SUFFIXES)
        if not files:
            return _load_class_folder(place)
    rows = [
        (file.name, *row) for file in files for row in _read_rows(file, text_column, label_column)
    ]
    classes = sorted({label for *_, label in rows})
    numbers = {name: number for number, name in enumerate(classes)}
    labels = torch.tensor([numbers[label] for *_, label in rows], dtype=torch.int64)
    require_classes(str(place), classes, labels, "texts")
    places = [(file, number) for file, number, *_ in rows]
    texts = [text for *_, text, _ in rows]
    return LabelledTexts(texts, labels, classes, lambda index: "{}:{}".format(*places[index]))


def read_utf8(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}: row {row} is not UTF-8 text (byte {error.start}); save the file as UTF-8"
        ) from error


def _load_class_folder(folder: Path) -> LabelledTexts:
    files = find_class_files(folder, {".txt"}, ".txt files")
    texts = [read_utf8(path) for path in files.paths]
    for path, text in zip(files.paths, texts, strict=True):
        if not text.strip():
            raise ValueError(f"{path}: there is no text in it")
    return LabelledTexts(
        texts, files.labels, files.classes, lambda number: place_in_data(files.paths[number])
    )


def _read_rows(path: Path, text_column: str, label_column: str) -> Iterator[tuple[int, str, str]]:
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise ValueError(f"{path}: expected a .csv, .tsv or .jsonl file, or a folder")
    content = read_utf8(path)
    is_table = suffix in (".csv", ".tsv")
    separator = "\t" if suffix == ".tsv" else ","
    rows = _csv_rows(path, content, separator) if is_table else _json_rows(path, content)
    num_rows = 0
    for number, row in rows:
        for column in (text_column, label_column):
            if column not in row:
                raise ValueError(
                    f"{path}: row {number} has no {column!r}; it has: {', '.join(map(str, row))}"
                )
        text, label = row[text_column], row[label_column]
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{path}: row {number} has no text in {text_column!r}")
        if label is None or isinstance(label, dict | list) or not str(label).strip():
            raise ValueError(f"{path}: row {number} has no class in {label_column!r}")
        num_rows += 1
        yield number, text, str(label).strip()
    if num_rows == 0:
        raise ValueError(f"{path}: there are no rows in it")


def _csv_rows(path: Path, content: str, separator: str) -> Iterator[tuple[int, dict[str, object]]]:
    csv.field_size_limit(MAX_FIELD)
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if None in row:
                raise ValueError(
                    f"{path}: row {reader.line_num} has more fields than the first row has names; "
                    "put texts with commas in quotes"
                )
            yield reader.line_num, dict(row)
    except csv.Error as error:
        raise ValueError(f"{path}: row {reader.line_num + 1} is no CSV ({error})") from error


def _json_rows(path: Path, content: str) -> Iterator[tuple[int, dict[str, object]]]:
    # By "\n" alone: splitlines would also cut at rarer separators, which may stand within JSON's strings.
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}: row {number} is no JSON ({error})") from error
        if not isinstance(row, dict):
            raise ValueError(f"{path}: row {number} is no JSON object with names and values")
        yield number, row
