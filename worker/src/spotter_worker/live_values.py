"""Owns where a config's values act once a training is built: which of them may change, and putting them in force.

A live `set`, a run that goes on after one, and whoever loads a checkpoint under a changed config come through here.
Everything else that reads the config reads it anew at each step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import nn

from .recipe_configs import LoopConfig
from .task import Task

# Names as the configs have them, in the order in which they are shown.
LIVE_NAMES = (
    "learning_rate",
    "weight_decay",
    "momentum",
    "beta1",
    "beta2",
    "gradient_clip",
    "dropout",
    "label_smoothing",
    "batch_size",
    "epochs",
    "max_steps",
    "eval_every_steps",
)
# Which optimisers have what not all of them have.
OWNERS = {"momentum": ("sgd",), "beta1": ("adam", "adamw"), "beta2": ("adam", "adamw")}

Values = Mapping[str, Any]


def find_obstacle(name: str, config: LoopConfig, model: nn.Module) -> str | None:
    """Why this run has no such value to change; None where it has."""
    if name not in LIVE_NAMES or name not in {one.name for one in fields(config)}:
        return f"{name!r} cannot be changed while this run trains"
    if config.optimizer not in OWNERS.get(name, (config.optimizer,)):
        return f"{config.optimizer} has no {name}"
    if name == "dropout" and not any(True for _ in _dropout_places(model)):
        return "this model has no dropout"
    if name == "batch_size" and config.schedule == "step":
        return "the schedule 'step' counts its drops in steps an epoch, which another batch size would move"
    return None


def changeable_names(config: LoopConfig, model: nn.Module) -> list[str]:
    return [name for name in LIVE_NAMES if find_obstacle(name, config, model) is None]


def changed_config(config: LoopConfig, values: Values, model: nn.Module) -> LoopConfig:
    """The config with these values; a ValueError says what is wrong with them and what would be right."""
    for name in values:
        obstacle = find_obstacle(name, config, model)
        if obstacle is not None:
            known = ", ".join(changeable_names(config, model))
            raise ValueError(f"{obstacle}; what can be changed: {known}")
    return type(config).parse({**config.to_json(), **values})


def put_in_force(config: LoopConfig, task: Task, optimizer: torch.optim.Optimizer) -> None:
    """Makes the task, its model and data, and the optimiser those of the config. Where nothing differs, nothing happens."""
    if config.batch_size != task.config.batch_size:
        task.train_batches = task.train_batches.resized(config.batch_size)
    task.reconfigure(config)
    for group in optimizer.param_groups:
        group.update(_group_values(config, group))
    dropout = getattr(config, "dropout", None)
    if dropout is not None:
        for module, attribute in _dropout_places(task.model):
            setattr(module, attribute, dropout)


def assert_in_force(config: LoopConfig, task: Task, optimizer: torch.optim.Optimizer) -> None:
    """Reads back what `put_in_force` has set, from where the next step will read it."""
    assert task.config == config, "the task has another config"
    for group in optimizer.param_groups:
        for name, wanted in _group_values(config, group).items():
            found = tuple(group[name]) if isinstance(wanted, tuple) else group[name]
            assert found == wanted, f"the optimiser's {name} is {found}, not {wanted}"
    dropout = getattr(config, "dropout", None)
    for module, attribute in _dropout_places(task.model) if dropout is not None else ():
        found = getattr(module, attribute)
        assert found == dropout, f"a dropout is {found}, not {dropout}"


def batch_to_go_on_with(batch: int, old_size: int, new_size: int, num_batches: int) -> int:
    """Where an epoch goes on after `batch` batches of the old size, counted in its `num_batches` of the new size."""
    # Rounded down: where the sizes do not divide evenly some examples are seen twice, and none is left out.
    return min(batch * old_size // new_size, num_batches - 1)


def _group_values(config: LoopConfig, group: Values) -> dict[str, Any]:
    # As build_optimizer sorts them: only matrices and kernels decay.
    decays = any(parameter.dim() > 1 for parameter in group["params"])
    values: dict[str, Any] = {"weight_decay": config.weight_decay if decays else 0.0}
    if config.optimizer == "sgd":
        values |= {"momentum": config.momentum, "nesterov": config.momentum > 0}
    if config.optimizer in OWNERS["beta1"]:
        values["betas"] = (config.beta1, config.beta2)
    return values


def _dropout_places(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Modules of ours that drop, with the attribute that says how much."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            yield module, "p"
        elif isinstance(module, nn.RNNBase):
            # Between layers only.
            if module.num_layers > 1:
                yield module, "dropout"
        else:
            for attribute in ("dropout", "_dropout"):
                if isinstance(vars(module).get(attribute), int | float):
                    yield module, attribute
