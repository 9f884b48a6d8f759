"""Owns forks: a run that begins in another run's checkpoint, keeps some of its state, and changes part of its config.

What is said to be kept is compared with the checkpoint after loading, and every changed value is looked up where the
training will read it; each finding is a line of the log, and a fork that is not as it was asked for does not begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .checkpoint import Contents, find_damage, read_contents
from .distributed import Peers
from .progress import Progress
from .randomness import random_states
from .schedule import Schedule

if TYPE_CHECKING:
    from .keeping import Trained

# The place of the checkpoint's folder, among the places of the config's sources.
CHECKPOINT_PLACE = "fork_checkpoint"
SCHEDULE_FIELDS = {
    "schedule": "kind",
    "learning_rate": "peak",
    "step_factor": "drop_factor",
    "warmup_steps": "warmup_steps",
}
OPTIMIZER_NAMES = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD", "adafactor": "Adafactor"}


class NotInForceError(RuntimeError):
    """The fork is not what it was asked to be."""


@dataclass(frozen=True)
class Kept:
    """Weights are always kept."""

    optimizer: bool
    scheduler: bool
    rng: bool
    data_position: bool

    @property
    def everything(self) -> bool:
        return self.optimizer and self.scheduler and self.rng and self.data_position


@dataclass(frozen=True)
class Fork:
    parent_id: int
    step: int
    kept: Kept
    # By key: `{"before": …, "after": …}`.
    changed: Mapping[str, Mapping[str, Any]]
    # The parent's classes, in the order of its outputs; empty where it has none.
    classes: list[str]
    checkpoint: Path

    @property
    def is_exact(self) -> bool:
        """Goes on as its parent did, bit for bit."""
        return self.kept.everything and not self.changed


@dataclass(frozen=True)
class Ahead:
    """What the loop will do next."""

    schedule: Schedule
    learning_rate: float
    total_steps: int


def read_fork(told: Mapping[str, Any] | None, places: Mapping[str, Path]) -> Fork | None:
    """The spec's `fork`; None for a run that is none."""
    if told is None:
        return None
    keep = {name: told["keep"][name] for name in Kept.__dataclass_fields__}
    return Fork(
        told["parent_id"],
        told["step"],
        Kept(**keep),
        told["changed"],
        told["classes"],
        places[CHECKPOINT_PLACE],
    )


def open_fork(fork: Fork, model: Mapping[str, torch.Tensor], classes: list[str]) -> Contents:
    """The checkpoint's contents, once it is known to be whole and to fit this run's model."""
    problem = find_damage(fork.checkpoint)
    where = f"the checkpoint of run {fork.parent_id} at step {fork.step}"
    if problem is not None:
        raise ValueError(f"{where} cannot be used: {problem}; fork from another one")
    contents = read_contents(fork.checkpoint)
    for name in sorted({*contents.model, *model}):
        if name not in contents.model or name not in model:
            owner = "this fork" if name in model else where
            raise ValueError(f"{where} does not fit: only {owner} has {name!r}")
        theirs, mine = list(contents.model[name].shape), list(model[name].shape)
        if theirs != mine:
            raise ValueError(f"{where} does not fit: {name!r} is {theirs} there and {mine} here")
    if fork.classes and classes != fork.classes:
        raise ValueError(
            f"{where} knows the classes {', '.join(fork.classes)}; this fork's data has {', '.join(classes)}"
        )
    return contents


def progress_of_fork(fork: Fork, contents: Contents) -> Progress:
    """Where the fork stands: where its parent stood, without what is not kept."""
    progress = Progress(**contents.progress)
    # Those checkpoints lie in the parent's folder.
    progress.best_checkpoints = []
    if fork.is_exact:
        return progress
    # The parent's best says nothing of what the change does; what is best begins with this fork's own evaluations.
    progress.best, progress.best_metrics, progress.evaluations_without_gain = None, {}, 0
    if not fork.kept.scheduler:
        progress.schedule_start = progress.step
        progress.drops = progress.evaluations_since_drop = 0
    if not fork.kept.data_position:
        progress.batch, progress.sums, progress.num_seen = 0, {}, 0
    # Its batches may be of another size from here on.
    progress.counted_from = (progress.step, progress.epoch, progress.batch)
    return progress


