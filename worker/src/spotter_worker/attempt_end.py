"""Owns how an attempt ended: what its worker said last, its exit code, who killed it, in one sentence. Standard library
only.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

from .limits import GIB, Limits
from .lost_process import find_lost_process
from .patient_writing import until_written, write_json
from .process import machine_memory_bytes, num_kernel_oom_kills


class AttemptEnd:
    """Made before the worker starts: the system's killings for want of memory are counted from here on."""

    def __init__(self, attempt_dir: Path, config: dict[str, Any], limits: Limits) -> None:
        self._dir, self._config, self._limits = attempt_dir, config, limits
        self._num_oom_kills = num_kernel_oom_kills()

    def facts(self, code: int | None) -> dict[str, Any]:
        """Of a worker that is gone; `code` as Popen tells it, None where we are not its parent."""
        outcome = self._read_outcome()
        if code is None and outcome is not None:
            code = outcome["exit_code"]
        name = signal.Signals(-code).name if code is not None and code < 0 else None
        lost = None
        if outcome is None and self._config.get("processes", 1) != 1:
            # torchrun's own end says nothing of how one of them died.
            lost = find_lost_process(self._dir / "stderr.log")
            name = name or (lost.signal_name if lost is not None else None)
        by_kernel = name == "SIGKILL" and num_kernel_oom_kills() > self._num_oom_kills
        out_of_memory = self._limits.reason == "memory-limit" or (
            by_kernel and self._limits.reason is None and not self._limits.killed
        )
        reason, message = self._limits.reason, self._limits.message
        if reason is None and outcome is None and not self._limits.stop_asked:
            used_gib = self._limits.memory_used_gib
            reason, message = "worker-lost", _describe_loss(code, name, out_of_memory, used_gib)
            if lost is not None and not out_of_memory:
                message = lost.sentence(self._config["processes"])
        return exit_facts(
            exit_code=code if code is None or code >= 0 else None,
            signal_name=name,
            out_of_memory=out_of_memory,
            reason=reason,
            message=message,
        )

    def write_down(self, facts: dict[str, Any]) -> None:
        """In `exit.json`, unless an earlier supervisor did."""
        if not (self._dir / "exit.json").exists():
            ended = {**facts, "ended_at": time.time()}
            until_written(self._dir, lambda: write_json(self._dir / "exit.json", ended))

    def _read_outcome(self) -> dict[str, Any] | None:
        try:
            outcome = json.loads((self._dir / "outcome.json").read_text())
        except FileNotFoundError:
            return None
        assert isinstance(outcome, dict)
        return outcome


def exit_facts(
    exit_code: int | None = None,
    signal_name: str | None = None,
    out_of_memory: bool = False,
    reason: str | None = None,
    message: str | None = None,
) -> dict[str, Any]:
    """The contract's AttemptExit."""
    return {
        "exit_code": exit_code,
        "signal": signal_name,
        "out_of_memory": out_of_memory,
        "reason": reason,
        "message": message,
    }


def _describe_loss(
    code: int | None, signal_name: str | None, out_of_memory: bool, used_gib: float
) -> str:
    if out_of_memory:
        has_gib = machine_memory_bytes() / GIB
        return (
            "the system ran out of memory and killed the worker, which used "
            f"{used_gib:.2f} GiB of its {has_gib:.2f} GiB when last looked at"
        )
    if signal_name is not None:
        return f"the worker was ended by {signal_name}"
    if code is not None:
        return f"the worker ended with exit code {code} and without a last word"
    return "the worker is gone; nobody saw how it ended"
