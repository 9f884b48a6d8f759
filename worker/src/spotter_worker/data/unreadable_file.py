"""Owns what is said of a data file that cannot be read: which one, by its place in the data, and why."""

from __future__ import annotations

from pathlib import Path


class UnreadableFileError(ValueError):
    """`noun`: what it was taken for, "an image"."""

    def __init__(self, path: Path, noun: str, cause: Exception | str) -> None:
        # The file's class (its folder) and name tell whose it is; where the server keeps it tells nobody anything, and
        # libraries name the whole path once more.
        reason = str(cause)
        for said in (f" {str(path)!r}", f" {str(path)}:", str(path)):
            reason = reason.replace(said, "")
        reason = reason.strip().rstrip(":.") or type(cause).__name__
        super().__init__(f"{place_in_data(path)}: not {noun} that can be read ({reason})")
        self.path = path


def place_in_data(path: Path) -> str:
    return f"{path.parent.name}/{path.name}" if path.parent.name else path.name
