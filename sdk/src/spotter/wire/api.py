"""Owns the wire: requests to the server over one kept-alive connection. Standard library only."""

from __future__ import annotations

import json
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from .exchange import Answer, AnswerError, exchange

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
    """One connection for one thread.

    `server` is its address, or the data folder that names it; then the address is read again whenever a
    connection fails.
    """

    def __init__(self, server: Path | str, token: str) -> None:
        self._address_file = server / "server.json" if isinstance(server, Path) else None
        self._address = server if isinstance(server, str) else ""
        self._token = token
        self._socket: socket.socket | None = None
        self._reader: BinaryIO | None = None
        self._host = self._prefix = ""

    def request(
        self, method: str, path: str, body: bytes | None = None, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        try:
            answer = self._exchange(method, path, body, timeout_s)
        except (OSError, AnswerError, ValueError, KeyError) as error:
            self.close()
            raise ServerUnreachableError(f"{type(error).__name__}: {error}") from error
        if answer.status >= 500 or answer.status == 429:
            raise ServerUnreachableError(f"answer {answer.status}: {answer.body[:300]!r}")
        content = _parse_object(answer.body)
        if answer.status < 400 and content is not None:
            return content
        raise _refusal(answer.status, content)

    def upload(self, path: str, content: BinaryIO, size: int, timeout_s: float) -> dict[str, Any]:
        """Sends a file's bytes over a connection of their own."""
        url = urlsplit(self.address())
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=timeout_s)
        headers = {
            "authorization": f"Bearer {self._token}",
            "content-type": "application/octet-stream",
            "content-length": str(size),
        }
        try:
            connection.request("PUT", url.path.rstrip("/") + path, content, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            raise ServerUnreachableError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        parsed = _parse_object(body)
        if answer.status < 400 and parsed is not None:
            return parsed
        if answer.status >= 500 or answer.status == 429:
            raise ServerUnreachableError(f"answer {answer.status}: {body[:300]!r}")
        raise _refusal(answer.status, parsed)

    def address_stamp(self) -> int:
        """Changes when a server has started and written its address anew."""
        try:
            return self._address_file.stat().st_mtime_ns if self._address_file else 0
        except OSError:
            return 0

    def close(self) -> None:
        for one in (self._reader, self._socket):
            if one is not None:
                one.close()
        self._reader = self._socket = None

    def _exchange(self, method: str, path: str, body: bytes | None, timeout_s: float) -> Answer:
        if self._socket is None:
            self._connect(timeout_s)
        assert self._socket is not None and self._reader is not None
        self._socket.settimeout(timeout_s)
        content = "content-type: application/json\r\n" if body is not None else ""
        head = (
            f"{method} {self._prefix}{path} HTTP/1.1\r\nhost: {self._host}\r\n"
            f"authorization: Bearer {self._token}\r\naccept: application/json\r\n{content}"
        )
        answer = exchange(self._socket, self._reader, head, body)
        if not answer.keeps_alive:
            self.close()
        return answer

    def _connect(self, timeout_s: float) -> None:
        url = urlsplit(self.address())
        if url.hostname is None or url.scheme not in ("http", "https"):
            raise ValueError(f"{self._address_file or self._address} is no usable address")
        is_secure = url.scheme == "https"
        port = url.port or (443 if is_secure else 80)
        connection = socket.create_connection((url.hostname, port), timeout_s)
        # Without it a small batch waits for the previous acknowledgement: 40 ms on a live chart.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if is_secure:
            context = ssl.create_default_context()
            connection = context.wrap_socket(connection, server_hostname=url.hostname)
        self._socket, self._reader = connection, connection.makefile("rb")
        self._host = url.netloc.rsplit("@", 1)[-1]
        self._prefix = url.path.rstrip("/")

    def address(self) -> str:
        """Of the server, as it is known now."""
        if self._address_file is None:
            return self._address
        address = json.loads(self._address_file.read_text())
        return str(address.get("advertise_url") or address["url"])


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
