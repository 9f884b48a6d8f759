"""Owns the states of all random generators of this process: kept in checkpoints, and restored after a look aside."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy
import torch

from .device import device_random_state, set_device_random_state


def random_states(device: torch.device) -> dict[str, Any]:
    numpy_state = numpy.random.get_state(legacy=False)
    numpy_key = numpy_state["state"]["key"].tolist()  # type: ignore[index]
    return {
        "python": random.getstate(),
        "numpy": {**numpy_state, "state": {**numpy_state["state"], "key": numpy_key}},  # type: ignore[dict-item]
        "torch": torch.get_rng_state(),
        "device": device_random_state(device),
    }


def restore_random_states(states: dict[str, Any], device: torch.device) -> None:
    random.setstate(states["python"])
    numpy_state = states["numpy"]
    key = numpy.array(numpy_state["state"]["key"], dtype=numpy.uint32)
    numpy.random.set_state({**numpy_state, "state": {**numpy_state["state"], "key": key}})
    torch.set_rng_state(states["torch"])
    if states["device"] is not None:
        set_device_random_state(device, states["device"])


@contextmanager
def untouched_randomness(device: torch.device) -> Iterator[None]:
    """Whatever is drawn inside, the training draws on as if nothing had been."""
    states = random_states(device)
    try:
        yield
    finally:
        restore_random_states(states, device)
