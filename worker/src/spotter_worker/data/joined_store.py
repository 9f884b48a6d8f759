"""Owns how old examples stand beside new ones: one numbering over both, the new ones first."""

from __future__ import annotations

from typing import Any, Protocol

import torch


class Store(Protocol):
    """Examples by number: one tensor of all that are asked for, or a list where their sizes differ."""

    def __len__(self) -> int: ...

    def gather(self, indices: torch.Tensor) -> Any: ...


class JoinedStore:
    """Two stores under one numbering."""

    def __init__(self, new: Store, old: Store) -> None:
        self._new, self._old = new, old

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    def gather(self, indices: torch.Tensor) -> Any:
        is_old = indices >= len(self._new)
        if not bool(is_old.any()):
            return self._new.gather(indices)
        if bool(is_old.all()):
            return self._old.gather(indices - len(self._new))
        new = self._new.gather(indices[~is_old])
        old = self._old.gather(indices[is_old] - len(self._new))
        # Where each of them stood among those that were asked for.
        order = torch.argsort(torch.cat([(~is_old).nonzero()[:, 0], is_old.nonzero()[:, 0]]))
        if isinstance(new, torch.Tensor):
            return torch.cat([new, old])[order]
        both = [*new, *old]
        return [both[place] for place in order.tolist()]
