"""Owns our decoder-only network, shaped like Llama or Qwen2, with Hugging Face's names for its weights.

The same numbers as `transformers`' own modules within float error, from the same state dict, and faster on small
sizes. What those two shapes leave open (sliding windows, scaled RoPE, other biases) is not here.

Legend: B batch, T tokens, D width, H heads, K key-value heads, E head's width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .decoder_parts import Normalization, Rotation, linear_together
from .layer_in_one import LayerInOne, takes

# As in both papers; transformers' configs carry the same value as `initializer_range`.
INITIAL_STD = 0.02


@dataclass(frozen=True)
class DecoderShape:
    """What decides the tensors; `family` is `llama` or `qwen2`, which has biases on queries, keys and values."""

    family: str
    vocabulary_size: int
    context: int
    layers: int
    width: int
    heads: int
    kv_heads: int
    ffn_width: int
    head_width: int
    norm_epsilon: float
    rope_theta: float
    tie_embeddings: bool

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise ValueError(
                f"heads is {self.heads}; it must be a multiple of kv_heads, {self.kv_heads}"
            )
        if self.head_width % 2:
            raise ValueError(
                f"width / heads is {self.head_width}; it must be even, for positions turn pairs of numbers"
            )


class Decoder(nn.Module):
    """Tokens (B, T) to logits (B, T, V)."""

    def __init__(self, shape: DecoderShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.model = _Trunk(shape, dropout)
        if not shape.tie_embeddings:
            self.lm_head = nn.Linear(shape.width, shape.vocabulary_size, bias=False)
        self.apply(_initialize)

    def forward(self, tokens: torch.Tensor, cache: KeyValueCache | None = None) -> torch.Tensor:
        x = self.model(tokens, cache)
        tied = self.shape.tie_embeddings
        return F.linear(x, self.model.embed_tokens.weight if tied else self.lm_head.weight)

    @property
    def context(self) -> int:
        return self.shape.context

    def new_cache(self) -> KeyValueCache:
        return KeyValueCache()


class KeyValueCache:
    """Keys and values of the tokens so far, by layer; for writing text token by token."""

    def __init__(self) -> None:
        self.length = 0
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def extend(
        self, layer: int, keys: torch.Tensor, values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, K, T, E) of the new tokens; returns those of all tokens."""
        if layer in self._layers:
            old_keys, old_values = self._layers[layer]
            keys, values = torch.cat([old_keys, keys], 2), torch.cat([old_values, values], 2)
        self._layers[layer] = (keys, values)
        return keys, values


@dataclass
class Positions:
    """Angles of the tokens (T, 1, E/2); `turns` are the same as complex numbers, where layers may be computed in one."""

    cos: torch.Tensor
    sin: torch.Tensor
    turns: torch.Tensor | None = None


class _Trunk(nn.Module):
    def __init__(self, shape: DecoderShape, dropout: float) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary_size, shape.width)
        self.layers = nn.ModuleList(
            _Layer(shape, number, dropout) for number in range(shape.layers)
        )
        self.norm = RootMeanSquareNorm(shape.width, shape.norm_epsilon)
        cos, sin = _rotations(shape)
        # Follow from the shape: in no state dict.
        self.cos: torch.Tensor
        self.sin: torch.Tensor
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens: torch.Tensor, cache: KeyValueCache | None) -> torch.Tensor:
        first = cache.length if cache else 0
        end = first + tokens.shape[1]
        assert end <= self.cos.shape[0], "more tokens than the context holds"
        positions = Positions(self.cos[first:end], self.sin[first:end])
        x = self.embed_tokens(tokens)
        if cache is None and takes(x):
            positions.turns = torch.complex(positions.cos, positions.sin)
        for layer in self.layers:
            x = layer(x, positions, cache)
        if cache is not None:
            cache.length = end
        return self.norm(x)  # type: ignore[no-any-return]


