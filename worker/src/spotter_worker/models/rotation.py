"""Owns the rotation of queries and keys by their positions (RoPE, Su et al. 2021) for `transformers`' Llama-shaped
modules, as one step of autograd: theirs is eight of them a tensor, a tenth of a small model's step on the CPU.

Legend: B batch, H heads, T tokens, E head's width; `g` gradient for the rotated tensor.
"""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

Tensor = torch.Tensor
# What their attention calls, as a global name of its file: (q, k, cos, sin) to q and k rotated.
THEIR_NAME = "apply_rotary_pos_emb"
KINDS = ("llama", "qwen2")


class _Rotation(torch.autograd.Function):
    """x (B, H, T, E) to the same; cos and sin (B, 1, T, E). The first half of E turns with the second."""

    @staticmethod
    def forward(context: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:  # type: ignore[override]
        context.save_for_backward(cos, sin)
        half = x.shape[-1] // 2
        rotated = x * cos
        rotated[..., :half].addcmul_(x[..., half:], sin[..., :half], value=-1)
        rotated[..., half:].addcmul_(x[..., :half], sin[..., half:])
        return rotated

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(context: Any, g: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        cos, sin = context.saved_tensors
        half = g.shape[-1] // 2
        g_x = g * cos
        g_x[..., :half].addcmul_(g[..., half:], sin[..., half:])
        g_x[..., half:].addcmul_(g[..., :half], sin[..., :half], value=-1)
        return g_x, None, None


def rotate(
    queries: Tensor, keys: Tensor, cos: Tensor, sin: Tensor, unsqueeze_dim: int = 1
) -> tuple[Tensor, Tensor]:
    """As `transformers.models.llama.modeling_llama.apply_rotary_pos_emb`."""
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
    rotated = [_Rotation.apply(one, cos, sin) for one in (queries, keys)]  # type: ignore[no-untyped-call]
    return rotated[0], rotated[1]


def rotate_in_one(network: nn.Module, kind: str) -> None:
    """This network's attention calls `rotate`; the library's own file and other networks stay as they are."""
    if kind not in KINDS:
        # DeepSeek-V3 rotates a part of each head, in another order.
        return
    for module in network.modules():
        forward = type(module).forward
        code = getattr(forward, "__code__", None)
        if code is None or THEIR_NAME not in code.co_names:
            continue
        names = {**forward.__globals__, THEIR_NAME: rotate}
        changed = FunctionType(code, names, code.co_name, forward.__defaults__, forward.__closure__)
        changed.__kwdefaults__ = forward.__kwdefaults__
        module.forward = MethodType(changed, module)  # type: ignore[method-assign]
