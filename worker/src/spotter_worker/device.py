"""Owns the choice of the device, with the reason, and the random states that belong to it."""

from __future__ import annotations

import platform

import torch


def choose_device(wanted: str) -> tuple[torch.device, str]:
    """The device and why; a device that is asked for by name and missing is the user's to settle."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted != "auto":
        if not available[wanted]:
            raise ValueError(f"device is {wanted!r}, but this machine has none; use auto or cpu")
        return torch.device(wanted), f"{wanted}: asked for"
    chosen = next(name for name, there in available.items() if there)
    reason = "the first GPU that was found" if chosen != "cpu" else "no GPU was found"
    return torch.device(chosen), f"{chosen}: {reason}"


def describe_device(device: torch.device) -> str:
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"{device.type} ({platform.processor() or platform.machine()})"


def device_random_state(device: torch.device) -> torch.Tensor | None:
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    if device.type == "mps":
        return torch.mps.get_rng_state()
    return None


def set_device_random_state(device: torch.device, state: torch.Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state)
