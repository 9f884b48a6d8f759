"""Owns copies of what people hand in: the file as it is now, with its hash, under a name inside the run's folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

CHUNK = 1024 * 1024
MAX_FILES = 1_000
# A copy that is not whole yet.
UNFINISHED = ".spotter-part"
# No climbing out, no empty parts, no control characters, nothing hidden.
NAME = re.compile(r"(?!.*(^|/)\.)(?!.*//)[^\x00-\x1f/\\][^\x00-\x1f\\]{0,199}(?<!/)")
KINDS = ("checkpoint", "weights", "config", "report", "other")


class KeptFile(NamedTuple):
    # Relative to the run's folder, forward slashes.
    path: str
    size: int
    sha256: str


def keep(source: Path, folder: Path, name: str) -> Iterator[KeptFile]:
    """Copies a file, or each file of a folder, to `folder/name`."""
    if NAME.fullmatch(name) is None:
        raise ValueError(
            f"{name!r} is no name of a file: relative, at most 200 characters, no part begins with a dot"
        )
    if source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.is_file())
        if len(files) > MAX_FILES:
            raise ValueError(f"{source} holds {len(files)} files, at most {MAX_FILES} are taken")
        for path in files:
            inner = f"{name}/{path.relative_to(source).as_posix()}"
            yield KeptFile(inner, *copy_hashed(path, folder / inner))
    else:
        yield KeptFile(name, *copy_hashed(source, folder / name))


def copy_hashed(source: Path, target: Path) -> tuple[int, str]:
    """Size and SHA-256 of the copy; it appears under its name whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    beside = target.with_name(f"{target.name}{UNFINISHED}")
    with open(source, "rb") as reader, open(beside, "wb") as writer:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            writer.write(chunk)
            size += len(chunk)
    os.replace(beside, target)
    return size, digest.hexdigest()


def keep_checkpoint(
    source: Path, run_folder: Path, step: int, counted_to: int | None = None
) -> KeptFile:
    """Copies a file or folder to `checkpoints/step-…`, its manifest last: without one it is no checkpoint.

    `counted_to`: the step of the last point, where the package counts the steps and not the script.
    """
    relative = f"checkpoints/step-{step:08d}"
    folder, beside = run_folder / relative, run_folder / f"{relative}.part"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    name = source.name.lstrip(".") or "checkpoint"
    files = list(keep(source, beside, name))
    manifest: dict[str, Any] = {
        "format": "spotter-program-checkpoint",
        "version": 1,
        "step": step,
        "name": name,
        "saved_at": time.time(),
        "files": [file._asdict() for file in files],
    }
    if counted_to is not None:
        manifest["counted_to"] = counted_to
    text = json.dumps(manifest, indent=1)
    (beside / "manifest.json").write_text(text)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return KeptFile(relative, sum(file.size for file in files), sha256)


def last_step_of(checkpoint: Path) -> int | None:
    """The last step whose points a kept checkpoint stands for: what goes on from it logs the next one."""
    try:
        manifest = json.loads((checkpoint / "manifest.json").read_text())
        return int(manifest.get("counted_to", manifest["step"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def older_checkpoints(run_folder: Path, keep_last: int) -> list[Path]:
    folders = sorted((run_folder / "checkpoints").glob("step-????????"))
    return folders[: max(0, len(folders) - max(1, keep_last))]
