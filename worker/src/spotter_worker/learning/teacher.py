"""Owns a trained model whose answers are learnt from, or measured, under another run's classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from ..weights import SavedWeights


class Teacher(nn.Module):
    """Frozen, in evaluation mode. Its outputs stand in the order of `classes`; one that it does not know is -inf."""

    def __init__(
        self, saved: SavedWeights, classes: Sequence[str], temperature: float = 1.0
    ) -> None:
        super().__init__()
        self.sha256 = saved.sha256
        self._network = saved.model.eval().requires_grad_(False)
        self._temperature = temperature
        own: list[str] = saved.card["classes"]
        known = [number for number, name in enumerate(classes) if name in own]
        self._num_classes = len(classes)
        self.known: torch.Tensor
        self._columns: torch.Tensor
        self.register_buffer("known", torch.tensor(known, dtype=torch.int64))
        columns = [own.index(classes[number]) for number in known]
        self.register_buffer("_columns", torch.tensor(columns, dtype=torch.int64))

    @torch.no_grad()
    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        own: torch.Tensor = self._network(*inputs)[:, self._columns]
        logits = own.new_full((len(own), self._num_classes), -torch.inf)
        logits[:, self.known] = own
        return logits

    def distance(self, taught: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Mean divergence of a student's answers from the teacher's, over the classes that the teacher knows (Hinton et
        al. 2015; where the teacher is the student's own past: Li & Hoiem 2016).
        """
        wanted = functional.softmax(taught[:, self.known].float() / self._temperature, 1)
        given = functional.log_softmax(logits[:, self.known].float() / self._temperature, 1)
        # The square keeps the gradient's size, whatever the temperature.
        divergence: torch.Tensor = functional.kl_div(given, wanted, reduction="batchmean")
        return divergence * self._temperature**2
