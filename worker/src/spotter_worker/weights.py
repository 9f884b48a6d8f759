"""Owns the finished product: weights as safetensors with all that is needed to use them, hashed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from .data.batches import Normalization
from .models.vision import Architecture, build_model

FORMAT_VERSION = 1
WEIGHTS_NAME, CARD_NAME = "model.safetensors", "model.json"


@dataclass
class LoadedModel:
    model: nn.Module
    architecture: Architecture
    normalization: Normalization
    classes: list[str]
    sha256: str
    card: dict[str, Any]


def save_weights(
    folder: Path,
    state: dict[str, torch.Tensor],
    architecture: Architecture,
    normalization: Normalization,
    classes: list[str],
    config: dict[str, Any],
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Writes both files beside and renames them, the card last; returns the card."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / (WEIGHTS_NAME + ".tmp")
    save_file({name: tensor.contiguous().cpu() for name, tensor in state.items()}, beside)
    card = {
        "format_version": FORMAT_VERSION,
        "recipe": "vision",
        "architecture": asdict(architecture),
        "normalization": asdict(normalization),
        "classes": classes,
        "config": config,
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


def load_weights(folder: Path) -> LoadedModel:
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
    architecture = Architecture(**card["architecture"])
    model = build_model(architecture)
    model.load_state_dict(load_file(weights_path))
    return LoadedModel(
        model=model.eval(),
        architecture=architecture,
        normalization=Normalization(**card["normalization"]),
        classes=list(card["classes"]),
        sha256=found,
        card=card,
    )


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
