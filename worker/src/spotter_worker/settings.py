"""Owns the environment: the only file of the worker that reads it. Standard library only."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spotter

from .secrecy import passed_on, secret_values

THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


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
    # How many of the processes share this machine's cores.
    num_local_processes: int = 1
    is_peer: bool = False


def read_settings() -> Settings:
    truth_file = os.environ.get("SPOTTER_TRUTH_FILE")
    return Settings(
        truth_file=Path(truth_file) if truth_file else None,
        rank=int(os.environ.get("RANK", "0")),
        num_processes=int(os.environ.get("WORLD_SIZE", "1")),
        local_rank=int(os.environ.get("LOCAL_RANK", "0")),
        num_local_processes=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
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


def program_environment(given: dict[str, str], num_threads: int | None) -> dict[str, str]:
    """The environment of a command run's program: of the server's what no secret is in, and what its config adds.

    Our own packages stand last on Python's path, so that `import spotter` works in any Python, and an installed one
    goes before it. Thread counts are set where the config limits the cores, else they are the program's own business.
    """
    also = os.environ.get("SPOTTER_PROGRAM_ENVIRONMENT", "").split(",")
    environment = passed_on(os.environ, (name.strip() for name in also))
    for name in (*THREAD_COUNTS, "OMP_WAIT_POLICY"):
        environment.pop(name, None)
        if num_threads is not None and name in THREAD_COUNTS:
            environment[name] = str(num_threads)
    own = given.get("PYTHONPATH")
    package = Path(spotter.__file__).parents[1]
    path = os.pathsep.join([*([own] if own else []), str(package)])
    # Where the server's path has no Python, ours will do.
    programs = os.pathsep.join(
        [environment.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    )
    return {**environment, "PATH": programs, **given, "PYTHONPATH": path}


def known_secrets(config: dict[str, Any]) -> list[str]:
    """Values of the server's environment, and of what a command run's config adds to it, that no log may hold."""
    given = config.get("environment")
    own = {name: str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    return [*secret_values(os.environ), *secret_values(own)]


def worker_environment(num_threads: int, gpus: list[int] | None = None) -> dict[str, str]:
    """The environment that the supervisor gives to the worker.

    The thread counts must stand before numpy and torch load: their pools are sized once. So must the GPUs that the
    queue gave to it: others are not even seen. None leaves what is there.
    """
    environment = dict(os.environ)
    if gpus is not None:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(str(index) for index in gpus)
        # The numbers are nvidia-smi's, which counts by the bus; CUDA by itself puts the fastest first.
        environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    for name in THREAD_COUNTS:
        environment[name] = str(num_threads)
    # Threads that wait for each other must sleep, not spin: beside any other load on the same cores
    # spinning made the digits run ten times slower (2 cores, load 10: 49 s against 4.8 s).
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    # glibc gives freed memory back to the system and asks for it again in the next step: a small language model took
    # 1,800 page faults a step, a twentieth of its time. A worker keeps what it has until it ends.
    environment.setdefault("MALLOC_MMAP_THRESHOLD_", str(32 * 2**20))
    environment.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**30))
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONFAULTHANDLER"] = "1"
    return environment
