"""Owns measurements inside a step: norms and times. Reads, never writes, what the training
computes.

The norms of gradients (where clipping does not give them anyway) and weights cost a pass over all
parameters, so they are taken only as often as their measured cost stays under a share of the step
time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence

import torch

# Of the 1 % that DESIGN allows; the tracker needs most of it at a step of 5 ms.
BUDGET = 0.002
MAX_INTERVAL = 1000
SMOOTHING = 0.9


class Probes:
    def __init__(self, parameters: Iterable[torch.nn.Parameter], enabled: bool = True) -> None:
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self._enabled = enabled
        self._steps_until_due = 0
        self._step_time_s = 0.0

    @torch.no_grad()
    def norms(self, gradient_norm: float | None) -> dict[str, float]:
        """After the backward pass. `gradient_norm` is given where clipping has computed it."""
        if not self._enabled:
            return {}
        measured = {} if gradient_norm is None else {"train/gradient_norm": gradient_norm}
        self._steps_until_due -= 1
        if self._steps_until_due > 0:
            return measured
        started = time.perf_counter()
        if gradient_norm is None:
            gradients = [p.grad for p in self._parameters if p.grad is not None]
            measured["train/gradient_norm"] = _global_norm(gradients)
        measured["train/weight_norm"] = _global_norm(self._parameters)
        self._steps_until_due = self._interval(time.perf_counter() - started)
        return measured

    def times(self, step_time_s: float, data_time_s: float) -> dict[str, float]:
        if not self._enabled:
            return {}
        smoothing = SMOOTHING if self._step_time_s else 0.0
        self._step_time_s = smoothing * self._step_time_s + (1 - smoothing) * step_time_s
        return {
            "train/step_time_s": step_time_s,
            "train/data_time_s": data_time_s,
            "train/steps_per_s": 1 / max(self._step_time_s, 1e-9),
        }

    def _interval(self, cost_s: float) -> int:
        if self._step_time_s == 0.0:
            return 10
        return max(1, min(MAX_INTERVAL, math.ceil(cost_s / (BUDGET * self._step_time_s))))


def _global_norm(tensors: Sequence[torch.Tensor]) -> float:
    norms = torch._foreach_norm(list(tensors))
    return float(torch.linalg.vector_norm(torch.stack(norms)))
