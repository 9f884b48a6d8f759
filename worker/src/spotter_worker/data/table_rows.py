"""Owns reading rows with named columns from JSON Lines, JSON, CSV and Parquet files, one after the other.

Whatever is wrong with a file is a ValueError that names it and the row.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
# A single field of a CSV; the module's own bound of 128 KiB is less than a long article.
MAX_FIELD = 16 * 1024**2
PARQUET_ROWS = 1024


@dataclass(frozen=True)
class Row:
    file: Path
    # From 1, as editors count lines where the format has them.
    number: int
    values: dict[str, Any]

    def error(self, words: str) -> ValueError:
        return ValueError(f"{self.file}, row {self.number}: {words}")


def read_rows(place: Path) -> Iterator[Row]:
    """Rows of a file, or of all such files of a folder in the order of their names."""
    for file in _files(place):
        found = False
        for number, values in _READERS[file.suffix.lower()](file):
            found = True
            yield Row(file, number, values)
        if not found:
            raise ValueError(f"{file}: there are no rows in it")


def _files(place: Path) -> list[Path]:
    if not place.exists():
        raise ValueError(f"{place}: there is no such file or folder on this machine")
    if place.is_file():
        if place.suffix.lower() not in SUFFIXES:
            raise ValueError(f"{place}: expected a file of rows ({', '.join(SUFFIXES)})")
        return [place]
    files = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"{place}: there is no file of rows in it ({', '.join(SUFFIXES)})")
    # Beside rows in other files, .json tells of the data (as in folders from the Hub).
    return [file for file in files if file.suffix.lower() != ".json"] or files


def _json_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with open(file, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            text = _decoded(line, file, number)
            if not text.strip():
                continue
            try:
                values = json.loads(text)
            except ValueError as error:
                raise ValueError(f"{file}, row {number}: no JSON ({error})") from error
            yield number, _as_object(values, file, number)


def _json_array(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    text = _decoded(file.read_bytes(), file, None)
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{file}: no JSON ({error})") from error
    if not isinstance(rows, list):
        raise ValueError(f"{file}: expected a JSON list of rows; for one row a line use .jsonl")
    for number, values in enumerate(rows, start=1):
        yield number, _as_object(values, file, number)


def _table(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(MAX_FIELD)
    text = _decoded(file.read_bytes(), file, None)
    separator = "\t" if file.suffix.lower() == ".tsv" else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for values in reader:
            if None in values:
                raise ValueError(
                    f"{file}, row {reader.line_num}: more fields than the first row has names; put texts with commas"
                    " in quotes"
                )
            yield reader.line_num, values
    except csv.Error as error:
        raise ValueError(f"{file}, row {reader.line_num + 1}: no CSV ({error})") from error


def _parquet(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=PARQUET_ROWS):
                for values in batch.to_pylist():
                    number += 1
                    yield number, values
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{file}: no sound Parquet file after row {number} ({error})") from error


_READERS = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_array,
    ".csv": _table,
    ".tsv": _table,
    ".parquet": _parquet,
}


def _decoded(content: bytes, file: Path, number: int | None) -> str:
    try:
        return content.decode("utf-8-sig" if number in (None, 1) else "utf-8")
    except UnicodeDecodeError as error:
        row = number if number is not None else content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{file}, row {row}: not UTF-8; save the file as UTF-8") from error


def _as_object(values: Any, file: Path, number: int) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"{file}, row {number}: no JSON object with names and values")
    return values
