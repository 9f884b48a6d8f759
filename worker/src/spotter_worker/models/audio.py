"""Owns the sound networks: LSTM or GRU over log-mel spectra, pooled over time. N examples, T moments, M mel bands, H
features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


@dataclass(frozen=True)
class AudioArchitecture:
    """Everything that decides the shapes; saved with the weights."""

    name: str
    num_mels: int
    moments_per_step: int
    layers: int
    width: int
    bidirectional: bool
    dropout: float
    num_classes: int


class RecurrentClassifier(nn.Module):
    """Packed, so that the backward direction begins at a recording's own end, not in its padding."""

    def __init__(self, architecture: AudioArchitecture) -> None:
        super().__init__()
        self.moments_per_step = architecture.moments_per_step
        kinds: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}
        self.recurrent = kinds[architecture.name](
            architecture.num_mels * architecture.moments_per_step,
            architecture.width,
            architecture.layers,
            batch_first=True,
            bidirectional=architecture.bidirectional,
            # Between layers only; torch warns where there is no between.
            dropout=architecture.dropout if architecture.layers > 1 else 0.0,
        )
        H = architecture.width * (2 if architecture.bidirectional else 1)
        self.dropout = nn.Dropout(architecture.dropout)
        self.head = nn.Linear(2 * H, architecture.num_classes)

    def forward(self, spectra: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """(N, T, M) and (N,) lengths on the CPU → (N, classes)."""
        steps, lengths = self._stack(spectra, lengths)
        packed = pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False)
        states, _ = self.recurrent(packed)
        states_NTH, _ = pad_packed_sequence(states, batch_first=True)
        position = torch.arange(states_NTH.shape[1]).unsqueeze(0)
        mask = (position < lengths.unsqueeze(1)).to(states_NTH.device).unsqueeze(2)  # (N, T, 1)
        mean = states_NTH.masked_fill(~mask, 0).sum(1) / mask.sum(1)
        largest = states_NTH.masked_fill(~mask, -torch.inf).amax(1)
        logits: torch.Tensor = self.head(self.dropout(torch.cat([mean, largest], 1)))
        return logits

    def _stack(
        self, spectra: torch.Tensor, lengths: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Neighbouring moments side by side: (N, T / moments, M · moments). Recurrent layers cost by the step."""
        num, T, M = spectra.shape
        each = self.moments_per_step
        filled = nn.functional.pad(spectra, (0, 0, 0, -T % each))
        return filled.reshape(num, -1, each * M), (lengths + each - 1) // each