def check_fork(
    fork: Fork,
    contents: Contents,
    trained: Trained,
    state: Mapping[str, torch.Tensor],
    optimizer: dict[str, Any],
    progress: Progress,
    ahead: Ahead,
    peers: Peers,
) -> None:
    """Raises NotInForceError unless everything is as the fork says; tells each finding.

    `state` and `optimizer` are whole, whatever pieces the processes hold.
    """
    told = [f"of run {fork.parent_id}, from its checkpoint of step {fork.step}"]
    told += _check_kept(fork, contents, trained, state, optimizer, progress, peers)
    in_force = _values_in_force(trained, ahead)
    for key, change in fork.changed.items():
        wanted = change["after"]
        read = in_force.get(key)
        found, where = read() if read else (getattr(trained.task.config, key), "config")
        _require(found == wanted, f"{key} should be {wanted!r}, but {where} has {found!r}")
        told.append(f"{key} {change['before']!r} → {wanted!r}: in force ({where})")
    if progress.step >= ahead.total_steps:
        raise ValueError(
            f"no steps are left: the fork begins at step {progress.step} and its config ends at step "
            f"{ahead.total_steps}; give it more epochs, or a larger max_steps"
        )
    told.append(
        f"goes on at step {progress.step + 1} of {ahead.total_steps} with the learning rate "
        f"{ahead.learning_rate:.6g} ({ahead.schedule.kind})"
    )
    best = "taken over" if fork.is_exact else "begins anew with this fork's own evaluations"
    told.append(f"best so far: {best}")
    if peers.is_first:
        for line in told:
            print(f"fork: {line}", flush=True)


def _check_kept(
    fork: Fork,
    contents: Contents,
    trained: Trained,
    state: Mapping[str, torch.Tensor],
    optimizer: dict[str, Any],
    progress: Progress,
    peers: Peers,
) -> list[str]:
    kept, before = fork.kept, Progress(**contents.progress)
    same = all(same_values(contents.model[name], tensor) for name, tensor in state.items())
    _require(same, "the weights differ from the checkpoint's")
    told = [f"weights: kept, {len(state)} tensors equal the checkpoint's"]
    if kept.optimizer:
        same = same_values(optimizer["state"], contents.optimizer["state"])
        _require(same, "the optimizer's state differs from the checkpoint's")
        told.append(f"optimizer: kept, the state of {len(optimizer['state'])} parameters is equal")
    else:
        _require(not optimizer["state"], "the optimizer should begin without any state")
        told.append("optimizer: begins anew, without momentum or averages")
    if kept.scheduler:
        found = (progress.schedule_start, progress.drops)
        _require(found == (before.schedule_start, before.drops), "the schedule stands elsewhere")
        told.append(f"scheduler: kept, stands at step {progress.step - progress.schedule_start}")
    else:
        told.append(f"scheduler: begins anew behind step {progress.step}")
    if kept.rng:
        known = peers.rank < len(contents.random)
        own = random_states(trained.task.device)
        same = not known or same_values(own, contents.random[peers.rank])
        _require(same, "the random generators differ from the checkpoint's")
        told.append("rng: kept, all generators stand where the checkpoint left them")
    else:
        told.append(f"rng: begins anew from seed {trained.task.config.seed}")
    if kept.data_position:
        found = (progress.epoch, progress.batch)
        _require(found == (before.epoch, before.batch), "the position in the data is another")
        told.append(f"data position: kept, epoch {progress.epoch + 1}, batch {progress.batch}")
    else:
        told.append(f"data position: not kept, epoch {progress.epoch + 1} begins anew")
    return told


Reading = tuple[Any, str]


def _values_in_force(trained: Trained, ahead: Ahead) -> dict[str, Callable[[], Reading]]:
    """By key, what is really set where the training reads it; every other value is read from the config itself."""
    group = trained.optimizer.param_groups[0]
    optimizer = type(trained.optimizer).__name__
    config = trained.task.config

    def of_optimizer(found: Any, name: str) -> Callable[[], Reading]:
        return lambda: (found, f"{optimizer}'s {name}")

    readings: dict[str, Callable[[], Reading]] = {
        "weight_decay": of_optimizer(group["weight_decay"], "groups"),
        "optimizer": lambda: (
            config.optimizer if optimizer == OPTIMIZER_NAMES[config.optimizer] else optimizer,
            f"built as {optimizer}",
        ),
        "dropout": lambda: _dropout(trained.task.model, getattr(config, "dropout", None)),
    }
    if "betas" in group:
        readings["beta1"] = of_optimizer(group["betas"][0], "groups")
        readings["beta2"] = of_optimizer(group["betas"][1], "groups")
    if "momentum" in group:
        readings["momentum"] = of_optimizer(group["momentum"], "groups")
    for key, name in SCHEDULE_FIELDS.items():
        # Without a value of their own the warm-up's steps come from its epochs.
        if getattr(config, key) is not None:
            found = getattr(ahead.schedule, name)
            readings[key] = lambda found=found: (found, "schedule")  # type: ignore[misc]
    return readings


def _dropout(model: nn.Module, wanted: Any) -> Reading:
    shares = sorted({one.p for one in model.modules() if isinstance(one, nn.Dropout)})
    # A model may hold shares of its own beside it, or take the number straight from the config.
    if not shares or wanted in shares:
        return wanted, "config" if not shares else "layers"
    return shares[0], "layers"


def same_values(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        return torch.equal(torch.as_tensor(one).cpu(), torch.as_tensor(other).cpu())
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same_values(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same_values, one, other))
    return bool(one == other)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise NotInForceError(f"the fork is not as it was asked for: {problem}")
