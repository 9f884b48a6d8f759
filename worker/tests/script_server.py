"""A receiving end for own scripts: opens runs, takes their batches and files, as strictly as the server does."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from receiver import TOKEN, Receiver, _error, _reply


class ScriptServer(Receiver):
    """`runs` by client id; `files` by their path."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.runs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        # When set, what opening a run is answered with.
        self.refuse_runs: tuple[int, str] | None = None

    @property
    def url(self) -> str:
        return str(json.loads((self.home / "server.json").read_text())["advertise_url"])

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        projects = [{"id": 1, "name": "Default"}, {"id": 5, "name": "Digits"}]
        _reply(handler, 200, {"projects": projects})

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path != "/api/runs":
            super()._post(handler)
            return
        wish = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        if handler.headers["authorization"] != f"Bearer {TOKEN}":
            _reply(handler, 401, _error("not-signed-in"))
        elif self.refuse_runs is not None:
            _reply(handler, self.refuse_runs[0], _error(self.refuse_runs[1]))
        else:
            with self.changed:
                run = self.runs.setdefault(wish["client_id"], {**wish, "id": 40 + len(self.runs)})
                self.changed.notify_all()
            _reply(handler, 201, run)

    def _put(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        url = urlsplit(handler.path)
        assert url.path.endswith("/uploads") and handler.headers["authorization"].endswith(TOKEN)
        with self.changed:
            self.files[parse_qs(url.query)["path"][0]] = body
            self.changed.notify_all()
        _reply(handler, 200, {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)})
