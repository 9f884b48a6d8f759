"""Owns the accelerator memory of a paused run: given back after a while, taken again before anything else happens.

Memory is freed under the tensors, which stay the same objects: whatever else holds them (an average, a wrapper for
several processes) finds them whole afterwards, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from .keeping import Trained

MIB = 2**20


class Parking:
    """Holds copies in the machine's own memory while the tensors are empty."""

    def __init__(self, trained: Trained) -> None:
        self._trained = trained
        self._away: list[tuple[torch.UntypedStorage, torch.UntypedStorage]] = []

    @property
    def is_away(self) -> bool:
        return bool(self._away)

    def leave(self) -> int:
        """Returns how many bytes are free now."""
        freed, seen = 0, set()
        for tensor in self._tensors():
            storage = tensor.untyped_storage()
            # Tied weights and views share one storage.
            if storage.nbytes() == 0 or storage.data_ptr() in seen:
                continue
            seen.add(storage.data_ptr())
            copy = torch.empty(storage.nbytes(), dtype=torch.uint8).untyped_storage()
            copy.copy_(storage)
            self._away.append((storage, copy))
        for storage, copy in self._away:
            storage.resize_(0)
            freed += copy.nbytes()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return freed

    def come_back(self) -> None:
        for storage, copy in self._away:
            storage.resize_(copy.nbytes())
            storage.copy_(copy)
        self._away = []

    def _tensors(self) -> Iterator[torch.Tensor]:
        """What is on the run's device and grows with the model."""
        trained, device = self._trained, self._trained.task.device
        model = trained.task.model
        yield from _on(device, model.parameters())
        yield from _on(device, model.buffers())
        yield from _on(device, (p.grad for p in model.parameters() if p.grad is not None))
        for values in trained.optimizer.state.values():
            yield from _on(device, (one for one in values.values() if torch.is_tensor(one)))
        if trained.averaged is not None:
            yield from _on(device, trained.averaged.state().values())


def _on(device: torch.device, tensors: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    return (tensor for tensor in tensors if tensor.device.type == device.type)