class _Layer(nn.Module):
    def __init__(self, shape: DecoderShape, number: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = _Attention(shape, number)
        self.mlp = _FeedForward(shape)
        self.input_layernorm = RootMeanSquareNorm(shape.width, shape.norm_epsilon)
        self.post_attention_layernorm = RootMeanSquareNorm(shape.width, shape.norm_epsilon)
        self._dropout = dropout
        self._heads, self._epsilon = shape.heads, shape.norm_epsilon
        self._has_groups = shape.kv_heads != shape.heads

    def forward(
        self, x: torch.Tensor, positions: Positions, cache: KeyValueCache | None
    ) -> torch.Tensor:
        drops = self._dropout > 0 and self.training
        if positions.turns is not None and not drops and not self._has_groups:
            return self._in_one(x, positions.turns)
        x = x + self._drop(self.self_attn(self.input_layernorm(x), positions, cache))
        return x + self._drop(self.mlp(self.post_attention_layernorm(x)))

    def _in_one(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        q, k, v = self.self_attn.q_proj, self.self_attn.k_proj, self.self_attn.v_proj
        return LayerInOne.apply(  # type: ignore[no-any-return, no-untyped-call]
            *(x, turns, self._heads, self._epsilon, self.input_layernorm.weight),
            *(q.weight, k.weight, v.weight, q.bias, k.bias, v.bias, self.self_attn.o_proj.weight),
            self.post_attention_layernorm.weight,
            *(self.mlp.gate_proj.weight, self.mlp.up_proj.weight, self.mlp.down_proj.weight),
        )

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, self._dropout, self.training) if self._dropout else x


class _Attention(nn.Module):
    def __init__(self, shape: DecoderShape, number: int) -> None:
        super().__init__()
        self._heads, self._kv_heads, self._head_width = (
            shape.heads,
            shape.kv_heads,
            shape.head_width,
        )
        self._number = number
        queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
        has_bias = shape.family == "qwen2"
        self.q_proj = nn.Linear(shape.width, queries, bias=has_bias)
        self.k_proj = nn.Linear(shape.width, keys, bias=has_bias)
        self.v_proj = nn.Linear(shape.width, keys, bias=has_bias)
        self.o_proj = nn.Linear(queries, shape.width, bias=False)

    def forward(
        self, x: torch.Tensor, positions: Positions, cache: KeyValueCache | None
    ) -> torch.Tensor:
        batch, length, _ = x.shape
        together = linear_together(x, self.q_proj, self.k_proj, self.v_proj)
        heads = together.view(batch, length, -1, self._head_width)
        values = heads[:, :, self._heads + self._kv_heads :].transpose(1, 2)
        # Queries and keys turn alike, so they turn together.
        turned = Rotation.apply(
            heads[:, :, : self._heads + self._kv_heads], positions.cos, positions.sin
        )  # type: ignore[no-untyped-call]
        queries, keys = turned.transpose(1, 2).split((self._heads, self._kv_heads), 1)
        if cache is not None:
            keys, values = cache.extend(self._number, keys, values)
        grouped = self._kv_heads != self._heads
        # A lone new token sees all that came before; several at once only at the beginning.
        mixed = F.scaled_dot_product_attention(
            queries, keys, values, is_causal=length > 1, enable_gqa=grouped
        )
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))  # type: ignore[no-any-return]


class _FeedForward(nn.Module):
    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.ffn_width, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.ffn_width, bias=False)
        self.down_proj = nn.Linear(shape.ffn_width, shape.width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, up = linear_together(x, self.gate_proj, self.up_proj).chunk(2, -1)
        return self.down_proj(F.silu(gate) * up)  # type: ignore[no-any-return]


class RootMeanSquareNorm(nn.Module):
    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self._epsilon = epsilon

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return Normalization.apply(x, self.weight, self._epsilon)  # type: ignore[no-any-return, no-untyped-call]


def _rotations(shape: DecoderShape) -> tuple[torch.Tensor, torch.Tensor]:
    """(context, 1, E/2) each; computed as transformers does, so that the bits agree."""
    exponents = torch.arange(0, shape.head_width, 2, dtype=torch.int64).float() / shape.head_width
    angles = torch.outer(torch.arange(shape.context).float(), 1.0 / shape.rope_theta**exponents)
    return angles.cos().unsqueeze(1), angles.sin().unsqueeze(1)


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=INITIAL_STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


# -- Hugging Face's config.json ------------------------------------------------------------------

_CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM"}


def to_hugging_face(shape: DecoderShape, end_token: int) -> dict[str, Any]:
    """The `config.json` with which transformers opens the same weights."""
    return {
        "architectures": [_CLASSES[shape.family]],
        "model_type": shape.family,
        "vocab_size": shape.vocabulary_size,
        "max_position_embeddings": shape.context,
        "hidden_size": shape.width,
        "intermediate_size": shape.ffn_width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_width,
        "hidden_act": "silu",
        "rms_norm_eps": shape.norm_epsilon,
        "rope_theta": shape.rope_theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_theta},
        "tie_word_embeddings": shape.tie_embeddings,
        "initializer_range": INITIAL_STD,
        "use_sliding_window": False,
        "bos_token_id": end_token,
        "eos_token_id": end_token,
        "dtype": "float32",
    }


def from_hugging_face(config: Mapping[str, Any]) -> DecoderShape:
    """The shape that a `config.json` describes; what our module does not do is a ValueError that names it."""
    family = config.get("model_type")
    if family not in _CLASSES:
        raise ValueError(f"model_type is {family!r}; our module is {' or '.join(_CLASSES)}")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    refused = {
        "rope_type": kind if kind != "default" else None,
        "use_sliding_window": config.get("use_sliding_window"),
        "attention_bias": family == "llama" and config.get("attention_bias"),
        "mlp_bias": config.get("mlp_bias"),
        "hidden_act": config["hidden_act"] if config.get("hidden_act", "silu") != "silu" else None,
    }
    for name, value in refused.items():
        if value:
            raise ValueError(f"{name} is {value!r}, which our {family} module does not have")
    heads = config["num_attention_heads"]
    return DecoderShape(
        family=family,
        vocabulary_size=config["vocab_size"],
        context=config["max_position_embeddings"],
        layers=config["num_hidden_layers"],
        width=config["hidden_size"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        ffn_width=config["intermediate_size"],
        head_width=config.get("head_dim") or config["hidden_size"] // heads,
        norm_epsilon=config.get("rms_norm_eps", 1e-6),
        rope_theta=rope.get("rope_theta", config.get("rope_theta", 10_000.0)),
        tie_embeddings=config.get("tie_word_embeddings", False),
    )
