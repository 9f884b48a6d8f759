"""Owns the wire: requests to the server over one kept-alive connection. Standard library only."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Longer than the long poll (30 s at most) would need its own timeout; see `request`.
TIMEOUT_S = 15.0


class ServerUnreachableError(Exception):
    """No answer, or one that says to try again: nothing is known about what the server stored."""


class ServerRefusedError(Exception):
    """The server understood and said no."""

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any]) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.details = details


class ServerClient:
    """One connection for one thread. Reads the server's address again whenever a connection fails."""

    def __init__(self, home: Path, token: str) -> None:
        self._address_file = home / "server.json"
        self._token = token
        self._connection: http.client.HTTPConnection | None = None
        self._prefix = ""

    def request(
        self, method: str, path: str, body: bytes | None = None, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._token}", "accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        try:
            connection = self._connect(timeout_s)
            connection.request(method, self._prefix + path, body=body, headers=headers)
            response = connection.getresponse()
            status, payload = response.status, response.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise ServerUnreachableError(f"{type(error).__name__}: {error}") from error
        if status >= 500 or status == 429:
            raise ServerUnreachableError(f"the server answered {status}: {payload[:300]!r}")
        answer = _parse_object(payload)
        if status < 400 and answer is not None:
            return answer
        raise _refusal(status, answer)

    def address_stamp(self) -> int:
        """Changes when a server has started and written its address anew."""
        try:
            return self._address_file.stat().st_mtime_ns
        except OSError:
            return 0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._connection is not None:
            if self._connection.sock is not None:
                self._connection.sock.settimeout(timeout_s)
                return self._connection
            self.close()
        address = json.loads(self._address_file.read_text())
        url = urlsplit(address.get("advertise_url") or address["url"])
        if url.hostname is None:
            raise ValueError(f"{self._address_file} holds no usable address")
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname, url.port, timeout=timeout_s)
        connection.connect()
        # Without it a small batch waits for the previous acknowledgement: 40 ms on a live chart.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._prefix = url.path.rstrip("/")
        self._connection = connection
        return connection


def _parse_object(payload: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(payload)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _refusal(status: int, answer: dict[str, Any] | None) -> Exception:
    error = (answer or {}).get("error")
    if status < 400 or not isinstance(error, dict):
        # Not our server's envelope (a proxy's page, another program on the port): try again later.
        return ServerUnreachableError(f"answer {status} is not one of a Spotter server")
    return ServerRefusedError(
        status,
        str(error.get("code", "")),
        str(error.get("message", "")),
        error.get("details") or {},
    )
