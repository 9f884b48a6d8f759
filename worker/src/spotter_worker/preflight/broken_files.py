"""Owns the list of files that cannot be read: training names the first, pre-flight the others too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..data.image_folder import SUFFIXES as IMAGE_SUFFIXES
from ..data.image_folder import decode_image
from ..data.labelled_texts import read_utf8
from ..data.sound_file import SUFFIXES as SOUND_SUFFIXES
from ..data.sound_file import read_sound
from .budget import Budget

MAX_TOLD = 20
TEXT_SUFFIXES = {".txt", ".csv", ".tsv", ".jsonl", ".ndjson"}


def find_broken(place: Path, budget: Budget) -> list[dict[str, str]]:
    files = [place] if place.is_file() else sorted(place.rglob("*"))
    broken: list[dict[str, str]] = []
    for file in files:
        read = _reader_of(file.suffix.lower())
        if read is None or file.name.startswith("."):
            continue
        if budget.is_spent or len(broken) >= MAX_TOLD:
            break
        try:
            read(file)
        except ValueError as error:
            broken.append({"file": str(file), "message": str(error)})
    return broken


def _reader_of(suffix: str) -> Callable[[Path], object] | None:
    if suffix in IMAGE_SUFFIXES:
        return lambda path: decode_image(path, 8, 3)
    if suffix in SOUND_SUFFIXES:
        return lambda path: read_sound(path, 8000, 3600.0)
    return read_utf8 if suffix in TEXT_SUFFIXES else None
