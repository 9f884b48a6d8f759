"""Owns which model a fine-tuning begins with: found on the Hub or on this machine, opened, and how long its texts may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from .hub import fetch_model
from .models.finetuned import FinetunedModel, check_folder, open_model
from .recipe_configs import TextFinetuneConfig
from .settings import hub_settings
from .task import Places
from .weights import CARD_NAME, load_weights

USUAL_CONTEXT = 1024
CONFIG_NAME = "config.json"


def find_base(config: TextFinetuneConfig, places: Places) -> tuple[Path, dict[str, Any]]:
    """The folder of the model to begin with, and what the card says of it."""
    source = config.init_from
    if "hub" in source:
        found = fetch_model(source["hub"], source.get("revision"), hub_settings())
        facts = {"name": source["hub"], "commit": found.commit, "folder": str(found.folder)}
        return found.folder, facts
    folder = places["init_from"]
    if not folder.is_dir():
        raise ValueError(f"init_from: {folder} is no folder on this machine")
    if not (folder / CARD_NAME).is_file():
        check_folder(folder)
    return folder, {"name": _name_of(folder), "folder": str(folder)}


def _name_of(folder: Path) -> str:
    """A version of our own lies in a folder of its number, which names it to nobody; its card does."""
    card_file = folder / CARD_NAME
    if not card_file.is_file():
        return folder.name
    card = json.loads(card_file.read_text(encoding="utf-8"))
    # Cards from before 2026-11-22 name no model.
    name = card.get("model_name") or card.get("base", {}).get("name") or card["recipe"]
    return str(name)


def open_base(folder: Path, dtype: torch.dtype) -> FinetunedModel:
    """A Hugging Face folder, or the weights of a version that is an adapter alone."""
    card_file = folder / CARD_NAME
    card = json.loads(card_file.read_text(encoding="utf-8")) if card_file.is_file() else {}
    if not card.get("is_adapter"):
        return open_model(folder, dtype)
    model = load_weights(folder).model
    assert isinstance(model, FinetunedModel)
    return FinetunedModel(model.network.merge_and_unload()).to(dtype)


def find_context(config: TextFinetuneConfig, folder: Path, derived: dict[str, str]) -> int:
    card_file, file = folder / CARD_NAME, folder / CONFIG_NAME
    if not file.is_file() and card_file.is_file():
        # An adapter alone: its base says how long a text may be.
        card = json.loads(card_file.read_text(encoding="utf-8"))
        file = Path(card.get("base", {}).get("folder", folder)) / CONFIG_NAME
    most = None
    if file.is_file():
        most = json.loads(file.read_text(encoding="utf-8")).get("max_position_embeddings")
    if config.context is not None:
        if most is not None and config.context > most:
            raise ValueError(f"context is {config.context}; this model takes at most {most} tokens")
        return config.context
    context = min(USUAL_CONTEXT, most or USUAL_CONTEXT)
    derived["context"] = (
        f"{context}: {'the most that the model takes' if context == most else 'usual'}"
    )
    return int(context)
