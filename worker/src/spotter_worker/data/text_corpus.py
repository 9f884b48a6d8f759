"""Owns where the text of a language model comes from: files read strictly as UTF-8, or Python's own library."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path

# A few minutes of training on a laptop never see more.
BUILTIN_BYTES = 2 * 2**20


def load_documents(data: dict[str, str], place: Path | None, text_field: str) -> list[str]:
    """The texts, in the order of their files' names."""
    documents = _python_source() if "builtin" in data else _from_files(place, text_field)
    documents = [document for document in documents if document]
    if not documents:
        raise ValueError(f"{place}: all texts are empty")
    return documents


def decode_text(content: bytes, file: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} is not UTF-8: the byte at offset {error.start} fits no character; convert the file to UTF-8"
        ) from error


def _python_source() -> list[str]:
    """The standard library's own modules: real text that is on every machine, the same for one Python version."""
    documents, size = [], 0
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = decode_text(file.read_bytes(), file)
        documents.append(text)
        size += len(text)
        if size >= BUILTIN_BYTES:
            break
    return documents


def _from_files(place: Path | None, text_field: str) -> list[str]:
    assert place is not None, "a source that is not built in has a place"
    if place.is_file():
        files = [place]
    else:
        files = sorted(file for file in place.rglob("*") if file.suffix in (".txt", ".jsonl"))
    if not files or not place.exists():
        raise ValueError(f"{place}: there is no .txt or .jsonl file on this machine")
    documents: list[str] = []
    for file in files:
        text = decode_text(file.read_bytes(), file)
        documents += _rows(text, file, text_field) if file.suffix == ".jsonl" else [text]
    return documents


def _rows(text: str, file: Path, text_field: str) -> list[str]:
    documents = []
    # Not splitlines: a JSON text may hold other line separators than this one.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{file}, row {number}: not JSON ({error})") from error
        if not isinstance(row, dict) or not isinstance(row.get(text_field), str):
            found = ", ".join(row) if isinstance(row, dict) else type(row).__name__
            raise ValueError(
                f"{file}, row {number}: no text in the field {text_field!r}; there is: {found}"
            )
        documents.append(row[text_field])
    return documents
