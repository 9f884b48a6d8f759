"""Owns the environment: the only file of the worker that reads it. Standard library only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What the environment may set; everything else comes from the spec."""

    # Tests only: every point given to the tracker is appended here before it is queued.
    truth_file: Path | None
    # Set by torchrun in each of several processes that train one model; without it there is one.
    rank: int = 0
    num_processes: int = 1
    # Number of the process on its machine: the GPU it takes.
    local_rank: int = 0
    is_peer: bool = False


def read_settings() -> Settings:
    truth_file = os.environ.get("SPOTTER_TRUTH_FILE")
    return Settings(
        truth_file=Path(truth_file) if truth_file else None,
        rank=int(os.environ.get("RANK", "0")),
        num_processes=int(os.environ.get("WORLD_SIZE", "1")),
        local_rank=int(os.environ.get("LOCAL_RANK", "0")),
        is_peer="RANK" in os.environ and "WORLD_SIZE" in os.environ,
    )


@dataclass(frozen=True)
class HubSettings:
    """Where models come from; where the copies lie (HF_HOME) huggingface_hub reads itself."""

    # None: the Hub's own address.
    endpoint: str | None
    token: str | None
    is_offline: bool


def hub_settings() -> HubSettings:
    return HubSettings(
        endpoint=os.environ.get("HF_ENDPOINT") or None,
        token=os.environ.get("HF_TOKEN") or None,
        is_offline=os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"),
    )


def compiler_setting() -> str | None:
    """The C++ compiler that torch.compile is told to take."""
    return os.environ.get("CXX")


def make_cublas_repeatable() -> None:
    """cuBLAS gives the same bits each time only with a workspace of fixed size; it reads this when it starts."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def worker_environment(num_threads: int) -> dict[str, str]:
    """The environment that the supervisor gives to the worker.

    The thread counts must stand before numpy and torch load: their pools are sized once.
    """
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = str(num_threads)
    # Threads that wait for each other must sleep, not spin: beside any other load on the same cores
    # spinning made the digits run ten times slower (2 cores, load 10: 49 s against 4.8 s).
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONFAULTHANDLER"] = "1"
    return environment
