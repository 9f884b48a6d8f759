"""Owns batch normalisation over the batches of all processes, on any device: PyTorch's own knows GPUs only."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class SyncedBatchNorm(_BatchNorm):
    # False while a process only keeps step with the others: its batch must not move the statistics.
    counts = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            normal: torch.Tensor = super().forward(x)
            return normal
        rest = [dim for dim in range(x.dim()) if dim != 1]
        shape = [1, -1] + [1] * (x.dim() - 2)
        weight = 1.0 if self.counts else 0.0
        num_own = torch.full((1,), weight * x.numel() / x.shape[1], device=x.device)
        wide = x.float()
        sums = _sum(torch.cat([wide.sum(rest) * weight, num_own]))
        num = sums[-1].detach()
        mean = sums[:-1] / num
        # Twice around: the square of sums minus the sum of squares loses half the digits.
        squares = _sum((wide - mean.view(shape)).square().sum(rest) * weight)
        variance = squares / num
        self._remember(mean.detach(), variance.detach() * (num / (num - 1).clamp(min=1)))
        scale = torch.rsqrt(variance + self.eps)
        normal = (wide - mean.view(shape)) * scale.view(shape)
        if self.affine:
            normal = normal * self.weight.view(shape) + self.bias.view(shape)
        return normal.to(x.dtype)

    def _check_input_dim(self, input: torch.Tensor) -> None:
        assert input.dim() >= 2

    @torch.no_grad()
    def _remember(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        share = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


class _Sum(torch.autograd.Function):
    """Over all processes; everyone's result depends on everyone's numbers, so gradients are added up alike."""

    @staticmethod
    def forward(_context: Any, x: torch.Tensor) -> torch.Tensor:
        return _added_up(x)

    @staticmethod
    def backward(_context: Any, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return _added_up(gradient)


def _added_up(x: torch.Tensor) -> torch.Tensor:
    total = x.clone()
    dist.all_reduce(total)
    return total


def _sum(x: torch.Tensor) -> torch.Tensor:
    total: torch.Tensor = _Sum.apply(x)  # type: ignore[no-untyped-call]
    return total


def sync_batch_norms(model: nn.Module) -> None:
    """Puts ours in the place of every batch normalisation, with the same parameters, buffers and names."""
    assert dist.is_initialized()
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm) and not isinstance(child, SyncedBatchNorm):
                setattr(module, name, _like(child))


def _like(norm: _BatchNorm) -> SyncedBatchNorm:
    synced = SyncedBatchNorm(
        norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats
    )
    # Not copied: the same tensors, under the same names.
    synced._parameters, synced._buffers = norm._parameters, norm._buffers
    return synced.train(norm.training)
