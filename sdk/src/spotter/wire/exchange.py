"""Owns one HTTP/1.1 request and its answer on an open socket. Standard library only.

`http.client` parses headers with the mail parser: 80 µs of processor time an answer, four times the
whole exchange below. At twenty batches a second that would be training's time.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import BinaryIO

# Our server's answers are small; anything larger is another program's.
MAX_BODY = 16 * 1024 * 1024
MAX_HEADERS = 100
MAX_LINE = 65_536


class AnswerError(Exception):
    """What came back is not HTTP as we know it, or ended early."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    # False: the other side will close, so must we.
    keeps_alive: bool


def exchange(connection: socket.socket, reader: BinaryIO, head: str, body: bytes | None) -> Answer:
    """`head` is the request line and headers without the empty line at their end."""
    length = "" if body is None else f"content-length: {len(body)}\r\n"
    request = f"{head}{length}\r\n".encode("ascii")
    # One segment for small batches: two would wait for each other.
    connection.sendall(request + body if body else request)
    status = 100
    while status == 100:
        version, status = _read_status(reader)
        headers = _read_headers(reader)
    keeps_alive = version == b"HTTP/1.1" and headers.get(b"connection", b"").lower() != b"close"
    if status in (204, 304):
        return Answer(status, b"", keeps_alive)
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return Answer(status, _read_chunks(reader), keeps_alive)
    if b"content-length" in headers:
        return Answer(status, _read(reader, int(headers[b"content-length"])), keeps_alive)
    return Answer(status, reader.read(MAX_BODY), False)


def _read_status(reader: BinaryIO) -> tuple[bytes, int]:
    parts = _read_line(reader).split(maxsplit=2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1."):
        raise AnswerError(f"the answer begins with {parts!r}")
    return parts[0], int(parts[1])


def _read_headers(reader: BinaryIO) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for _ in range(MAX_HEADERS):
        line = _read_line(reader)
        if not line:
            return headers
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    raise AnswerError(f"more than {MAX_HEADERS} headers")


def _read_chunks(reader: BinaryIO) -> bytes:
    body = b""
    while size := int(_read_line(reader).split(b";")[0], 16):
        body += _read(reader, size)
        _read_line(reader)
    _read_headers(reader)
    return body


def _read_line(reader: BinaryIO) -> bytes:
    line = reader.readline(MAX_LINE)
    if not line.endswith(b"\n"):
        raise AnswerError("the connection ended inside an answer")
    return line.strip()


def _read(reader: BinaryIO, length: int) -> bytes:
    if not 0 <= length <= MAX_BODY:
        raise AnswerError(f"an answer of {length} bytes")
    data = reader.read(length)
    if len(data) < length:
        raise AnswerError("the connection ended inside an answer")
    return data
