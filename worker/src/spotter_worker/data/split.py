"""Owns the split into training, validation and test: by seed, the same share of every class in
each.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Split:
    train: torch.Tensor
    validation: torch.Tensor
    # Empty when no test is wanted.
    test: torch.Tensor

    def part(self, name: str) -> torch.Tensor:
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


def split_labels(
    labels: torch.Tensor,
    validation: float,
    test: float,
    seed: int,
    noun: str,
    own_test: torch.Tensor | None = None,
    members: torch.Tensor | None = None,
) -> Split:
    """Each part is in random order, so that its first few are a fair sample. `members`: only these examples count."""
    generator = torch.Generator().manual_seed(seed)
    pool = torch.arange(len(labels))
    if own_test is not None:
        pool = pool[: len(pool) - len(own_test)]
    if members is not None:
        pool = pool[torch.isin(pool, members)]
        own_test = None if own_test is None else own_test[torch.isin(own_test, members)]
    order = pool[torch.randperm(len(pool), generator=generator)]
    if own_test is not None:
        own_order = torch.randperm(len(own_test), generator=generator)
        test_part = own_test[own_order] if test > 0 else own_test[:0]
    else:
        test_part, order = _take(order, labels, test)
    validation_part, train_part = _take(order, labels, validation)
    parts = [("training", train_part), ("validation", validation_part)]
    for name, part in parts + ([("test", test_part)] if test > 0 else []):
        if len(part) == 0:
            num = len(labels) if members is None else len(members)
            raise ValueError(f"{num} {noun} are too few: the {name} part would be empty")
    return Split(train_part, validation_part, test_part)


def some_of_each(labels: torch.Tensor, indices: torch.Tensor, limit: int) -> torch.Tensor:
    """The first of every class, then the second of every class, and so on."""
    near = indices[:2048]
    one_hot = torch.nn.functional.one_hot(labels[near])
    rank = (one_hot.cumsum(0) * one_hot).sum(1)
    return near[torch.argsort(rank, stable=True)[:limit]]


def _take(
    order: torch.Tensor, labels: torch.Tensor, share: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cuts `share` out of every class; the sum over the classes is the rounded share of the whole."""
    ordered_labels = labels[order]
    counts = torch.bincount(ordered_labels)
    exact = counts.double() * share
    quota = exact.floor().to(torch.int64)
    missing = round(len(order) * share) - int(quota.sum())
    # The classes that lost most by rounding down give one more.
    for index in torch.argsort(exact - quota, descending=True, stable=True)[:missing].tolist():
        quota[index] += 1
    # A class of one image stays whole in the training part.
    quota = torch.minimum(quota, (counts - 1).clamp(min=0))
    one_hot = torch.nn.functional.one_hot(ordered_labels, len(counts))
    rank = (one_hot.cumsum(0) * one_hot).sum(1)
    taken = rank <= quota[ordered_labels]
    return order[taken], order[~taken]
