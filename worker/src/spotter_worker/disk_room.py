"""Owns room on the disk: asked for before something large is written, and a full disk told as such afterwards."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MIB = 2**20
# Of a disk, and of a person's or project's share of one.
FULL = (errno.ENOSPC, errno.EDQUOT)
# Left free after a large file: a full disk would stop the server too.
RESERVE_BYTES = 256 * MIB
# With less than this left, a write that failed has failed for want of room, whatever the library says.
FULL_BYTES = 8 * MIB


def require_room(folder: Path, size: int, what: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < size + RESERVE_BYTES:
        raise OSError(
            errno.ENOSPC,
            f"{what} needs {size // MIB + 1} MiB and {RESERVE_BYTES // MIB} MiB to spare, "
            f"{free // MIB} MiB are free",
            str(folder),
        )


@contextmanager
def whole_or_gone(path: Path, what: str) -> Iterator[None]:
    """Around writing a file or folder: what fails leaves nothing half written."""
    try:
        yield
    # Whatever went wrong goes on up; safetensors and torch have words of their own for a full disk.
    except BaseException as error:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        free = shutil.disk_usage(path.parent).free
        if isinstance(error, Exception) and free < FULL_BYTES and not isinstance(error, OSError):
            raise OSError(
                errno.ENOSPC, f"the disk became full while {what} was written", str(path.parent)
            ) from error
        raise
