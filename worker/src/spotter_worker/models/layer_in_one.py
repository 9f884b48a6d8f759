"""Owns a whole decoder layer as one step of autograd, for small models in float32 on the CPU, where a step's time goes
into many small operations: half of autograd's are saved, most copies too, and gradients are made in place.

The same numbers as the layer's plain formulas within float error; a test holds both against `transformers`.

Legend: B batch, T tokens, N = B T, D width, H heads, E head's width, F feed-forward width; `g_x` gradient for x.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

ops = torch.ops.aten
Tensor = torch.Tensor


def takes(x: Tensor) -> bool:
    """Whether layers with this input may be computed in one."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


class LayerInOne(torch.autograd.Function):
    """(B, T, D) to the same; `turns` (T, 1, E/2) are the positions' angles as complex numbers. Weights as in Llama; as
    many key-value heads as heads; biases may be None.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        context: Any,
        x: Tensor,
        turns: Tensor,
        heads: int,
        epsilon: float,
        norm_1: Tensor,
        w_q: Tensor,
        w_k: Tensor,
        w_v: Tensor,
        b_q: Tensor | None,
        b_k: Tensor | None,
        b_v: Tensor | None,
        w_o: Tensor,
        norm_2: Tensor,
        w_gate: Tensor,
        w_up: Tensor,
        w_down: Tensor,
    ) -> Tensor:
        batch, length, width = x.shape
        sizes = (batch, length, heads, -1)
        x = x.reshape(-1, width)

        x_1, scale_1 = x, _scale(x, epsilon)
        h = (x * scale_1).mul_(norm_1)
        w_q, w_k = _paired(w_q, heads), _paired(w_k, heads)
        q = _linear(h, w_q, None if b_q is None else _paired(b_q, heads)).view(sizes)
        k = _linear(h, w_k, None if b_k is None else _paired(b_k, heads)).view(sizes)
        v = _linear(h, w_v, b_v).view(sizes)
        _complex(q).mul_(turns)
        _complex(k).mul_(turns)
        mixed, log_sums = ops._scaled_dot_product_flash_attention_for_cpu(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), 0.0, True
        )
        x = _linear_added(x, mixed.transpose(1, 2).reshape(x.shape), w_o)

        x_2, scale_2 = x, _scale(x, epsilon)
        h_2 = (x * scale_2).mul_(norm_2)
        gate, up = _linear(h_2, w_gate), _linear(h_2, w_up)
        open_gate = F.silu(gate)
        inner = open_gate * up
        context.save_for_backward(
            *(turns, norm_1, w_q, w_k, w_v, w_o, norm_2, w_gate, w_up, w_down),
            *(x_1, scale_1, h, q, k, v, mixed, log_sums),
            *(x_2, scale_2, h_2, gate, up, open_gate, inner),
        )
        context.has_bias = b_q is not None
        return _linear_added(x, inner, w_down).view(batch, length, width)

    @staticmethod
    def backward(context: Any, g: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        saved = context.saved_tensors
        turns, norm_1, w_q, w_k, w_v, w_o, norm_2, w_gate, w_up, w_down = saved[:10]
        x_1, scale_1, h, q, k, v, mixed, log_sums = saved[10:18]
        x_2, scale_2, h_2, gate, up, open_gate, inner = saved[18:]
        heads, shape = q.shape[2], g.shape
        g = g.reshape(x_1.shape)

        g_inner = g @ w_down
        g_down = g.t() @ inner
        g_up = g_inner * open_gate
        g_gate = ops.silu_backward(g_inner.mul_(up), gate)
        g_h2 = torch.mm(g_gate, w_gate).addmm_(g_up, w_up)
        g_w_gate, g_w_up = g_gate.t() @ h_2, g_up.t() @ h_2
        g, g_norm_2 = _through_norm(g, g_h2, x_2, scale_2, norm_2)

        g_mixed = (g @ w_o).view(q.shape).transpose(1, 2)
        g_o = g.t() @ mixed.transpose(1, 2).reshape(g.shape)
        g_q, g_k, g_v = ops._scaled_dot_product_flash_attention_for_cpu_backward(
            *(g_mixed, q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)),
            *(mixed, log_sums, 0.0, True),
        )
        back = turns.conj().resolve_conj()
        g_q, g_k = _turned_back(g_q, back, g.shape), _turned_back(g_k, back, g.shape)
        g_v = g_v.transpose(1, 2).reshape(g.shape)
        g_h = torch.mm(g_q, w_q).addmm_(g_k, w_k).addmm_(g_v, w_v)
        g, g_norm_1 = _through_norm(g, g_h, x_1, scale_1, norm_1)
        biases: tuple[Tensor | None, ...] = (None, None, None)
        if context.has_bias:
            biases = (_unpaired(g_q.sum(0), heads), _unpaired(g_k.sum(0), heads), g_v.sum(0))
        return (
            *(g.view(shape), None, None, None, g_norm_1),
            *(_unpaired(g_q.t() @ h, heads), _unpaired(g_k.t() @ h, heads), g_v.t() @ h),
            *biases,
            *(g_o, g_norm_2, g_w_gate, g_w_up, g_down),
        )


def _scale(x: Tensor, epsilon: float) -> Tensor:
    """What each row (N, D) is multiplied by for a mean square of one."""
    scale: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
    scale = scale.div_(x.shape[-1]).add_(epsilon).rsqrt_()
    return scale


def _through_norm(
    g_beside: Tensor, g: Tensor, x: Tensor, scale: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients for a norm's input, which also went past it (`g_beside`), and for its weight; g is that of its output.

    The kernel of layer normalisation, told that all means are nought, takes away only one thing too much: each row's
    mean of g * weight.
    """
    width = x.shape[-1]
    g_x, g_weight, _ = ops.native_layer_norm_backward(
        g, x, [width], torch.zeros_like(scale), scale, weight, None, [True, True, False]
    )
    taken = torch.mv(g, weight).unsqueeze(1).mul_(scale).div_(width)
    return g_x.add_(taken).add_(g_beside), g_weight


# -- products ---------------------------------------------------------------------------------------
# oneDNN's are a tenth faster than PyTorch's usual ones for such small matrices, and add in the same go.

_HAS_ONEDNN = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
_HAS_ONEDNN = _HAS_ONEDNN and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if not _HAS_ONEDNN:
        return F.linear(x, weight, bias)
    made: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return made


def _linear_added(to: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    if not _HAS_ONEDNN:
        return torch.addmm(to, x, weight.t())
    made: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, to, weight, None, "add")
    return made


# -- positions ------------------------------------------------------------------------------------
# Llama turns the numbers i and i + E/2 of a head together. Beside each other they are one complex number, so the rows of
# the weights that make them are moved there, and their gradients back.


def _paired(rows: Tensor, heads: int) -> Tensor:
    return rows.view(heads, 2, -1, *rows.shape[1:]).transpose(1, 2).reshape(rows.shape)


def _unpaired(rows: Tensor, heads: int) -> Tensor:
    return rows.view(heads, -1, 2, *rows.shape[1:]).transpose(1, 2).reshape(rows.shape)


def _complex(x: Tensor) -> Tensor:
    return torch.view_as_complex(x.view(*x.shape[:-1], -1, 2))


def _turned_back(g: Tensor, back: Tensor, shape: torch.Size) -> Tensor:
    """(B, H, T, E) to (N, D)."""
    g = g.transpose(1, 2)
    _complex(g).mul_(back)
    return g.reshape(shape)
