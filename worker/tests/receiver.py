"""A receiving end of the worker protocol: a real HTTP server that keeps what it was given."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-the-test"


class Receiver:
    """Numbers are checked as the server does: a repeat is a duplicate, a gap is refused."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.batches: list[dict[str, Any]] = []
        self.num_duplicates = 0
        self.commands: list[dict[str, Any]] = []
        self.spec: dict[str, Any] | None = None
        # When set, it may answer a batch itself: (status, body).
        self.intercept: Callable[[dict[str, Any]], tuple[int, dict[str, Any]] | None] | None = None
        # Cut the connection after storing, before the reply.
        self.drop_replies = 0
        self.changed = threading.Condition()
        self._last_seq: dict[tuple[int, str], int] = {}
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                receiver._get(self)

            def do_POST(self) -> None:
                receiver._post(self)

            def do_PUT(self) -> None:
                receiver._put(self)

            def log_message(self, *_: Any) -> None:
                return

        self._connections: list[Any] = []

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self) -> Any:
                connection, address = super().get_request()
                receiver._connections.append(connection)
                return connection, address

            def handle_error(self, *_: Any) -> None:
                # Connections are cut on purpose here.
                return

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.home.mkdir(parents=True, exist_ok=True)
        address = {"advertise_url": f"http://127.0.0.1:{self._server.server_port}"}
        (self.home / "server.json").write_text(json.dumps(address))

    def stop(self) -> None:
        """As a kill: open connections are cut."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:
            try:
                connection.shutdown(2)
            except OSError:
                continue
        self._server = None

    def wait_until(self, condition: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while True:
                found = condition()
                if found:
                    return found
                remaining = deadline - time.monotonic()
                assert remaining > 0, (
                    f"waited {timeout_s} s in vain; last events: {self.types()[-20:]}"
                )
                self.changed.wait(min(remaining, 0.2))

    def events(self, kind: str | None = None, source: str | None = None) -> list[dict[str, Any]]:
        return [
            event
            for batch in self.batches
            for event in batch["events"]
            if (kind is None or event["type"] == kind)
            and (source is None or batch["source"] == source)
        ]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def points(self, name: str) -> list[tuple[int, float, Any]]:
        found = []
        for event in self.events("metric-points"):
            columns = event["series"].get(name)
            if columns:
                found += list(zip(columns["step"], columns["time"], columns["value"], strict=True))
        return found

    def all_points(self) -> list[tuple[str, int, float, Any]]:
        names = {name for event in self.events("metric-points") for name in event["series"]}
        return sorted(((name, *point) for name in names for point in self.points(name)), key=repr)

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        if url.path.endswith("/commands"):
            query = {key: int(values[0]) for key, values in parse_qs(url.query).items()}
            with self.changed:
                self.changed.wait_for(lambda: self._after(query["after"]), min(query["wait"], 2))
                answer = {"commands": self._after(query["after"])}
            _reply(handler, 200, answer)
        elif self.spec is not None:
            _reply(handler, 200, self.spec)
        else:
            _reply(handler, 404, _error("job-not-found"))

    def _after(self, after: int) -> list[dict[str, Any]]:
        return [command for command in self.commands if command["id"] > after]

    def command(self, action: str) -> int:
        with self.changed:
            number = len(self.commands) + 1
            self.commands.append({"id": number, "action": action, "created_at": time.time()})
            self.changed.notify_all()
            return number

    def _put(self, handler: BaseHTTPRequestHandler) -> None:
        _reply(handler, 404, _error("not-found"))

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        batch = json.loads(body)
        assert handler.headers["authorization"] == f"Bearer {TOKEN}"
        with self.changed:
            status, answer = self._take(batch)
            self.changed.notify_all()
            if status == 200 and self.drop_replies > 0:
                self.drop_replies -= 1
                handler.connection.shutdown(2)
                handler.close_connection = True
                return
        _reply(handler, status, answer)

    def _take(self, batch: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        intercepted = self.intercept(batch) if self.intercept else None
        if intercepted is not None:
            return intercepted
        key = (batch["attempt"], batch["source"])
        last = self._last_seq.get(key, 0)
        if batch["seq"] <= last:
            self.num_duplicates += 1
            return 200, {"seq": batch["seq"], "duplicate": True, "commit_no": None}
        if batch["seq"] > last + 1:
            return 409, _error("sequence-gap", {"expected_seq": last + 1})
        self._last_seq[key] = batch["seq"]
        self.batches.append(batch)
        return 200, {"seq": batch["seq"], "duplicate": False, "commit_no": len(self.batches)}


def _error(code: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": code, "details": details or {}}}


def _reply(handler: BaseHTTPRequestHandler, status: int, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
