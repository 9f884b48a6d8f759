"""Owns checkpoints: complete state in a folder, written beside and renamed, the manifest with all hashes last.

A folder whose manifest is missing or whose files do not match it does not count; the one before it is used.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from .disk_room import require_room, whole_or_gone
from .task import TaskState
from .weights import file_sha256

FORMAT_VERSION = 2
MANIFEST_NAME = "manifest.json"
MEGABYTE = 10**6

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Contents:
    """Everything that decides how a run goes on."""

    model: Tensors
    optimizer: dict[str, Any]
    # The weights of the best evaluation so far, and the running average; None where there is none.
    best: Tensors | None
    averaged: Tensors | None
    # Of the loss scaler; empty where there is none.
    scaler: dict[str, Any]
    # By process.
    random: list[dict[str, Any]]
    progress: dict[str, Any]
    config: dict[str, Any]
    task: TaskState = field(default_factory=TaskState)


@dataclass(frozen=True)
class SavedCheckpoint:
    path: Path
    step: int
    size: int
    manifest_sha256: str


@dataclass(frozen=True)
class LoadedCheckpoint:
    path: Path
    step: int
    contents: Contents


@dataclass(frozen=True)
class RemovedCheckpoint:
    path: Path
    size: int


class CheckpointFolder:
    def __init__(self, folder: Path, keep_last: int, budget_mb: float | None = None) -> None:
        self._folder = folder
        self._keep_last = keep_last
        self._budget = None if budget_mb is None else budget_mb * MEGABYTE

    def save(self, step: int, contents: Contents) -> SavedCheckpoint:
        target = self.path(step)
        beside = self._folder / f".{target.name}.tmp"
        require_room(self._folder, _size(contents), "a checkpoint")
        self.clear_leftovers()
        beside.mkdir(parents=True)
        with whole_or_gone(beside, "a checkpoint"):
            _write_contents(beside, contents)
            size = _write_manifest(beside, step)
        if target.exists():
            # Renamed, not removed: at every moment one of the two is whole.
            target.rename(self._folder / f".{target.name}.old.tmp")
        beside.rename(target)
        _sync_folder(self._folder)
        self.clear_leftovers()
        return SavedCheckpoint(target, step, size, file_sha256(target / MANIFEST_NAME))

    def clear_leftovers(self) -> None:
        """What a crash has left half written."""
        for path in self._folder.glob(".step-*.tmp"):
            shutil.rmtree(path)

    def prune(
        self, best_steps: Collection[int], wanted_steps: Collection[int] = ()
    ) -> list[RemovedCheckpoint]:
        """Removes all but the last few, the best few (`best_steps`, the best first) and the wanted ones, then what is over
        the budget.
        """
        best = list(best_steps)
        steps = self.steps()
        gone = [
            step
            for step in steps[: -self._keep_last]
            if step not in best and step not in wanted_steps
        ]
        kept = [step for step in steps if step not in gone]
        # The newest and the best stay whatever they weigh; the ordinary go before the other good ones.
        spare = [step for step in kept[:-1] if step not in best]
        spare += [step for step in reversed(best[1:]) if step in kept[:-1]]
        sizes = {step: _folder_size(self.path(step)) for step in steps}
        while (
            self._budget is not None and spare and sum(sizes[step] for step in kept) > self._budget
        ):
            gone.append(spare.pop(0))
            kept.remove(gone[-1])
        return self._remove(gone, sizes)

    def remove_after(self, step: int) -> list[RemovedCheckpoint]:
        """What a run that went back has left ahead of it."""
        ahead = [one for one in self.steps() if one > step]
        return self._remove(ahead, {one: _folder_size(self.path(one)) for one in ahead})

    def _remove(self, steps: list[int], sizes: dict[int, int]) -> list[RemovedCheckpoint]:
        for step in steps:
            shutil.rmtree(self.path(step))
        return [RemovedCheckpoint(self.path(step), sizes[step]) for step in steps]

    def steps(self) -> list[int]:
        """Of all checkpoints, rising."""
        names = (path.name for path in self._folder.glob("step-*"))
        return sorted(int(name.removeprefix("step-")) for name in names)

    def load_newest(self, wanted: Path) -> LoadedCheckpoint | None:
        """The wanted checkpoint, or the newest sound one before it."""
        wanted_step = int(wanted.name.removeprefix("step-"))
        for step in reversed([step for step in self.steps() if step <= wanted_step]):
            path = self.path(step)
            problem = find_damage(path)
            if problem is None:
                return LoadedCheckpoint(path, step, read_contents(path))
            print(f"WARNING checkpoint {path.name} is not used: {problem}", file=sys.stderr)
        return None

    def path(self, step: int) -> Path:
        return self._folder / f"step-{step:08d}"


def find_damage(path: Path) -> str | None:
    """What is wrong with a checkpoint folder; None when it is sound. Another format's is the user's to settle."""
    try:
        manifest = json.loads((path / MANIFEST_NAME).read_text())
    except (OSError, ValueError) as error:
        return f"its manifest cannot be read ({error})"
    found = manifest.get("format_version")
    if found != FORMAT_VERSION:
        raise ValueError(
            f"{path.name} was written by another version of Spotter: its format is {found}, this worker reads "
            f"{FORMAT_VERSION}. Resume it with that version, or start a new run from its weights"
        )
    for name, expected in manifest["files"].items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != expected["size"] or file_sha256(file) != expected["sha256"]:
            return f"{name} differs from its hash in the manifest"
    return None


def _write_contents(folder: Path, contents: Contents) -> None:
    for name, tensors in _tensor_files(contents).items():
        save_file(_apart(tensors), folder / name)
    torch.save(contents.optimizer, folder / "optimizer.pt")
    torch.save(contents.random, folder / "random.pt")
    for name in ("scaler", "progress"):
        (folder / f"{name}.json").write_text(json.dumps(getattr(contents, name)))
    (folder / "config.json").write_text(json.dumps(contents.config, indent=2))
    if contents.task.facts:
        (folder / "task.json").write_text(json.dumps(contents.task.facts))


def read_contents(folder: Path) -> Contents:
    def tensors(name: str) -> Tensors | None:
        path = folder / f"{name}.safetensors"
        return load_file(path) if path.exists() else None

    def parsed(name: str) -> dict[str, Any]:
        content = json.loads((folder / f"{name}.json").read_text())
        assert isinstance(content, dict)
        return content

    return Contents(
        model=load_file(folder / "model.safetensors"),
        optimizer=torch.load(folder / "optimizer.pt", map_location="cpu", weights_only=True),
        best=tensors("best"),
        averaged=tensors("averaged"),
        scaler=parsed("scaler"),
        random=torch.load(folder / "random.pt", weights_only=True),
        progress=parsed("progress"),
        config=parsed("config"),
        task=TaskState(
            dict(tensors("task") or {}), parsed("task") if (folder / "task.json").exists() else {}
        ),
    )


def _tensor_files(contents: Contents) -> dict[str, Tensors]:
    files = {
        "model": contents.model,
        "best": contents.best,
        "averaged": contents.averaged,
        "task": contents.task.tensors or None,
    }
    return {f"{name}.safetensors": one for name, one in files.items() if one is not None}


def _apart(tensors: Tensors) -> dict[str, torch.Tensor]:
    """On the CPU and each in memory of its own: safetensors refuses tied weights."""
    apart: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        one = tensor.detach().cpu().contiguous()
        pointer = one.untyped_storage().data_ptr()
        apart[name] = one.clone() if pointer in seen else one
        seen.add(pointer)
    return apart


def _write_manifest(folder: Path, step: int) -> int:
    files = {
        path.name: {"size": path.stat().st_size, "sha256": file_sha256(path)}
        for path in sorted(folder.iterdir())
    }
    for path in folder.iterdir():
        _sync_file(path)
    manifest = folder / MANIFEST_NAME
    manifest.write_text(
        json.dumps({"format_version": FORMAT_VERSION, "step": step, "files": files}, indent=2)
    )
    _sync_file(manifest)
    _sync_folder(folder)
    return _folder_size(folder)


def _size(contents: Contents) -> int:
    tensors = [tensor for file in _tensor_files(contents).values() for tensor in file.values()]
    tensors += _tensors_in(contents.optimizer)
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _tensors_in(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [tensor for one in inner for tensor in _tensors_in(one)]


def _folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _sync_file(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
