"""Owns the finished product: weights as safetensors with all that is needed to use them, hashed.

A weights folder holds `model.safetensors`, the card `model.json` (recipe, config, classes, metrics and what the recipe
adds), and the recipe's assets, such as a tokenizer.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from .disk_room import require_room, whole_or_gone
from .recipes import recipe_module
from .task import Task

FORMAT_VERSION = 1
WEIGHTS_NAME, CARD_NAME = "model.safetensors", "model.json"


@dataclass
class SavedWeights:
    """A weights folder that was read and checked; the network holds the weights, on the CPU."""

    folder: Path
    card: dict[str, Any]
    model: nn.Module
    sha256: str


def save_weights(
    folder: Path, task: Task, state: dict[str, torch.Tensor], facts: dict[str, Any]
) -> dict[str, Any]:
    """Writes all files beside and renames them, the card last; returns the card."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / (WEIGHTS_NAME + ".tmp")
    exported = task.export_state(state)
    tensors = {name: tensor.contiguous().cpu() for name, tensor in exported.items()}
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    require_room(folder, size, "the weights")
    with whole_or_gone(beside, "the weights"):
        save_file(tensors, beside)
        task.save_assets(folder)
    card = {
        "format_version": FORMAT_VERSION,
        "recipe": task.config.RECIPE,
        "model_name": task.model_name,
        **task.card(),
        "classes": task.classes,
        "config": task.config.to_json(),
        "sha256": file_sha256(beside),
        "size": beside.stat().st_size,
        **facts,
    }
    beside.replace(folder / WEIGHTS_NAME)
    write_card(folder, card)
    return card


def write_card(folder: Path, card: dict[str, Any]) -> None:
    beside = folder / (CARD_NAME + ".tmp")
    beside.write_text(json.dumps(card, indent=2, ensure_ascii=False))
    beside.replace(folder / CARD_NAME)


def load_weights(folder: Path) -> SavedWeights:
    """Builds the network anew from the card and puts the checked weights into it."""
    card_path, weights_path = folder / CARD_NAME, folder / WEIGHTS_NAME
    if not card_path.is_file() or not weights_path.is_file():
        raise ValueError(f"{folder}: {CARD_NAME} and {WEIGHTS_NAME} must both be there")
    card = json.loads(card_path.read_text())
    if card.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{card_path}: format {card.get('format_version')} is not {FORMAT_VERSION}"
        )
    found = file_sha256(weights_path)
    if found != card["sha256"]:
        raise ValueError(f"{weights_path}: SHA-256 is {found}, {CARD_NAME} says {card['sha256']}")
    model = recipe_module(card["recipe"]).build_model_from(card, folder)
    model.load_state_dict(load_file(weights_path))
    return SavedWeights(folder, card, model.eval(), found)


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
