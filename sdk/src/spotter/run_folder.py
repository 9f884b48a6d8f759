"""Owns the folder that keeps a run of an own script for as long as the server does not have all of it.

`run.json` says what it is, `spool/` its numbered batches, `files/` copies of what was handed in. What the server has is
removed; what it does not have is handed over by `python -m spotter sync <folder>`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .files import UNFINISHED
from .wire.api import ServerClient
from .wire.spool import Spool

MAX_TITLE = 200
# An upload may take its time; a line that says nothing for so long is cut.
UPLOAD_TIMEOUT_S = 120.0


class RunFolder:
    """One run; `facts` is `run.json`."""

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path = path
        self.facts = facts

    @classmethod
    def create(cls, parent: Path, wish: dict[str, Any]) -> RunFolder:
        """`wish`: name, project, config, tags, note."""
        name = re.sub(r"[^\w.-]+", "-", wish["name"] or "run")[:60].strip("-.") or "run"
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = parent / f"{stamp}-{name}-{secrets.token_hex(3)}"
        is_new = not parent.exists()
        (path / "files").mkdir(parents=True)
        if is_new:
            # Runs are nothing to commit by accident; a folder of somebody's own is left as it is.
            (parent / ".gitignore").write_text("*\n")
        facts = {"format": "spotter-run", "version": 1, "client_id": secrets.token_hex(16)}
        folder = cls(path, {**facts, **wish, "run_id": None, "pid": os.getpid(), "host": _host()})
        folder.save()
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        try:
            facts = json.loads((path / "run.json").read_text())
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} holds no run of an own script: {error}") from error
        if not isinstance(facts, dict) or facts.get("format") != "spotter-run":
            raise ValueError(f"{path / 'run.json'} is not that of an own script's run")
        return cls(path, facts)

    @property
    def run_id(self) -> int | None:
        run_id = self.facts["run_id"]
        return None if run_id is None else int(run_id)

    def spool(self) -> Spool:
        return Spool(self.path / "spool", "worker")

    def open_run(self, client: ServerClient) -> int:
        """The run's number; opens it at the server if it is not yet. A repeat finds the one that was made first."""
        if self.run_id is not None:
            return self.run_id
        body: dict[str, Any] = {
            "config": self.facts["config"],
            "tags": self.facts["tags"],
            "note": self.facts["note"],
            "client_id": self.facts["client_id"],
        }
        if self.facts["name"]:
            body["name"] = self.facts["name"][:MAX_TITLE]
        if self.facts["project"] is not None:
            body["project_id"] = _project_id(client, self.facts["project"])
        run_id = int(client.request("POST", "/api/runs", json.dumps(body).encode())["id"])
        self.facts["run_id"] = run_id
        self.save()
        return run_id

    def waiting_files(self) -> list[Path]:
        files = sorted((self.path / "files").rglob("*"))
        return [path for path in files if path.is_file() and path.suffix != UNFINISHED]

    def upload(self, client: ServerClient, file: Path) -> None:
        """Hands one file over, and removes the copy."""
        name = quote(file.relative_to(self.path / "files").as_posix(), safe="")
        address = f"/api/runs/{self.run_id}/uploads?path={name}"
        with open(file, "rb") as content:
            client.upload(address, content, file.stat().st_size, UPLOAD_TIMEOUT_S)
        file.unlink()

    def note_end(self) -> None:
        """From now on the script writes nothing more here."""
        self.facts["ended"] = True
        self.save()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def save(self) -> None:
        beside = self.path / "run.json.tmp"
        beside.write_text(json.dumps(self.facts, indent=1))
        beside.replace(self.path / "run.json")


def _project_id(client: ServerClient, wanted: str | int) -> int:
    if isinstance(wanted, int) or wanted.isdecimal():
        return int(wanted)
    projects = client.request("GET", "/api/projects")["projects"]
    for project in projects:
        if project["name"].lower() == wanted.lower():
            return int(project["id"])
    known = ", ".join(project["name"] for project in projects)
    raise ValueError(f"there is no project {wanted!r}; there is: {known}")


def _host() -> str:
    return os.uname().nodename
