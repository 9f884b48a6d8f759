"""Runs a function in several processes that meet over gloo; each gets its `Peers`, and answers with what it returns."""

from __future__ import annotations

import multiprocessing
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from spotter_worker.distributed import Peers

WAIT_S = 240.0
# `torch._dynamo`: whatever makes several processes of one model asks for it.
LOADED_ONCE = ("runs", "spotter_worker.job", "spotter_worker.sharding", "torch._dynamo")
Member = Callable[..., Any]


def run_gang(function: Member, *arguments: Any, size: int = 2) -> list[Any]:
    """What each returned; an exception in one of them is raised here, with its words."""
    found = try_gang(function, *arguments, size=size)
    for kind, value in found:
        if kind != "answer":
            raise AssertionError(value)
    return [value for _, value in found]


def try_gang(function: Member, *arguments: Any, size: int = 2) -> list[tuple[str, Any]]:
    """By process: `answer` with what it returned, `error` with a traceback, or `gone` without a word."""
    # Forked from a server that has loaded torch once: a fresh process would take seconds each.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*LOADED_ONCE])
    with tempfile.TemporaryDirectory() as folder:
        return _run(context, Path(folder) / "meeting", function, arguments, size)


def _run(
    context: Any, meeting: Path, function: Member, arguments: tuple[Any, ...], size: int
) -> list[tuple[str, Any]]:
    members = []
    for rank in range(size):
        here, there = context.Pipe(duplex=False)
        process = context.Process(
            target=_be_member, args=(there, meeting, rank, size, function, arguments), daemon=True
        )
        process.start()
        there.close()
        members.append((process, here))
    found = [_hear(connection) for _, connection in members]
    for process, _ in members:
        process.join()
    return found


def _hear(connection: Connection) -> tuple[str, Any]:
    assert connection.poll(WAIT_S), "a process neither answered nor ended"
    try:
        kind, value = connection.recv()
    except EOFError:
        return "gone", "a process ended without an answer"
    return kind, value


def _be_member(
    there: Connection, meeting: Path, rank: int, size: int, function: Member, arguments: Any
) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)
    try:
        there.send(("answer", function(Peers(rank, size), *arguments)))
    # The edge of the process: the test is told what happened.
    except BaseException:  # noqa: BLE001
        there.send(("error", traceback.format_exc()))
    dist.destroy_process_group()
