"""Owns the thread that asks the server for commands; the loop takes them at step boundaries."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spotter.wire.api import ServerClient, ServerRefusedError, ServerUnreachableError
from spotter.wire.courier import FINAL_CODES

POLL_WAIT_S = 20
RETRY_S = 1.0
ENDING = ("stop", "abandon")


@dataclass(frozen=True)
class Command:
    # 0: not from the server (SIGTERM), so nothing is acknowledged.
    id: int
    action: str
    # Of a `set`: new values by the config's names.
    values: Mapping[str, Any] = field(default_factory=dict)
    # Of a `revert`: the checkpoint folder to go back to, relative to the run folder.
    checkpoint: str | None = None


class CommandPoll:
    """`next_command()` is cheap enough for every step: it looks at a queue in memory."""

    def __init__(self, client: ServerClient, job_id: int, attempt: int) -> None:
        self._client = client
        self.job_id = job_id
        self._path = f"/api/worker/jobs/{job_id}/commands?attempt={attempt}&wait={POLL_WAIT_S}"
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._after = 0
        # Every `preempt` before this command is taken back, unless it was taken from here already.
        self._stay = 0
        # A plain flag, as signal handlers may not wait for locks: something that ends the run lies in the queue.
        self.is_end_asked = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> list[Command]:
        """Ends the polling; returns what nobody has taken."""
        # The long poll under way is left to end with the process.
        self._stop.set()
        left = []
        while command := self.next_command():
            left.append(command)
        return left

    def put(self, command: Command) -> None:
        """What came from the server, or from inside: SIGTERM becomes a stop."""
        self._commands.put(command)
        self.is_end_asked = self.is_end_asked or command.action in ENDING

    def hear(self, commands: Sequence[Command]) -> None:
        """What the server has sent, in its order."""
        # First of all: nobody must take a `preempt` that the same answer takes back.
        self._stay = max(self._stay, *(one.id for one in commands if one.action == "stay"), 0)
        for command in commands:
            self._after = max(self._after, command.id)
            self.put(command)

    def next_command(self) -> Command | None:
        return None if self._commands.empty() else self._as_it_stands(self._commands.get())

    def wait_command(self, timeout_s: float) -> Command | None:
        try:
            return self._as_it_stands(self._commands.get(timeout=timeout_s))
        except queue.Empty:
            return None

    def _as_it_stands(self, command: Command) -> Command:
        if command.action == "preempt" and command.id < self._stay:
            return replace(command, action="withdrawn")
        return command

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                path = f"{self._path}&after={self._after}"
                answer = self._client.request("GET", path, timeout_s=POLL_WAIT_S + 10.0)
                self.hear([_parse(command) for command in answer["commands"]])
            except ServerUnreachableError:
                # The courier reports it; one voice is enough.
                self._stop.wait(RETRY_S)
            except ServerRefusedError as refusal:
                if refusal.code in FINAL_CODES:
                    return
                self._stop.wait(RETRY_S * 10)
            # The edge of this thread: an odd answer must not make the run deaf.
            except Exception as error:  # noqa: BLE001
                print(f"WARNING commands: {type(error).__name__}: {error}", file=sys.stderr)
                self._stop.wait(RETRY_S * 10)


def _parse(command: Mapping[str, Any]) -> Command:
    # A server of before 2026-11 sends neither values nor a checkpoint.
    values, checkpoint = command.get("values"), command.get("checkpoint")
    return Command(int(command["id"]), str(command["action"]), values or {}, checkpoint)
