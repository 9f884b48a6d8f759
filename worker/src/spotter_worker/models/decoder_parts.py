"""Owns the decoder's inner steps in their fast forms: each gives what its plain formula gives, in fewer passes.

Autograd of the plain formulas makes a tensor for every operation. `layer_in_one` goes further where it can.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

# Up to this many input features, copying weights side by side costs less than a second multiplication of small
# matrices; beyond, the copy would only cost memory.
TOGETHER_BELOW = 512


def linear_together(x: torch.Tensor, *layers: nn.Linear) -> torch.Tensor:
    """The outputs of several linear layers on the same input, side by side."""
    if x.shape[-1] > TOGETHER_BELOW:
        return torch.cat([layer(x) for layer in layers], -1)
    weight = torch.cat([layer.weight for layer in layers])
    if layers[0].bias is None:
        return F.linear(x, weight)
    return F.linear(x, weight, torch.cat([layer.bias for layer in layers]))


class Normalization(torch.autograd.Function):
    """x / sqrt(mean(x²) + epsilon) * weight, over the last dimension, in float32."""

    @staticmethod
    def forward(  # type: ignore[override]
        context: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float
    ) -> torch.Tensor:
        wide = x.float()
        scale = torch.linalg.vector_norm(wide, dim=-1, keepdim=True).square_()
        scale = scale.div_(x.shape[-1]).add_(epsilon).rsqrt_()
        normal = wide * scale
        context.save_for_backward(normal, weight, scale)
        result: torch.Tensor = (normal * weight).to(x.dtype)
        return result

    @staticmethod
    def backward(  # type: ignore[override]
        context: Any, gradient: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        normal, weight, scale = context.saved_tensors
        wide = gradient.float()
        product = (wide * normal).flatten(0, -2)
        share = torch.mv(product, weight.float()).div_(-normal.shape[-1]).view(scale.shape)
        for_input = torch.addcmul(wide * weight, normal, share).mul_(scale)
        return for_input.to(gradient.dtype), product.sum(0).to(weight.dtype), None


class Rotation(torch.autograd.Function):
    """(…, T, H, E): each pair (i, i + E/2) turned by its position's angle; cos and sin are (T, 1, E/2)."""

    @staticmethod
    def forward(  # type: ignore[override]
        context: Any, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
    ) -> torch.Tensor:
        context.save_for_backward(cos, sin)
        return _turned(x, cos, sin, 1)

    @staticmethod
    def backward(  # type: ignore[override]
        context: Any, gradient: torch.Tensor
    ) -> tuple[torch.Tensor, None, None]:
        cos, sin = context.saved_tensors
        return _turned(gradient, cos, sin, -1), None, None


def _turned(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, sign: int) -> torch.Tensor:
    first, second = x.chunk(2, -1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    out_first, out_second = out.chunk(2, -1)
    torch.mul(first, cos, out=out_first).addcmul_(second, sin, value=-sign)
    torch.mul(second, cos, out=out_second).addcmul_(first, sin, value=sign)
    return out
