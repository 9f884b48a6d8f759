"""Owns the running average of the weights (`ema_decay`): taken after each step, evaluated and kept in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn


class AveragedWeights:
    """The average of everything in the model's state that is a floating number; the rest is the model's own."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._present = model.state_dict()
        self._average = {
            name: tensor.detach().clone()
            for name, tensor in self._present.items()
            if tensor.is_floating_point()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After step number `step`."""
        # The first weights are random: a short memory at first forgets them (as TensorFlow's moving average does).
        decay = min(self._decay, (1 + step) / (10 + step))
        average = [own_piece(tensor) for tensor in self._average.values()]
        present = [own_piece(self._present[name]) for name in self._average]
        torch._foreach_lerp_(average, present, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the model holds the average; afterwards its own bits again."""
        own = {name: self._present[name].clone() for name in self._average}
        self._put(self._average)
        try:
            yield
        finally:
            self._put(own)

    def state(self) -> dict[str, torch.Tensor]:
        return self._average

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self._average.items():
            tensor.copy_(state[name])

    @torch.no_grad()
    def begin_anew(self) -> None:
        """From the weights as they are now: those it was made with were the random ones."""
        self.restore({name: self._present[name] for name in self._average})

    @torch.no_grad()
    def _put(self, state: dict[str, torch.Tensor]) -> None:
        for name, tensor in state.items():
            self._present[name].copy_(tensor)


def own_piece(tensor: torch.Tensor) -> torch.Tensor:
    """What lies here of a tensor that may be in pieces over several processes."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor
