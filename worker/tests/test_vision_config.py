"""The recipe's config equals the contract's, field by field, and refuses what the contract refuses."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from spotter_worker.recipes.vision_config import VisionConfig, parse_config

CONTRACT = Path(__file__).parents[2] / "packages/contract"
DOCUMENT = json.loads((CONTRACT / "schema/vision.json").read_text())
PROPERTIES: dict[str, dict[str, Any]] = DOCUMENT["$defs"]["VisionConfig"]["properties"]


def bounds(schema: dict[str, Any]) -> dict[str, Any]:
    """A property of the JSON Schema in the words of our field metadata."""
    nullable = "anyOf" in schema and any(one.get("type") == "null" for one in schema["anyOf"])
    if nullable:
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
    if "$ref" in schema:
        return {"type": "data"}
    if schema["type"] in ("boolean", "string"):
        return {key: schema[key] for key in ("type", "enum") if key in schema}
    low, high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    return {
        "type": schema["type"],
        "minimum": schema["minimum"] if low is None else low,
        "maximum": schema["maximum"] if high is None else high,
        "nullable": nullable,
        "exclusive_minimum": low is not None,
        "exclusive_maximum": high is not None,
    }


def ours(metadata: Any) -> dict[str, Any]:
    if metadata["type"] in ("boolean", "string", "data"):
        return dict(metadata)
    exclusive = {"exclusive_minimum": False, "exclusive_maximum": False, "nullable": False}
    return {**exclusive, **metadata}


def test_the_fields_are_those_of_the_contract_in_their_order() -> None:
    assert [field.name for field in fields(VisionConfig)] == list(PROPERTIES)


@pytest.mark.parametrize("name", list(PROPERTIES))
def test_default_and_bounds_are_those_of_the_contract(name: str) -> None:
    assert getattr(VisionConfig(), name) == PROPERTIES[name]["default"]
    metadata = next(field.metadata for field in fields(VisionConfig) if field.name == name)
    assert ours(metadata) == bounds(PROPERTIES[name])


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
        ({"validation_fraction": float("nan")}, "must be between"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_config(given)


def test_empty_means_the_default_way_where_the_contract_allows_it() -> None:
    config = parse_config({"image_size": None, "gradient_clip": None})
    assert (config.image_size, config.gradient_clip) == (None, None)
