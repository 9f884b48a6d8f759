"""Owns handing over a kept run: opens it at the server, sends its batches under their own numbers, then its files."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from .run_folder import RunFolder
from .wire.api import ServerClient, ServerRefusedError, ServerUnreachableError
from .wire.courier import CarriedSpool, Courier
from .wire.spool import Spool

# A server that takes nothing for so long is away.
PATIENCE_S = 30.0


def find_runs(parent: Path) -> list[Path]:
    if (parent / "run.json").exists():
        return [parent]
    return sorted(path.parent for path in parent.glob("*/run.json"))


def sync(path: Path, url: str, token: str) -> int:
    """0 when all of the run is with the server; the folder is gone then."""
    try:
        folder = RunFolder.open(path)
        if _still_runs(folder):
            return _say(path, "its script is still running", 1)
        return _hand_over(folder, url.rstrip("/"), token)
    except (ServerUnreachableError, ServerRefusedError, ValueError, OSError) as error:
        return _say(path, str(error), 1)


def _hand_over(folder: RunFolder, url: str, token: str) -> int:
    client = ServerClient(url, token)
    run_id = folder.open_run(client)
    spool = folder.spool()
    _close_books(folder, spool)
    finals: list[str] = []
    courier = Courier(
        spool, ServerClient(url, token), lambda: f"/api/runs/{run_id}/events", 1, finals.append
    )
    outlet = CarriedSpool(spool, courier)
    outlet.start()
    try:
        acked = -1
        while not outlet.wait_drained(PATIENCE_S):
            if finals or spool.acked_seq == acked:
                return _say(folder.path, f"the server does not take it ({', '.join(finals)})", 1)
            acked = spool.acked_seq
    finally:
        outlet.close()
    for file in folder.waiting_files():
        folder.upload(client, file)
    folder.remove()
    return _say(folder.path, f"is run {run_id} now: {url}/runs/{run_id}/charts", 0)


def _close_books(folder: RunFolder, spool: Spool) -> None:
    """A script that was killed could not tell how it ended; somebody must."""
    if folder.facts.get("ended") or _has_ending(folder.path / "spool" / "worker.jsonl"):
        return
    error = {
        "kind": "process-ended",
        "message": "The script ended without telling how.",
        "hint": None,
        "traceback": None,
    }
    event = {"type": "run-ended", "time": time.time(), "state": "failed", "error": error}
    spool.append(json.dumps([event]))


def _has_ending(path: Path) -> bool:
    with open(path, "rb") as lines:
        return any(
            b'"type":"run-ended"' in line or b'"type": "run-ended"' in line for line in lines
        )


def _still_runs(folder: RunFolder) -> bool:
    pid, host = folder.facts.get("pid"), folder.facts.get("host")
    if not isinstance(pid, int) or host != os.uname().nodename or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not folder.facts.get("ended")


def _say(path: Path, text: str, code: int) -> int:
    print(f"{path}: {text}", file=sys.stderr if code else sys.stdout)
    return code
