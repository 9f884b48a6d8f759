"""Prints a run's training events live over a WebSocket, until the training has ended.

SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... python follow_websocket.py [run number]
Standard library only; with the `websockets` package the first two functions become one line.
"""

import base64
import json
import os
import secrets
import socket
import ssl
import struct
import sys
import urllib.parse

SERVER = urllib.parse.urlsplit(os.environ.get("SPOTTER_URL", "http://127.0.0.1:8888"))
TOKEN = os.environ["SPOTTER_TOKEN"]


def connect(path):
    port = SERVER.port or (443 if SERVER.scheme == "https" else 80)
    connection = socket.create_connection((SERVER.hostname, port))
    if SERVER.scheme == "https":
        context = ssl.create_default_context()
        connection = context.wrap_socket(connection, server_hostname=SERVER.hostname)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {SERVER.netloc}\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    stream = connection.makefile("rb")
    status = stream.readline().decode()
    while stream.readline().strip():
        pass
    if " 101 " not in status:
        sys.exit(f"The server refused: {status.strip()}")
    return connection, stream


def messages(connection, stream):
    text = b""
    while header := stream.read(2):
        kind, length = header[0] & 0x0F, header[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", stream.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", stream.read(8))
        payload = stream.read(length)
        if kind == 8:
            return
        if kind == 9:
            # A pong repeats the ping's payload; a mask of zeros leaves it as it is.
            connection.sendall(bytes([0x8A, 0x80 | length]) + bytes(4) + payload)
        elif kind in (0, 1):
            text += payload
            if header[0] & 0x80:
                yield json.loads(text)
                text = b""


if __name__ == "__main__":
    query = f"?run_id={sys.argv[1]}" if len(sys.argv) > 1 else ""
    for message in messages(*connect(f"/ws/metrics{query}")):
        data = message["data"]
        loss = data["metrics"]["train_loss"]
        print(f"{message['event']}  epoch {data['epoch']}  loss {loss}", flush=True)
        if message["event"] == "training_ended":
            break
