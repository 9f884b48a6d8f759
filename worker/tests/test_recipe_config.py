"""The recipes' configs have the contract's defaults, and refuse what the contract refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spotter_worker.recipe_configs import CONFIGS, VisionConfig
from spotter_worker.recipes import recipe_module

SCHEMAS = Path(__file__).parents[2] / "packages/contract/schema"


@pytest.mark.parametrize("recipe", list(CONFIGS))
def test_defaults_are_those_of_the_contract(recipe: str) -> None:
    name = CONFIGS[recipe].__name__
    document = json.loads((SCHEMAS / f"{recipe}.json").read_text())
    properties = document["$defs"][name]["properties"]
    config = CONFIGS[recipe]().to_json()
    assert set(config) == set(properties)
    with_default = {
        key: value["default"] for key, value in properties.items() if "default" in value
    }
    assert {key: config[key] for key in with_default} == with_default
    if len(with_default) < len(properties):
        with pytest.raises(ValueError, match="is missing; it must"):
            CONFIGS[recipe].parse({})


def test_an_unknown_recipe_is_told_with_those_that_are_there() -> None:
    with pytest.raises(ValueError, match=r"'visoin' is unknown.*vision"):
        recipe_module("visoin")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"learning_rat": 1}, "no field 'learning_rat'"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"learning_rate": "fast"}, "must be a number"),
        ({"epochs": 2.5}, "must be a whole number"),
        ({"epochs": True}, "must be a number"),
        ({"epochs": None}, "must not be empty"),
        ({"step_factor": 1}, "between 0 and 1"),
        ({"augment": "wild"}, "must be one of none, light, standard"),
        ({"mirror": 1}, "must be true or false"),
        ({"data": {"builtin": "digits", "path": "/"}}, "must name one source"),
        ({"init_from": {"url": "x"}}, "must name one source: model_version, path"),
        ({"validation_fraction": float("nan")}, "must be between"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        VisionConfig.parse(given)


def test_empty_means_the_default_way_where_the_contract_allows_it() -> None:
    config = VisionConfig.parse({"image_size": None, "gradient_clip": None})
    assert (config.image_size, config.gradient_clip) == (None, None)
