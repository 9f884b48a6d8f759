"""Owns files that must be written, however long the disk is full. Standard library only."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

RETRY_S = 1.0

T = TypeVar("T")


def until_written(attempt_dir: Path, write: Callable[[], T]) -> T:
    """Does it again for as long as the disk does not take it: what ends a worker must be told."""
    while True:
        try:
            return write()
        except OSError as error:
            if not attempt_dir.exists():
                # The run was removed with all that it had: there is nothing to tell, and nobody to tell it to.
                raise SystemExit(f"the attempt's folder {attempt_dir} is gone") from error
            print(f"WARNING cannot write: {error}", file=sys.stderr, flush=True)
            time.sleep(RETRY_S)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Beside and renamed: a reader finds the whole of it, or nothing."""
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(json.dumps(content))
    beside.replace(path)
