"""Owns folders with one sub-folder a class: which files belong to which class, in an order that never changes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class ClassFiles:
    paths: list[Path]
    labels: torch.Tensor
    classes: list[str]


def find_class_files(folder: Path, suffixes: Collection[str], noun: str) -> ClassFiles:
    """All files of these suffixes; an empty class, or fewer than two classes, is a ValueError."""
    root = find_root(folder, suffixes)
    classes = sorted(p.name for p in root.iterdir() if p.is_dir() and not _is_hidden(p))
    if not classes:
        raise ValueError(f"{folder}: no sub-folders; expected one folder of {noun} a class")
    paths: list[Path] = []
    labels: list[int] = []
    for number, name in enumerate(classes):
        found = [p for p in (root / name).rglob("*") if p.suffix.lower() in suffixes]
        paths += sorted(p for p in found if not _is_hidden(p))
        labels += [number] * (len(paths) - len(labels))
    targets = torch.tensor(labels, dtype=torch.int64)
    require_classes(str(root), classes, targets, noun)
    return ClassFiles(paths, targets, classes)


def find_root(folder: Path, suffixes: Collection[str]) -> Path:
    """A zip of `photos/` unpacks to one folder that holds the classes: that one."""
    while True:
        entries = [p for p in folder.iterdir() if not _is_hidden(p)]
        inner = [p for p in entries if p.is_dir()]
        if len(inner) != 1 or any(p.suffix.lower() in suffixes for p in entries):
            return folder
        if not any(p.is_dir() for p in inner[0].iterdir()):
            return folder
        folder = inner[0]


def require_classes(source: str, classes: list[str], labels: torch.Tensor, noun: str) -> None:
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    empty = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if empty:
        raise ValueError(f"{source}: the class {empty[0]!r} has no {noun}")
    if len(classes) < 2:
        raise ValueError(f"{source}: found {len(classes)} class; sorting needs at least two")


def _is_hidden(path: Path) -> bool:
    # macOS adds `._name` and `__MACOSX` to its zips.
    return path.name.startswith((".", "__MACOSX"))
