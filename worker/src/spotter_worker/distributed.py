"""Owns how several processes train one model: who takes which batch, whose gradients meet, who speaks.

Process number `rank` of `size` prepares and takes every `size`-th batch, so that two processes see in one step what one
process sees with the doubled batch. Only the first talks to the server and writes files. With one process nothing here
does anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from .evaluating import evaluating
from .randomness import untouched_randomness
from .recipe_configs import LoopConfig
from .synced_norm import SyncedBatchNorm, sync_batch_norms
from .task import Batch, Task, TrainBatches

Value = TypeVar("Value")


@dataclass(frozen=True)
class StepBatches:
    """What one step takes: how many batches in all processes, and this one's own."""

    num: int
    own: list[Batch]
    # For the last round, where others still have a batch and this process has none: its gradients count nothing.
    filler: Batch | None


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
        # True where every forward pass is a collective, in which all processes must take part.
        self.is_sharded = False

    @classmethod
    def join(cls, rank: int, size: int, use_gpu: bool, timeout_minutes: float) -> Peers:
        """Meets the others at the address that torchrun has put into the environment.

        A process that is gone closes its connections; the timeout is for one that hangs. The first process saves and
        tests alone while the others wait, so it must be longer than that.
        """
        # Objects and counts go over gloo, gradients over whatever their device needs.
        backend = "cpu:gloo,cuda:nccl" if use_gpu else "gloo"
        dist.init_process_group(backend, timeout=timedelta(minutes=timeout_minutes))
        assert (dist.get_rank(), dist.get_world_size()) == (rank, size)
        return cls(rank, size)

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def leave(self) -> None:
        if self.size > 1:
            dist.destroy_process_group()

    # -- the model ---------------------------------------------------------------------------------

    def share_model(self, task: Task) -> nn.Module:
        """The wrapper to train with; the model itself is changed so that batch statistics are everyone's."""
        model, config = task.model, task.config
        if config.strategy == "fsdp2":
            self._check_sharding(config)
        if self.size == 1:
            return model
        sync_batch_norms(model)
        if config.strategy == "fsdp2":
            # Loaded on use: single processes start without it.
            from .sharding import shard

            self.is_sharded = True
            shard(model, self.size, task.device.type)
            return model
        unused = idle_parameters(task)
        if unused:
            task.derived["idle_parameters"] = (
                f"{', '.join(unused[:10])}: the loss does not depend on them, so they stay as they are"
            )
        # Buffers are equal everywhere already: batch statistics are synchronised, and nothing else changes them.
        return DistributedDataParallel(
            model,
            device_ids=[task.device.index or 0] if task.device.type == "cuda" else None,
            forward_sync_buffers=False,
            find_unused_parameters=bool(unused),
        )

    def _check_sharding(self, config: LoopConfig) -> None:
        """What pieces of tensors cannot do."""
        if self.size == 1:
            raise ValueError("strategy is 'fsdp2', which cuts a model over processes; there is one")
        if config.optimizer == "adafactor":
            raise ValueError("strategy 'fsdp2' does not go with adafactor; take adamw, adam or sgd")
        if config.precision == "fp16":
            raise ValueError("strategy 'fsdp2' does not go with fp16; take bf16 or fp32")

    @contextmanager
    def gradients(self, model: nn.Module, part: Part) -> Iterator[None]:
        """Around forward and backward of one part."""
        if self.size == 1:
            yield
            return
        for module in model.modules():
            if isinstance(module, SyncedBatchNorm):
                module.counts = part.share > 0
        inner: Any = getattr(model, "_orig_mod", model)
        if self.is_sharded:
            inner.set_requires_gradient_sync(part.is_last)
            yield
            return
        assert isinstance(inner, DistributedDataParallel)
        with nullcontext() if part.is_last else inner.no_sync():
            yield

    # -- the data ----------------------------------------------------------------------------------

    def steps(
        self, batches: TrainBatches, epoch: int, first_batch: int, accumulate: int
    ) -> Iterator[StepBatches]:
        """What each step takes, from that batch to the epoch's end; the last may be short."""
        if self.size == 1:
            mine = batches.epoch(epoch, first_batch)
        else:
            mine = batches.epoch(epoch, first_batch + self.rank, every=self.size)
        for first in range(first_batch, batches.num_batches, accumulate * self.size):
            num = min(accumulate * self.size, batches.num_batches - first)
            own = list(islice(mine, len(range(self.rank, num, self.size))))
            is_short = len(own) < math.ceil(num / self.size)
            # The step's first, made once more: it follows from the position alone, so a resumed run takes the same.
            yield StepBatches(num, own, next(batches.epoch(epoch, first)) if is_short else None)

    def parts(self, batches: StepBatches, count: Callable[[Batch], int]) -> list[Part]:
        counts = [count(batch) for batch in batches.own]
        total = self.total(sum(counts))
        # DDP takes the mean over processes where the step's loss is the sum of all shares.
        parts = [
            Part(batch, num, num / total * self.size, is_last=False)
            for batch, num in zip(batches.own, counts, strict=True)
        ]
        if batches.filler is not None:
            # The others wait for everyone's gradients, so some must be made that count nothing.
            parts.append(Part(batches.filler, 0, 0.0, is_last=False))
        return [*parts[:-1], replace(parts[-1], is_last=True)]

    # -- words -------------------------------------------------------------------------------------

    def total(self, number: int) -> int:
        """Over all processes."""
        if self.size == 1:
            return number
        box = torch.tensor([number])
        dist.all_reduce(box)
        return int(box)

    def whole_number(self, found: torch.Tensor) -> float:
        """Of a tensor without dimensions that may lie in pieces."""
        return float(found.full_tensor() if self.is_sharded else found)  # type: ignore[attr-defined]

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


def idle_parameters(task: Task) -> list[str]:
    """Names of trainable parameters that get no gradient. DDP must know: it waits for every gradient."""
    batch = next(iter(task.train_batches.epoch(0)))
    # Evaluation mode moves no batch statistics, and the graph is only walked, never used.
    with evaluating(task.model), untouched_randomness(task.device):
        loss = task.train_scores(task.model, batch).loss
    waiting, seen, reached = [loss.grad_fn], set(), set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            reached.add(id(node.variable))
        waiting += [following for following, _ in node.next_functions]
    named = task.model.named_parameters()
    return [name for name, one in named if one.requires_grad and id(one) not in reached]
