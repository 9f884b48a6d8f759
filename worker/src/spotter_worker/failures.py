"""Owns what a person is told when a job fails: kind, message, and what to do about it."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from .disk_room import FULL

HERE = Path(__file__).parent
# What gloo says when the process at the other end is gone; NCCL's errors have a class of their own.
PEER_WORDS = ("closed by peer", "reset by peer", "broken pipe", "connectfullmesh", "read error")
# And when it is there and says nothing.
HANG_WORDS = "timed out waiting"
MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate")


def describe_failure(error: BaseException, config: dict[str, Any]) -> dict[str, Any]:
    """The `error` of a `run-ended` event."""
    kind, hint = _classify(error, config)
    message = str(error) or type(error).__name__
    if kind == "peer-lost":
        # What the library says of its sockets is in the traceback.
        message = (
            "Another process that trains this model with this one has ended or cannot be reached"
        )
        if HANG_WORDS in str(error).lower():
            minutes = config.get("peer_timeout_minutes", 30)
            message = (
                "Another process that trains this model with this one has not answered for "
                f"{minutes:g} min (peer_timeout_minutes)"
            )
    trace = None if _is_told(error) else "".join(traceback.format_exception(error))[-20_000:]
    return {
        "kind": kind,
        "message": message[:4000],
        "hint": hint,
        # The end says where it broke.
        "traceback": trace,
    }


def _classify(error: BaseException, config: dict[str, Any]) -> tuple[str, str | None]:
    text = str(error).lower()
    is_memory_text = isinstance(error, RuntimeError) and any(word in text for word in MEMORY_WORDS)
    # torch.OutOfMemoryError by name: this file does not load torch.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "out-of-memory", _memory_hint(config)
    if is_memory_text:
        return "out-of-memory", _memory_hint(config)
    if _is_peer_loss(error, text):
        return "peer-lost", (
            "If it has saved a checkpoint, resume the run to go on from there. If a process ended for want of memory, "
            "take a smaller batch or fewer processes."
        )
    if isinstance(error, OSError) and error.errno in FULL:
        return (
            "disk-full",
            "Free some disk space, then resume the run, or begin it anew if it has saved no checkpoint.",
        )
    # By name, as it carries its own advice.
    if type(error).__name__ == "MissingPackagesError":
        return "packages-missing", "Connect the machine to a network, or install them by hand."
    if isinstance(error, ValueError):
        return "invalid-input", "Correct the data or the configuration, then start a new run."
    return type(error).__name__, None


def _is_told(error: BaseException) -> bool:
    """A sentence that this package itself says of the data or the config: where it stands in the code helps nobody. What
    a library or a slip of ours raises, of whatever kind, is not.
    """
    is_about_input = isinstance(error, ValueError) or type(error).__name__ == "MissingPackagesError"
    frames = traceback.extract_tb(error.__traceback__)
    if not is_about_input or not frames:
        return False
    last = frames[-1]
    return Path(last.filename).is_relative_to(HERE) and (last.line or "").startswith("raise ")


def _is_peer_loss(error: BaseException, text: str) -> bool:
    # By name: this file does not load torch.
    if type(error).__name__ in ("DistBackendError", "DistNetworkError", "DistStoreError"):
        return True
    return isinstance(error, RuntimeError) and any(
        word in text for word in (*PEER_WORDS, HANG_WORDS)
    )


def _memory_hint(config: dict[str, Any]) -> str:
    # A text's length is what an image's size is.
    is_text = "context" in config
    smaller = "make the context shorter" if is_text else "make the images smaller"
    if config.get("method") == "full":
        smaller += ", or train by LoRA (method=lora)"
    batch_size = config.get("batch_size", 64)
    if isinstance(batch_size, int) and batch_size > 1:
        return f"Halve the batch size ({batch_size} → {batch_size // 2}), or {smaller}."
    # Not str.capitalize, which would make LoRA small.
    return f"{smaller[0].upper()}{smaller[1:]} or the model narrower."
