"""Owns which examples of a source count, and under which classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def find_members(
    labels: torch.Tensor, classes: Sequence[str], subset: Sequence[str], field: str
) -> torch.Tensor | None:
    """Numbers of the examples whose class is in the subset, rising; None where all count."""
    if not subset:
        return None
    for name in subset:
        if name not in classes:
            raise ValueError(
                f"{field} names {name!r}, which is no class of the data; its classes are: "
                f"{', '.join(classes)}"
            )
    wanted = torch.tensor([name in subset for name in classes])
    return wanted[labels].nonzero()[:, 0]


def kept_classes(classes: Sequence[str], subset: Sequence[str]) -> list[str]:
    return [name for name in classes if not subset or name in subset]


def renumber(labels: torch.Tensor, classes: Sequence[str], into: Sequence[str]) -> torch.Tensor:
    """The same labels by the order of `into`; -1 where it lacks the class."""
    numbers = {name: number for number, name in enumerate(into)}
    return torch.tensor([numbers.get(name, -1) for name in classes])[labels]


def united(*lists: Sequence[str]) -> list[str]:
    """Every class once, in the order in which they come."""
    return list(dict.fromkeys(name for one in lists for name in one))
