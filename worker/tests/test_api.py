"""Requests and answers on the wire, against canned bytes from a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spotter.wire.api import ServerClient, ServerRefusedError, ServerUnreachableError

Serve = Callable[..., ServerClient]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A client of a server that gives each connection the next canned answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[bytes] = []

    def answer(connections: list[list[bytes]]) -> None:
        for answers in connections:
            connection, _ = listener.accept()
            with connection:
                for canned in answers:
                    requests.append(connection.recv(65_536))
                    connection.sendall(canned)

    def start(*connections: list[bytes]) -> ServerClient:
        threading.Thread(target=answer, args=(list(connections),), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/behind/a/proxy/"
        (tmp_path / "server.json").write_text(json.dumps({"url": url}))
        client = ServerClient(tmp_path, "secret")
        client.seen = requests  # type: ignore[attr-defined]
        return client

    yield start
    listener.close()


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_one_connection_carries_many_requests(serve: Serve) -> None:
    client = serve([ok(b'{"n":1}'), ok(b'{"n":2}')])
    assert client.request("GET", "/api/x") == {"n": 1}
    assert client.request("POST", "/api/y", b"[]") == {"n": 2}
    first, second = client.seen  # type: ignore[attr-defined]
    assert first.startswith(b"GET /behind/a/proxy/api/x HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"authorization: Bearer secret\r\n" in first
    assert b"content-length" not in first
    assert b"content-length: 2\r\n" in second
    assert second.endswith(b"\r\n\r\n[]")


def test_a_chunked_answer_is_put_together(serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b'4;x=y\r\n{"n"\r\n3\r\n:7}\r\n0\r\nTrailer: t\r\n\r\n'
    client = serve([head + chunks, ok(b'{"n":8}')])
    assert client.request("GET", "/") == {"n": 7}
    assert client.request("GET", "/") == {"n": 8}


def test_after_a_farewell_the_next_request_connects_anew(serve: Serve) -> None:
    client = serve([ok(b'{"n":1}', "Connection: close")], [ok(b'{"n":2}')])
    assert [client.request("GET", "/")["n"] for _ in range(2)] == [1, 2]


def test_an_answer_without_a_length_ends_with_the_connection(serve: Serve) -> None:
    client = serve([b'HTTP/1.0 200 OK\r\n\r\n{"n":1}'], [ok(b'{"n":2}')])
    assert [client.request("GET", "/")["n"] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize(
    "canned",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        ok(b"<html>hello</html>"),
        ok(b"[]"),
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found",
    ],
)
def test_whatever_is_not_our_servers_answer_means_try_again(serve: Serve, canned: bytes) -> None:
    client = serve([canned], [ok(b'{"n":2}')])
    with pytest.raises(ServerUnreachableError):
        client.request("GET", "/")
    client.close()
    assert client.request("GET", "/") == {"n": 2}


def test_a_refusal_carries_code_and_details(serve: Serve) -> None:
    error = {"code": "sequence-gap", "message": "missing", "details": {"expected_seq": 4}}
    body = json.dumps({"error": error}).encode()
    head = f"HTTP/1.1 409 Conflict\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with pytest.raises(ServerRefusedError) as caught:
        serve([head + body]).request("GET", "/")
    assert (caught.value.status, caught.value.code) == (409, "sequence-gap")
    assert caught.value.details == {"expected_seq": 4}


@pytest.mark.parametrize("content", [None, "", "{}", '{"url": "nowhere"}'])
def test_without_an_address_the_server_is_away(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "server.json").write_text(content)
    with pytest.raises(ServerUnreachableError):
        ServerClient(tmp_path, "secret").request("GET", "/")
