"""Owns the making of batches of images, which follow from (seed, epoch, batch) alone.

Because nothing here has a memory, the position in the data is two numbers, and a resumed run sees
the same images with the same random changes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy
import torch

from .augment import augment
from .batch_order import BatchOrder, Replay, mix_seed
from .images import ImageStore


@dataclass(frozen=True)
class Normalization:
    mean: list[float]
    std: list[float]

    def apply(self, images: torch.Tensor) -> torch.Tensor:
        mean = torch.tensor(self.mean, device=images.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=images.device).view(1, -1, 1, 1)
        return (images - mean) / std

    def undo(self, image: torch.Tensor) -> torch.Tensor:
        """(C, H, W) back to 0–1."""
        mean = torch.tensor(self.mean, device=image.device).view(-1, 1, 1)
        return image * torch.tensor(self.std, device=image.device).view(-1, 1, 1) + mean


def measure_normalization(store: ImageStore, indices: torch.Tensor) -> Normalization:
    # 4,096 images give three digits; all of a large folder would cost a pass over the disk.
    sample = store.gather(indices[:4096]).double() / 255
    mean, std = sample.mean((0, 2, 3)), sample.std((0, 2, 3)).clamp(min=1e-3)
    return Normalization([round(x, 6) for x in mean.tolist()], [round(x, 6) for x in std.tolist()])


class MixedBatch(NamedTuple):
    """Blends of two images each: `share` of the one with `labels`, the rest of the one with `partners`."""

    images: torch.Tensor
    labels: torch.Tensor
    partners: torch.Tensor
    share: float


# (N, C, H, W) float and (N,) int64, or blends of them.
ImageBatch = tuple[torch.Tensor, torch.Tensor] | MixedBatch


def mix(images: torch.Tensor, labels: torch.Tensor, alpha: float, seed: int) -> MixedBatch:
    """Mixup (Zhang et al. 2018), one share a batch; the larger share stays with `labels`."""
    random = numpy.random.default_rng(seed)
    drawn = float(random.beta(alpha, alpha))
    share = max(drawn, 1 - drawn)
    order = torch.from_numpy(random.permutation(len(labels))).to(images.device)
    mixed = share * images + (1 - share) * images[order]
    return MixedBatch(mixed, labels, labels[order], share)


class TrainBatches:
    def __init__(
        self,
        store: ImageStore,
        labels: torch.Tensor,
        indices: torch.Tensor,
        normalization: Normalization,
        batch_size: int,
        augmentation: str,
        mirror: bool,
        seed: int,
        device: torch.device,
        prefetch: bool,
        mixup: float = 0.0,
        replay: Replay | None = None,
    ) -> None:
        self._store, self._labels = store, labels
        self._order = BatchOrder(indices, batch_size, seed, replay)
        self._normalization = normalization
        self._augmentation, self._mirror = augmentation, mirror
        self._seed, self._device = seed, device
        self._mixup = mixup
        self._ahead = ThreadPoolExecutor(1, "prefetch") if prefetch else None
        self.num_batches = self._order.num_batches

    def resized(self, batch_size: int) -> TrainBatches:
        """The same images in the same order, so many at once."""
        other = copy.copy(self)
        other._order = self._order.resized(batch_size)
        other.num_batches = other._order.num_batches
        return other

    def epoch(self, epoch: int, first_batch: int = 0, every: int = 1) -> Iterator[ImageBatch]:
        """Batches of one epoch, from `first_batch` on."""
        numbers = self._order.of_epoch(epoch)
        upcoming: Future[torch.Tensor] | None = None
        for number in range(first_batch, self.num_batches, every):
            chosen = numbers(number)
            images = upcoming.result() if upcoming else self._store.gather(chosen)
            if self._ahead is not None and number + every < self.num_batches:
                upcoming = self._ahead.submit(self._store.gather, numbers(number + every))
            pixels, labels = (
                self._prepare(images, epoch, number),
                self._labels[chosen].to(self._device),
            )
            if self._mixup == 0:
                yield pixels, labels
            else:
                yield mix(pixels, labels, self._mixup, mix_seed(self._seed, epoch, number))

    def _prepare(self, images: torch.Tensor, epoch: int, number: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(mix_seed(self._seed, epoch, number))
        pixels = images.to(self._device, non_blocking=True).float() / 255
        changed = augment(pixels, self._augmentation, self._mirror, generator)
        return self._normalization.apply(changed)


class EvalBatches:
    """Images in their order, unchanged."""

    def __init__(
        self,
        store: ImageStore,
        labels: torch.Tensor,
        indices: torch.Tensor,
        normalization: Normalization,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._store, self._labels, self._indices = store, labels, indices
        self._normalization, self._batch_size, self._device = normalization, batch_size, device

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for chosen in torch.split(self._indices, self._batch_size):
            pixels = self._store.gather(chosen).to(self._device).float() / 255
            yield self._normalization.apply(pixels), self._labels[chosen].to(self._device)
