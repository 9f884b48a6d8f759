"""Owns how several processes train one model: who takes which batch, whose gradients meet, who speaks.

Process number `rank` of `size` takes every `size`-th batch, so that two processes see in one step what one process sees
with the doubled batch. Only the first talks to the server and writes files. With one process nothing here does anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from .synced_norm import SyncedBatchNorm, sync_batch_norms
from .task import Batch

# A process that is gone closes its connections; this is for one that hangs. Longer than any pause between two
# collectives: the first process saves and tests alone while the others wait.
TIMEOUT = timedelta(hours=2)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Part:
    """One batch of a step, as one process trains it."""

    batch: Batch
    count: int
    # What its mean loss counts in the step's; 0 where a process only keeps step with the others.
    share: float
    # Gradients meet after the last.
    is_last: bool


class Peers:
    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @classmethod
    def join(cls, rank: int, size: int, use_gpu: bool) -> Peers:
        """Meets the others at the address that torchrun has put into the environment."""
        # Objects and counts go over gloo, gradients over whatever their device needs.
        backend = "cpu:gloo,cuda:nccl" if use_gpu else "gloo"
        dist.init_process_group(backend, timeout=TIMEOUT)
        assert (dist.get_rank(), dist.get_world_size()) == (rank, size)
        return cls(rank, size)

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def leave(self) -> None:
        if self.size > 1:
            dist.destroy_process_group()

    # -- the model ---------------------------------------------------------------------------------

    def share_model(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The wrapper to train with; the model itself is changed so that batch statistics are everyone's."""
        if self.size == 1:
            return model
        sync_batch_norms(model)
        # Buffers are equal everywhere already: batch statistics are synchronised, and nothing else changes them.
        return DistributedDataParallel(
            model,
            device_ids=[device.index or 0] if device.type == "cuda" else None,
            broadcast_buffers=False,
        )

    def gradients(self, model: nn.Module, part: Part) -> AbstractContextManager[Any]:
        """Around forward and backward of one part."""
        if self.size == 1:
            return nullcontext()
        for module in model.modules():
            if isinstance(module, SyncedBatchNorm):
                module.counts = part.share > 0
        inner = getattr(model, "_orig_mod", model)
        assert isinstance(inner, DistributedDataParallel)
        return nullcontext() if part.is_last else inner.no_sync()

    # -- the data ----------------------------------------------------------------------------------

    def parts(self, batches: Sequence[Batch], count: Callable[[Batch], int]) -> list[Part]:
        """This process's parts of a step that takes all these batches."""
        counts = [count(batch) for batch in batches]
        total = sum(counts)
        own = [(batch, num, num / total) for batch, num in zip(batches, counts, strict=True)]
        own = own[self.rank :: self.size]
        num_rounds = math.ceil(len(batches) / self.size)
        if len(own) < num_rounds:
            # The others wait for everyone's gradients, so one must be made that counts nothing.
            own.append((batches[0], 0, 0.0))
        # DDP takes the mean over processes where the step's loss is the sum of all shares.
        return [
            Part(batch, num, share * self.size, number == num_rounds - 1)
            for number, (batch, num, share) in enumerate(own)
        ]

    # -- words -------------------------------------------------------------------------------------

    def sum(self, numbers: dict[str, float]) -> dict[str, float]:
        """By name over all processes, in their order, so that everyone has the same bits."""
        total: dict[str, float] = {}
        for one in self.gather(numbers):
            for name, value in one.items():
                total[name] = total.get(name, 0.0) + value
        return total

    def gather(self, value: Value) -> list[Value]:
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found

    def from_first(self, value: Value) -> Value:
        if self.size == 1:
            return value
        box = [value if self.is_first else None]
        dist.broadcast_object_list(box, src=0)
        return box[0]  # type: ignore[return-value]

    def wait(self) -> None:
        if self.size > 1:
            dist.monitored_barrier() if dist.get_backend() == "gloo" else dist.barrier()
