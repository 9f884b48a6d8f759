"""Owns how a run begins with the weights of a model that was trained before (`init_from`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from .task import Places, Task
from .weights import CARD_NAME, WEIGHTS_NAME, file_sha256

State = dict[str, torch.Tensor]


def start_from(task: Task, places: Places) -> None:
    """Puts the weights of the config's `init_from` into the task's model, and says in `derived` what was taken.

    The last layer may differ in its number of classes: the rows of classes that both know, by name, are taken over, the
    others begin anew. Everything else must fit.
    """
    if task.config.init_from is None or task.loads_init_from:
        return
    folder = places["init_from"]
    card, old = read_weights(folder)
    if card["recipe"] != task.config.RECIPE:
        raise ValueError(
            f"init_from names a model of the recipe {card['recipe']!r}; this run's is {task.config.RECIPE!r}"
        )
    new = task.model.state_dict()
    head = _head_names(task)
    _check_fit(old, new, head)
    old_classes, new_classes = list(card.get("classes") or []), list(task.classes)
    taken = {name: tensor for name, tensor in old.items() if name not in head}
    said = f"all {len(old)} tensors"
    same_head = all(old[name].shape == new[name].shape for name in head if name in old)
    if old_classes == new_classes and same_head:
        taken = old
    elif head:
        shared = [name for name in new_classes if name in old_classes]
        taken |= _rows_by_class(
            {name: old[name] for name in head if name in old}, new, old_classes, new_classes
        )
        said = (
            f"{len(old) - len(head)} tensors; in the last layer {len(shared)} of {len(new_classes)} classes are the old "
            "model's, the others begin anew"
        )
    task.model.load_state_dict({**new, **taken})
    task.derived["init_from"] = f"weights {card['sha256'][:12]}…: {said}"


def read_weights(folder: Path) -> tuple[dict[str, Any], State]:
    """The card and the checked tensors of a weights folder."""
    card_path, weights_path = folder / CARD_NAME, folder / WEIGHTS_NAME
    if not card_path.is_file() or not weights_path.is_file():
        raise ValueError(
            f"init_from: {folder} has no {CARD_NAME} and {WEIGHTS_NAME} of a trained model"
        )
    card = json.loads(card_path.read_text())
    found = file_sha256(weights_path)
    if found != card["sha256"]:
        raise ValueError(f"{weights_path}: SHA-256 is {found}, {CARD_NAME} says {card['sha256']}")
    return card, load_file(weights_path)


def _head_names(task: Task) -> set[str]:
    """Tensors of the last layer with weights, where its rows are the classes."""
    names = [name for name, _ in task.model.named_parameters()]
    layer = names[-1].rpartition(".")[0]
    head = {name for name in names if name.rpartition(".")[0] == layer}
    state = task.model.state_dict()
    rows = {state[name].shape[0] for name in head}
    return head if task.classes and rows == {len(task.classes)} else set()


def _check_fit(old: State, new: State, head: set[str]) -> None:
    advice = "give this run the same model, width and data shape as the model it starts from"
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            where = "this run's model" if name not in new else "the model of init_from"
            raise ValueError(f"init_from does not fit: {where} has no {name!r}; {advice}")
        mine, theirs = list(new[name].shape), list(old[name].shape)
        if mine != theirs and not (name in head and mine[1:] == theirs[1:]):
            raise ValueError(
                f"init_from does not fit: {name!r} is {theirs} there and {mine} here; {advice}"
            )


def _rows_by_class(old: State, new: State, old_classes: list[str], new_classes: list[str]) -> State:
    rows = [
        (number, old_classes.index(name))
        for number, name in enumerate(new_classes)
        if name in old_classes
    ]
    mixed = {name: new[name].clone() for name in old}
    for name, tensor in mixed.items():
        for mine, theirs in rows:
            tensor[mine] = old[name][theirs].to(tensor)
    return mixed
