"""Owns the thread that carries spooled batches to the server, in order, until each is received.
Standard library only.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable

from .api import ServerClient, ServerRefusedError, ServerUnreachableError
from .spool import Line, Spool

PROTOCOL = 1
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0
LOOK_S = 0.2
# The server has closed the books on this attempt or its job; nothing more will ever be taken.
FINAL_CODES = {"attempt-superseded", "attempt-ended", "job-not-found", "run-not-found"}


class Courier:
    """`on_final(code)` is told once when the server will take no more of this attempt.

    `open_door()` says which address takes the batches; it is asked before the first of them, on this thread, and
    again for as long as it finds the server unreachable.
    """

    def __init__(
        self,
        spool: Spool,
        client: ServerClient,
        open_door: Callable[[], str],
        attempt: int,
        on_final: Callable[[str], None],
    ) -> None:
        self._spool = spool
        self._client = client
        self._open_door = open_door
        self._path: str | None = None
        self._attempt = attempt
        self._on_final = on_final
        self._stop = threading.Event()
        self.final_code: str | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"courier-{spool.source}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Lets the request under way end; what is not received stays in the spool."""
        self._stop.set()
        self._thread.join(timeout=20.0)
        self._client.close()

    def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        while not self._stop.is_set() and self.final_code is None:
            line = self._spool.next_unsent(timeout_s=0.5)
            if line is None:
                continue
            try:
                if self._path is None:
                    self._path = self._find_door()
                if self._path is not None:
                    self._deliver(self._path, line)
                retry_s = FIRST_RETRY_S
            except ServerUnreachableError as error:
                if retry_s == FIRST_RETRY_S:
                    _complain(f"the server cannot be reached ({error}); events wait on disk")
                self._wait_for_server(retry_s)
                retry_s = min(retry_s * 2, LAST_RETRY_S)
            # The edge of this thread: whatever happens here must not end deliveries for good.
            except Exception as error:  # noqa: BLE001
                _complain(f"batch {line.seq}: {type(error).__name__}: {error}")
                self._wait_for_server(LAST_RETRY_S)

    def _find_door(self) -> str | None:
        try:
            return self._open_door()
        except ServerRefusedError as refusal:
            self._give_up(refusal, "the server does not let us in")
            return None

    def _give_up(self, refusal: ServerRefusedError, what: str) -> None:
        _complain(f"{what}: {refusal}")
        self.final_code = refusal.code
        self._on_final(refusal.code)

    def _deliver(self, path: str, line: Line) -> None:
        try:
            self._client.request("POST", path, self._body(line))
            self._spool.ack(line.seq)
        except ServerRefusedError as refusal:
            self._handle_refusal(path, line, refusal)

    def _handle_refusal(self, path: str, line: Line, refusal: ServerRefusedError) -> None:
        if refusal.code in FINAL_CODES:
            self._give_up(refusal, "the server takes no more of this attempt")
        elif refusal.code == "sequence-gap":
            self._close_gap(path, line, int(refusal.details["expected_seq"]))
        elif refusal.status in (400, 413, 422):
            self._replace_poison(path, line, refusal)
        else:
            # A wrong token or host: a person may mend it; the batch waits.
            raise ServerUnreachableError(str(refusal)) from refusal

    def _close_gap(self, path: str, line: Line, expected: int) -> None:
        """The server came back from a backup: it gets again what is still on disk, else a word."""
        # Going back to where we are would be a loop without end.
        if expected >= line.seq:
            raise ServerUnreachableError(f"the server wants batch {expected} after {line.seq}")
        if self._spool.rewind(expected):
            return
        text = f"batches {expected} to {line.seq - 1} were received once and are on disk no more"
        _complain(text)
        for seq in range(expected, line.seq):
            self._client.request("POST", path, self._envelope(seq, _error_line(text)))

    def _replace_poison(self, path: str, line: Line, refusal: ServerRefusedError) -> None:
        """A batch that can never be stored must not dam up those behind it: a log line takes its
        number.
        """
        text = f"batch {line.seq} was refused and is kept in the spool's .refused file: {refusal}"
        _complain(text)
        self._spool.keep_refused(line)
        self._client.request("POST", path, self._envelope(line.seq, _error_line(text)))
        self._spool.ack(line.seq)

    def _body(self, line: Line) -> bytes:
        events_at = line.data.index(b',"events":') + len(b',"events":')
        return self._envelope(line.seq, line.data[events_at:-2])

    def _envelope(self, seq: int, events: bytes) -> bytes:
        head = (
            f'{{"protocol":{PROTOCOL},"attempt":{self._attempt},"source":"{self._spool.source}",'
            f'"seq":{seq},"sent_at":{time.time():.6f},"events":'
        )
        return head.encode() + events + b"}"

    def _wait_for_server(self, retry_s: float) -> None:
        """Waits, but no longer than until a server writes its address anew."""
        stamp = self._client.address_stamp()
        # Jitter: many workers must not knock at a restarted server in the same instant.
        deadline = time.monotonic() + retry_s * random.Random().uniform(0.7, 1.3)
        while time.monotonic() < deadline and self._client.address_stamp() == stamp:
            if self._stop.wait(0.1):
                return


class CarriedSpool:
    """Where a tracker's batches go: onto the spool, and from there to the server."""

    def __init__(self, spool: Spool, courier: Courier) -> None:
        self._spool, self._courier = spool, courier

    def start(self) -> None:
        self._courier.start()

    def append(self, events_json: str) -> None:
        self._spool.append(events_json)

    def wait_drained(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        # A server that will take no more is not waited for.
        while self._courier.final_code is None:
            remaining = deadline - time.monotonic()
            if self._spool.wait_drained(max(0.0, min(remaining, LOOK_S))):
                return True
            if remaining <= LOOK_S:
                return False
        return self._spool.wait_drained(0.0)

    def close(self) -> None:
        self._courier.stop()
        self._spool.close()


def _error_line(text: str) -> bytes:
    """Events that say something in the run's log."""
    line = {"time": time.time(), "stream": "stderr", "level": "error", "text": text[:2000]}
    return json.dumps([{"type": "log-lines", "lines": [line]}]).encode()


def _complain(text: str) -> None:
    print(f"WARNING courier: {text}", file=sys.stderr, flush=True)
