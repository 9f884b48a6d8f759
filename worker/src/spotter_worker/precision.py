"""Owns in which numbers a step computes: fp32, or bf16 and fp16 by autocast, fp16 with a scaled loss."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """With fp32 every method passes through what it is given, bit for bit."""

    def __init__(self, kind: str, device: torch.device) -> None:
        if kind == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
            raise ValueError("precision is 'bf16', which this GPU does not have; use fp16 or fp32")
        self._device_type = device.type
        self._dtype = DTYPES.get(kind)
        # fp16's smallest numbers are too large for small gradients: the loss is scaled up, the gradients down again.
        self._scaler = torch.amp.GradScaler(device.type, enabled=kind == "fp16")

    def autocast(self) -> AbstractContextManager[Any]:
        if self._dtype is None:
            return nullcontext()
        return torch.autocast(self._device_type, self._dtype)

    def backward(self, loss: torch.Tensor, share: float) -> None:
        """`share`: this batch's part of the step's loss."""
        self._scaler.scale(loss if share == 1.0 else loss * share).backward()  # type: ignore[no-untyped-call]

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Gradients in their true size, for clipping and probes."""
        self._scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Leaves a step out whose gradients are not finite, and scales less from then on."""
        self._scaler.step(optimizer)
        self._scaler.update()

    def points(self) -> dict[str, float]:
        return {"train/loss_scale": self._scaler.get_scale()} if self._scaler.is_enabled() else {}

    def state(self) -> dict[str, Any]:
        return self._scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        self._scaler.load_state_dict(state)
