"""Owns checkpoints: complete state in a folder, written beside and renamed, the manifest with all
hashes last.

A folder whose manifest is missing or whose files do not match it does not count; the one before it
is used.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from safetensors.torch import load_file, save_file

from .device import device_random_state, set_device_random_state
from .task import Task
from .weights import file_sha256

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
# Left free on the disk after a checkpoint; a full disk would stop the server too.
RESERVE_BYTES = 256 * 1024**2


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
    # What the loop put in.
    progress: dict[str, Any]
    best_state: dict[str, torch.Tensor] | None


class CheckpointFolder:
    def __init__(self, folder: Path, keep_last: int) -> None:
        self._folder = folder
        self._keep_last = keep_last

    def save(
        self,
        task: Task,
        optimizer: torch.optim.Optimizer,
        step: int,
        progress: dict[str, Any],
        best_state: dict[str, torch.Tensor] | None,
    ) -> SavedCheckpoint:
        target = self._folder / f"step-{step:08d}"
        beside = self._folder / f".{target.name}.tmp"
        _require_space(self._folder, task)
        if beside.exists():
            shutil.rmtree(beside)
        beside.mkdir(parents=True)
        state = {name: t.contiguous().cpu() for name, t in task.model.state_dict().items()}
        save_file(state, beside / "model.safetensors")
        if best_state is not None:
            save_file(best_state, beside / "best.safetensors")
        torch.save(optimizer.state_dict(), beside / "optimizer.pt")
        torch.save(_random_states(task.device), beside / "random.pt")
        (beside / "progress.json").write_text(json.dumps(progress))
        (beside / "config.json").write_text(json.dumps(task.config.to_json(), indent=2))
        size = _write_manifest(beside, step)
        if target.exists():
            shutil.rmtree(target)
        beside.rename(target)
        _sync_folder(self._folder)
        return SavedCheckpoint(target, step, size, file_sha256(target / MANIFEST_NAME))

    def prune(self, protected_step: int | None) -> list[Path]:
        """Removes all but the last few and the protected one; returns what is gone."""
        steps = sorted(self.steps())
        gone = []
        for step in steps[: -self._keep_last]:
            if step != protected_step:
                path = self._folder / f"step-{step:08d}"
                shutil.rmtree(path)
                gone.append(path)
        return gone

    def steps(self) -> list[int]:
        return [int(path.name.removeprefix("step-")) for path in self._folder.glob("step-*")]

    def load_newest(
        self, task: Task, optimizer: torch.optim.Optimizer, wanted: Path
    ) -> LoadedCheckpoint | None:
        """Puts the wanted checkpoint, or the newest sound one before it, into the task."""
        wanted_step = int(wanted.name.removeprefix("step-"))
        for step in sorted((s for s in self.steps() if s <= wanted_step), reverse=True):
            path = self._folder / f"step-{step:08d}"
            problem = find_damage(path)
            if problem is None:
                return _load(task, optimizer, path, step)
            print(f"WARNING checkpoint {path.name} is not used: {problem}", file=sys.stderr)
        return None


def find_damage(path: Path) -> str | None:
    """What is wrong with a checkpoint folder; None when it is sound."""
    try:
        manifest = json.loads((path / MANIFEST_NAME).read_text())
    except (OSError, ValueError) as error:
        return f"its manifest cannot be read ({error})"
    if manifest.get("format_version") != FORMAT_VERSION:
        return f"its format is {manifest.get('format_version')}, this worker reads {FORMAT_VERSION}"
    for name, expected in manifest["files"].items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != expected["size"] or file_sha256(file) != expected["sha256"]:
            return f"{name} differs from its hash in the manifest"
    return None


def _load(task: Task, optimizer: torch.optim.Optimizer, path: Path, step: int) -> LoadedCheckpoint:
    task.model.load_state_dict(load_file(path / "model.safetensors"))
    optimizer_state = torch.load(path / "optimizer.pt", map_location="cpu", weights_only=True)
    optimizer.load_state_dict(optimizer_state)
    _restore_random(torch.load(path / "random.pt", weights_only=True), task.device)
    best = path / "best.safetensors"
    return LoadedCheckpoint(
        path=path,
        step=step,
        progress=json.loads((path / "progress.json").read_text()),
        best_state=load_file(best) if best.exists() else None,
    )


def _random_states(device: torch.device) -> dict[str, Any]:
    numpy_state = numpy.random.get_state(legacy=False)
    numpy_key = numpy_state["state"]["key"].tolist()  # type: ignore[index]
    return {
        "python": random.getstate(),
        "numpy": {**numpy_state, "state": {**numpy_state["state"], "key": numpy_key}},  # type: ignore[dict-item]
        "torch": torch.get_rng_state(),
        "device": device_random_state(device),
    }


def _restore_random(states: dict[str, Any], device: torch.device) -> None:
    random.setstate(states["python"])
    numpy_state = states["numpy"]
    key = numpy.array(numpy_state["state"]["key"], dtype=numpy.uint32)
    numpy.random.set_state({**numpy_state, "state": {**numpy_state["state"], "key": key}})
    torch.set_rng_state(states["torch"])
    if states["device"] is not None:
        set_device_random_state(device, states["device"])


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
    return sum(file["size"] for file in files.values()) + manifest.stat().st_size  # type: ignore[misc]


def _require_space(folder: Path, task: Task) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Weights, best weights and AdamW's two moments, in float32.
    needed = task.num_parameters * 4 * 4 + RESERVE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            28,
            f"a checkpoint needs {needed // 2**20} MiB, {free // 2**20} MiB are free",
            str(folder),
        )


def _sync_file(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
