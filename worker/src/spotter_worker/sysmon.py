"""Owns the worker's own readings each second: its share of the processor, memory, and the GPU
through NVML.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from .tracker import Tracks

INTERVAL_S = 1.0
GIB = 1024**3


class SystemMonitor:
    """Logs `system/*` under the loop's present step; `usage` says processor seconds so far and bytes in memory."""

    def __init__(
        self,
        tracker: Tracks,
        present_step: Callable[[], int],
        use_gpu: bool,
        usage: Callable[[], tuple[float, int]] | None = None,
    ) -> None:
        self._tracker, self._present_step = tracker, present_step
        self._usage = usage or _own_usage
        self._nvml = _open_nvml() if use_gpu else None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sysmon", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        cpu, wall = self._usage()[0], time.monotonic()
        while not self._stop.wait(INTERVAL_S):
            (now_cpu, num_bytes), now_wall = self._usage(), time.monotonic()
            cores = os.cpu_count() or 1
            # What a process used is forgotten with it, so the sum over a program's processes may fall.
            share = max(0.0, now_cpu - cpu) / (now_wall - wall) / cores
            cpu, wall = now_cpu, now_wall
            readings = {
                # Share of the whole machine.
                "system/cpu_percent": min(100.0, 100 * share),
                "system/memory_used_gib": num_bytes / GIB,
                "system/memory_total_gib": _total_bytes() / GIB,
            }
            self._tracker.log({**readings, **self._read_gpu()}, self._present_step())

    def _read_gpu(self) -> dict[str, float]:
        if self._nvml is None:
            return {}
        nvml, handle = self._nvml
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            utilization = nvml.nvmlDeviceGetUtilizationRates(handle)
        except nvml.NVMLError as error:
            print(f"WARNING sysmon: the GPU is no longer read: {error}", file=sys.stderr)
            self._nvml = None
            return {}
        return {
            "system/gpu_memory_used_gib": memory.used / GIB,
            "system/gpu_memory_total_gib": memory.total / GIB,
            "system/gpu_utilization_percent": float(utilization.gpu),
        }


def _own_usage() -> tuple[float, int]:
    return time.process_time(), resident_bytes()


def _open_nvml() -> tuple[Any, Any] | None:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return pynvml, pynvml.nvmlDeviceGetHandleByIndex(0)
    except pynvml.NVMLError as error:
        print(f"WARNING sysmon: NVML gives no readings: {error}", file=sys.stderr)
        return None


def resident_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        # macOS has no /proc; there the peak (in bytes) stands in for the present.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _total_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
