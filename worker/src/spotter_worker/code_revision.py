"""Owns the answer to "which code trained this": a git revision with a mark for changes, or a hash of the files."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

PACKAGE = Path(__file__).parent
# A repository of any size answers these in milliseconds; a network disk that hangs must not hold the training up.
_GIT_TIMEOUT_S = 10.0
_DIRTY = "-dirty"


def code_revision(folder: Path = PACKAGE) -> str:
    """The revision of the repository that holds the folder's Python files, with `-dirty` behind it where they differ
    from it. Without git, or in a folder that git does not track (an installed package inside somebody's repository),
    `sha256:` and a hash of every Python file."""
    revision = _git(folder, "rev-parse", "HEAD")
    if revision is None or not _git(folder, "ls-files", "--", "*.py"):
        return f"sha256:{_hash_of(folder)}"
    # Only this folder: a note that lies elsewhere in the repository trained nothing.
    changes = _git(folder, "status", "--porcelain", "--", ".")
    return revision + (_DIRTY if changes else "")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where there is no git, no repository, or one that git does not trust."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "--no-optional-locks", *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _hash_of(folder: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*.py"), key=lambda file: file.relative_to(folder).as_posix()):
        total.update(file.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
