"""A Hub on this machine that serves model folders: what huggingface_hub asks for, and what it is told when things fail."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubStub:
    """`models`: folder by name. Those in `gated` want the token."""

    def __init__(self, models: dict[str, Path], gated: frozenset[str] = frozenset()) -> None:
        self.models, self.gated = models, gated
        self.token = "hf_secret"
        # What `main` is, and what other commits there are: their models' folders, by commit.
        self.commit = COMMIT
        self.older: dict[str, dict[str, Path]] = {}
        # (method, path) of every request.
        self.requests: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        parts = path.strip("/").split("/")
        is_api = parts[:2] == ["api", "models"]
        name = "/".join(parts[2:4] if is_api else parts[:2])
        folder = self.models.get(name)
        if folder is None:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        if name in self.gated and token != f"Bearer {self.token}" and not is_api:
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        revision = parts[5] if is_api and len(parts) > 5 else "main" if is_api else parts[3]
        commit = self.commit if revision == "main" else revision
        if commit in self.older:
            folder = self.older[commit][name]
        elif commit != self.commit:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        if is_api:
            return 200, {"Content-Type": "application/json"}, self._facts(name, folder, commit)
        file = folder / "/".join(parts[4:])
        if not file.is_file():
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}
            return 404, headers, b""
        content = file.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        return 200, {"X-Repo-Commit": commit, "ETag": etag}, content

    def _facts(self, name: str, folder: Path, commit: str) -> bytes:
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        siblings: list[dict[str, Any]] = [
            {"rfilename": file.relative_to(folder).as_posix(), "size": file.stat().st_size}
            for file in files
        ]
        told = {"id": name, "sha": commit, "private": False, "gated": name in self.gated}
        return json.dumps({**told, "tags": [], "siblings": siblings}).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(with_body=True)

            def do_HEAD(self) -> None:
                self._reply(with_body=False)

            def log_message(self, *_arguments: Any) -> None:
                return

            def _reply(self, with_body: bool) -> None:
                path = urlsplit(self.path).path
                stub.requests.append((self.command, path))
                status, headers, body = stub.answer(path, self.headers.get("Authorization"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

        return Handler
