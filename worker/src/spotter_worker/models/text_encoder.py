"""Owns the text classifier: a Transformer encoder, pre-norm, averaged over the text. N texts, T tokens, H features, A
heads.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class EncoderArchitecture:
    """Everything that decides the shapes; saved with the weights."""

    num_tokens: int
    max_tokens: int
    layers: int
    heads: int
    width: int
    dropout: float
    num_classes: int


class TextEncoder(nn.Module):
    def __init__(self, architecture: EncoderArchitecture) -> None:
        super().__init__()
        H = architecture.width
        if H % architecture.heads != 0:
            raise ValueError(f"width {H} is not a multiple of heads {architecture.heads}")
        self.tokens = nn.Embedding(architecture.num_tokens, H, padding_idx=0)
        self.positions = nn.Embedding(architecture.max_tokens, H)
        # Small, as for GPT-2: unit-sized embeddings would drown what the layers add.
        nn.init.normal_(self.tokens.weight, std=0.02)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.dropout = nn.Dropout(architecture.dropout)
        self.layers = nn.ModuleList(EncoderLayer(architecture) for _ in range(architecture.layers))
        self.norm = nn.LayerNorm(H)
        self.head = nn.Linear(H, architecture.num_classes)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, T) with 0 after each text's end → (N, classes)."""
        is_text = tokens != 0  # (N, T)
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.dropout(self.tokens(tokens) + self.positions(positions))
        for layer in self.layers:
            x = layer(x, is_text)
        mask = is_text.unsqueeze(2).to(x.dtype)
        mean = (self.norm(x) * mask).sum(1) / mask.sum(1)
        logits: torch.Tensor = self.head(self.dropout(mean))
        return logits


class EncoderLayer(nn.Module):
    def __init__(self, architecture: EncoderArchitecture) -> None:
        super().__init__()
        H = architecture.width
        self.num_heads, self.dropout = architecture.heads, architecture.dropout
        self.attention_norm, self.feed_norm = nn.LayerNorm(H), nn.LayerNorm(H)
        self.query_key_value = nn.Linear(H, 3 * H)
        self.attention_out = nn.Linear(H, H)
        self.feed = nn.Sequential(nn.Linear(H, 4 * H), nn.GELU(), nn.Linear(4 * H, H))

    def forward(self, x: torch.Tensor, is_text: torch.Tensor) -> torch.Tensor:
        x = x + self._drop(self._attend(self.attention_norm(x), is_text))
        return x + self._drop(self.feed(self.feed_norm(x)))

    def _attend(self, x: torch.Tensor, is_text: torch.Tensor) -> torch.Tensor:
        N, T, H = x.shape
        parts = self.query_key_value(x).view(N, T, 3, self.num_heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (N, A, T, H / A)
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=is_text.view(N, 1, 1, T)
        )
        out: torch.Tensor = self.attention_out(seen.transpose(1, 2).reshape(N, T, H))
        return out

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout, self.training)
