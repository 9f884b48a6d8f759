"""Owns the table of recipes: what can be trained, each in a file of its own that loads on first use.

Every recipe's module has `build_task(config, places) -> Task`, which prepares a training, `build_model_from(card,
folder) -> nn.Module`, which builds the empty network that a card describes, and `load_predictor(saved, places) ->
Predictor`, which uses saved weights.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from ..recipe_configs import CONFIGS
from ..requirement_sets import require_set

# Recipe name → module; a recipe's libraries load with it.
_MODULES = {
    "vision": "vision",
    "audio": "audio",
    "text-classify": "text_classify",
    "text-lm": "text_lm",
    "text-finetune": "text_finetune",
    "concept": "concept",
}
# Recipe name → the requirement set that its libraries come from.
_SETS = {"text-finetune": "language"}


def recipe_module(name: str) -> ModuleType:
    """The module of a recipe; a name that this worker does not have is a ValueError that lists those it has."""
    if name not in _MODULES:
        known = ", ".join(sorted(_MODULES))
        raise ValueError(f"recipe {name!r} is unknown to this worker; it has: {known}")
    assert name in CONFIGS, "the contract knows every recipe"
    if name in _SETS:
        require_set(_SETS[name])
    return importlib.import_module(f"{__name__}.{_MODULES[name]}")
