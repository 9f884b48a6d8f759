"""Owns where the text of a language model comes from: files read strictly as UTF-8, or Python's own library.

Text is read in pieces, so that it may be larger than memory; a piece ends where no word is cut.
"""

from __future__ import annotations

import codecs
import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# A few minutes of training on a laptop never see more.
BUILTIN_BYTES = 2 * 2**20
BLOCK_BYTES = 2**20
# The second ones are read only where the first are missing: beside texts, a README tells of them.
SUFFIXES = ((".txt", ".jsonl"), (".md", ".ndjson"))
ROWS = (".jsonl", ".ndjson")


class Piece(NamedTuple):
    """A stretch of a document, never empty; `is_first` where the document begins."""

    text: str
    is_first: bool


def source_files(data: dict[str, str], place: Path | None) -> list[Path]:
    """The files with the text, in the order of their names."""
    if "builtin" in data:
        return _python_source()
    assert place is not None, "a source that is not built in has a place"
    if place.is_file():
        return [place]
    files = sorted(place.rglob("*"))
    for suffixes in SUFFIXES:
        found = [file for file in files if file.suffix in suffixes]
        if found:
            return found
    wanted = ", ".join(suffix for suffixes in SUFFIXES for suffix in suffixes)
    raise ValueError(f"{place}: there is no file with text ({wanted}) on this machine")


def read_pieces(files: list[Path], text_field: str) -> Iterator[Piece]:
    """A file is one document; of JSON Lines each row is one."""
    for file in files:
        if file.suffix in ROWS:
            for row in _rows(file, text_field):
                if row:
                    yield Piece(row, True)
        else:
            is_first = True
            for text in _stretches(file):
                yield Piece(text, is_first)
                is_first = False


def _python_source() -> list[Path]:
    """The standard library's own modules: real text that is on every machine, the same for one Python version."""
    files, size = [], 0
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        files.append(file)
        size += file.stat().st_size
        if size >= BUILTIN_BYTES:
            break
    return files


def _stretches(file: Path) -> Iterator[str]:
    """The whole text, some at a time."""
    rest = ""
    for text in _decoded(file):
        rest += text
        place = _place_to_cut(rest)
        if place > 0:
            yield rest[:place]
            rest = rest[place:]
    if rest:
        yield rest


def _decoded(file: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    read = 0
    with open(file, "rb") as stream:
        while True:
            block = stream.read(BLOCK_BYTES)
            # Bytes of the block before that are still a part of a character.
            waiting = len(decoder.getstate()[0])
            try:
                yield decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise _not_utf8(f"{file}", read - waiting + error.start) from error
            read += len(block)
            if not block:
                return


def _place_to_cut(text: str) -> int:
    """In front of the last lone space or line end, where every tokenizer cuts too; 0 where the text must grow first."""
    if len(text) < BLOCK_BYTES // 4:
        return 0
    for place in range(len(text) - 2, 0, -1):
        if text[place] in " \n" and not text[place - 1].isspace() and not text[place + 1].isspace():
            return place
    # Text without spaces: a cut somewhere costs one token.
    return len(text) - 1


def _rows(file: Path, text_field: str) -> Iterator[str]:
    with open(file, "rb") as stream:
        # In bytes: a JSON text may hold other line separators than this one.
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            place = f"{file}, row {number}"
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError as error:
                raise _not_utf8(place, error.start) from error
            except ValueError as error:
                raise ValueError(f"{place}: not JSON ({error})") from error
            if not isinstance(row, dict) or not isinstance(row.get(text_field), str):
                found = ", ".join(row) if isinstance(row, dict) else type(row).__name__
                raise ValueError(f"{place}: no text in the field {text_field!r}; there is: {found}")
            text: str = row[text_field]
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise ValueError(
                    f"{place}: a \\u escape is half a character, which is no text"
                ) from error
            yield text


def _not_utf8(place: str, offset: int) -> ValueError:
    return ValueError(
        f"{place} is not UTF-8: the byte at offset {offset} fits no character; convert the file to UTF-8"
    )
