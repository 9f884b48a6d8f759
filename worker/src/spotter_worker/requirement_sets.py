"""Owns the packages that only some recipes need: installed when the first such run asks for them. Standard library only.

A set is `worker/requirements-<name>.txt`. What `npm run setup -- <name>` installs is the same file; whichever comes
first does the work.
"""

from __future__ import annotations

import fcntl
import importlib
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import IO

FOLDER = Path(__file__).parents[2]
LOCK_NAME = "spotter-requirement-sets.lock"
PIP_FLAGS = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
# A network that is away should be told in a minute, not after pip's usual five tries.
PIP_PATIENCE = ["--retries", "2", "--timeout", "20"]
LOOK_S = 0.1
NOISE = ("Requirement already satisfied", "Looking in ", "Collecting ", "Ignoring ", "  Using ")


class MissingPackagesError(Exception):
    """A requirement set that is neither here nor to be had; says what to do."""


class InstallationStoppedError(Exception):
    """Somebody asked the run to end while its packages were being installed."""


class Patience:
    """Whether anybody still waits for an installation. The job says it once: recipes ask for sets deep inside."""

    def __init__(self) -> None:
        self.is_end_asked: Callable[[], bool] = lambda: False

    def check(self) -> None:
        if self.is_end_asked():
            raise InstallationStoppedError(
                "the run was asked to stop while packages were installed"
            )


PATIENCE = Patience()


def require_set(name: str, folder: Path = FOLDER) -> None:
    """Makes sure that every package of the set is here in its exact version; installs what is missing."""
    file = folder / f"requirements-{name}.txt"
    if not missing(file):
        return
    try:
        with open(Path(sys.prefix) / LOCK_NAME, "w") as lock:
            # Two runs that begin together install once.
            _take(lock)
            wanted = missing(file)
            if wanted:
                _install(name, file, wanted)
    except OSError as error:
        raise MissingPackagesError(_advice(name, str(error))) from error
    importlib.invalidate_caches()
    left = missing(file)
    if left:
        raise MissingPackagesError(_advice(name, f"after the installation {left[0]} is not here"))


def _take(lock: IO[str]) -> None:
    while True:
        PATIENCE.check()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(LOOK_S)


def missing(file: Path) -> list[str]:
    """Pins of a requirements file that apply to this Python and are not installed so."""
    wanted = []
    for line in file.read_text(encoding="utf-8").splitlines():
        requirement, _, marker = line.partition(";")
        if line.startswith("#") or not requirement.strip() or not _applies(marker):
            continue
        package, _, version = requirement.strip().partition("==")
        if _installed_version(package) != version:
            wanted.append(f"{package} {version}")
    return wanted


def _install(name: str, file: Path, wanted: list[str]) -> None:
    sizes = _sizes(file)
    print(f'the packages of the set "{name}" are missing: {", ".join(wanted)}', flush=True)
    print(f"installing them: {sizes} ...", flush=True)
    needed = (
        int(match.group(1)) * 1_000_000 if (match := re.search(r"(\d+) MB on disk", sizes)) else 0
    )
    free = shutil.disk_usage(sys.prefix).free
    if free < needed:
        raise MissingPackagesError(
            _advice(
                name,
                f"they need {needed // 1_000_000} MB in {sys.prefix}, {free // 1_000_000} MB are free",
            )
        )
    command = [sys.executable, "-m", "pip", "install", *PIP_FLAGS, *PIP_PATIENCE, "-r", str(file)]
    constraints = file.parent / "requirements.txt"
    if constraints.is_file():
        # What the other recipes stand on stays as it is.
        command += ["-c", str(constraints)]
    error = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None
        threading.Thread(target=_end_with_patience, args=(pip,), daemon=True).start()
        for line in pip.stdout:
            if not line.startswith(NOISE):
                print(f"pip: {line.rstrip()}", flush=True)
            if line.startswith("ERROR: ") and not error:
                error = line.removeprefix("ERROR: ").strip()
    # A stop that becomes a signal ends pip too, which is no failure of its own.
    PATIENCE.check()
    if pip.returncode != 0:
        raise MissingPackagesError(_advice(name, error or f"pip ended with {pip.returncode}"))
    print(f'the packages of the set "{name}" are installed', flush=True)


def _end_with_patience(pip: subprocess.Popen[str]) -> None:
    """What pip has not finished it takes away again; the next run installs from what was downloaded."""
    while pip.poll() is None:
        if PATIENCE.is_end_asked():
            pip.terminate()
            return
        time.sleep(LOOK_S)


def _advice(name: str, reason: str) -> str:
    return (
        f'the packages of the set "{name}", which this recipe needs, could not be installed: {reason}.'
        f" Install them where there is a network with: npm run setup -- {name}"
    )


def _sizes(file: Path) -> str:
    match = re.search(r"^# Size: (.*)\.$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert match is not None, f"{file} says its size"
    return match.group(1)


def _applies(marker: str) -> bool:
    """Our files use one kind of marker: `python_version < "3.11"` or `>=`."""
    match = re.fullmatch(r'\s*(?:python_version (<|>=) "3\.(\d+)")?\s*', marker)
    assert match is not None, f"{marker!r} is not a marker that this file knows"
    if match.group(1) is None:
        return True
    is_older = sys.version_info[:2] < (3, int(match.group(2)))
    return is_older == (match.group(1) == "<")


def _installed_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
