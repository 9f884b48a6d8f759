"""Owns the estimate of a training's memory, part by part, measured on one step of a copy."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

import torch

from ..sysmon import resident_bytes
from ..task import Batch, Task
from .findings import OK, PROBLEM, WARNING, Finding, size
from .trial import Trial

# Diagnosis F27.
TOO_MUCH, MUCH = 0.9, 0.7
PART_WORDS = {
    "weights": ("weights", "权重"),
    "gradients": ("gradients", "梯度"),
    "optimizer": ("optimiser", "优化器状态"),
    "activations": ("activations and workspace", "激活值与工作空间"),
    "average": ("averaged weights", "平均权重"),
    "best": ("copy of the best weights", "最佳权重副本"),
    "batch": ("batch", "批数据"),
    "process": ("libraries and data", "程序库与数据"),
}


@dataclass(frozen=True)
class MemoryEstimate:
    device: str
    parts: dict[str, int]
    processes: int
    available: int | None
    # The measured step's.
    step_s: float

    @property
    def total(self) -> int:
        # Each process of a CPU training is on this machine; each GPU has memory of its own.
        return sum(self.parts.values()) * (self.processes if self.device != "cuda" else 1)

    def to_json(self) -> dict[str, Any]:
        return {
            "device": self.device,
            "parts": [{"name": name, "bytes": num} for name, num in self.parts.items() if num],
            "processes": self.processes,
            "total_bytes": self.total,
            "available_bytes": self.available,
        }

    def finding(self, batch_size: int) -> Finding:
        total, available = self.total, self.available
        name = max(self.parts, key=lambda one: self.parts[one])
        largest, largest_zh = PART_WORDS[name]
        if available is None:
            there, there_zh, share = "", "", 0.0
        else:
            share = total / available
            there, there_zh = f" of {size(available)}", f"，可用 {size(available)}"
        told = f"Memory: about {size(total)}{there}; most of it {largest}."
        told_zh = f"内存：约 {size(total)}{there_zh}；其中{largest_zh}最多。"
        if share <= MUCH:
            return Finding("memory-fits", OK, told, told_zh)
        half = max(1, batch_size // 2)
        return Finding(
            "memory-too-small" if share > TOO_MUCH else "memory-tight",
            PROBLEM if share > TOO_MUCH else WARNING,
            f"{told} Halve the batch ({batch_size} → {half}) and accumulate 2 batches, or take a smaller model.",
            f"{told_zh}可将批大小减半（{batch_size} → {half}）并累积 2 批，或换小一些的模型。",
            "batch_size",
        )


def estimate_memory(task: Task, batch: Batch) -> MemoryEstimate:
    config = task.config
    state = task.model.state_dict()
    on_cpu = task.device.type == "cpu"
    weights = _bytes(state.values())
    process = max(0, resident_bytes() - weights) if on_cpu else 0
    trial = Trial(task)
    saved: dict[int, int] = {}
    known = {_address(one) for one in (*trial.model.state_dict().values(), *_tensors(batch))}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    peak = PeakMemory(task.device)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        # Kept until all is added up: freed storage would be counted twice under one address.
        loss = trial.loss(batch)
        activations = sum(saved.values())
    loss.backward()  # type: ignore[no-untyped-call]
    trial.optimizer.step()
    # The first step had no optimiser state yet, and took the time to set everything up.
    started = time.perf_counter()
    trial.step(batch)
    step_s = time.perf_counter() - started
    gradients = _bytes(one for one in task.model.parameters() if one.requires_grad)
    states = _bytes(value for states in trial.optimizer.state.values() for value in states.values())
    # Saved tensors are not all: the backward pass and the libraries need room of their own meanwhile.
    # And a batch of the evaluation is often the larger one.
    activations = max(activations, peak.grown() - gradients - states, _evaluation_bytes(trial))
    ema = config.ema_decay is not None
    copies = _bytes(one for one in state.values() if one.is_floating_point()) if ema else 0
    ahead = 2 if config.data_workers > 0 else 1
    parts = {
        "weights": weights,
        "gradients": gradients,
        "optimizer": states,
        "activations": activations,
        "average": copies,
        # The loop keeps it in main memory.
        "best": weights if on_cpu else 0,
        "batch": _bytes(_tensors(batch)) * config.accumulate_steps * ahead,
        "process": process,
    }
    available = available_bytes(task.device)
    return MemoryEstimate(task.device.type, parts, config.processes, available, step_s)


def _evaluation_bytes(trial: Trial) -> int:
    """What evaluating needs beside the weights, measured on the first batch."""
    batch = next(iter(trial.task.validation), None)
    if batch is None:
        return 0
    # Else what the training step has freed and the allocator kept would hide the growth.
    gc.collect()
    peak = PeakMemory(trial.task.device)
    trial.evaluate(batch)
    return peak.grown()


class PeakMemory:
    """How far the memory in use has grown at most since this was made; 0 where the system does not say."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device)
        elif device.type == "cpu":
            self._can_reset = _reset_peak()
            self._before = resident_bytes()

    def grown(self) -> int:
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) - self._before
        if self._device.type == "cpu" and self._can_reset:
            return max(0, _peak_resident_bytes() - self._before)
        return 0


def _reset_peak() -> bool:
    """Linux alone has this: from here on the highest mark of memory is counted anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _peak_resident_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def available_bytes(device: torch.device) -> int | None:
    """What a training could have, now that this process is about to end; None where the system does not say."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory())
    bounds = [one for one in (_free_of_machine(), _free_of_group()) if one is not None]
    return min(bounds) + resident_bytes() if bounds else None


def _free_of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        # macOS: the whole is all that it tells.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") - resident_bytes()
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _free_of_group() -> int | None:
    """In a container its own bound counts (cgroup 2)."""
    folder = Path("/sys/fs/cgroup")
    try:
        bound = (folder / "memory.max").read_text().strip()
        return None if bound == "max" else int(bound) - _used_of_group(folder)
    except OSError:
        return None


def _used_of_group(folder: Path) -> int:
    used = int((folder / "memory.current").read_text())
    # Pages of files that nobody needs any more are given up as soon as somebody asks.
    for line in (folder / "memory.stat").read_text().splitlines():
        if line.startswith("inactive_file "):
            used -= int(line.split()[1])
    return max(0, used)


def _tensors(batch: Batch) -> Iterator[torch.Tensor]:
    if isinstance(batch, torch.Tensor):
        yield batch
    elif isinstance(batch, dict):
        for value in batch.values():
            yield from _tensors(value)
    elif isinstance(batch, list | tuple):
        for value in batch:
            yield from _tensors(value)
    elif is_dataclass(batch):
        yield from _tensors(vars(batch))


def _bytes(values: Any) -> int:
    return sum(one.numel() * one.element_size() for one in values if isinstance(one, torch.Tensor))


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
