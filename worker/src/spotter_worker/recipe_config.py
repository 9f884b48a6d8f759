"""Owns what a recipe's typed config is: fields with bounds, parsed from JSON, unknown keys refused.

The configs themselves are generated from the contract (`recipe_configs.py`). The server has checked a config before it
reaches us; this is the second look, for specs that were written by hand.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, TypeVar

# Stands where a field has no default: it has to be given.
REQUIRED: Any = object()

Config = TypeVar("Config", bound="RecipeConfig")


class Primary(NamedTuple):
    """The metric that chooses the best model, and which way is better."""

    metric: str
    higher_is_better: bool


@dataclass(frozen=True)
class RecipeConfig:
    """Empty itself; each recipe's fields come from the contract."""

    RECIPE: ClassVar[str] = ""
    PRIMARY: ClassVar[Primary] = Primary("val/loss", False)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls: type[Config], given: Mapping[str, Any]) -> Config:
        """The config with defaults filled in; a wrong or unknown field is a ValueError that names it."""
        known = {one.name: one for one in fields(cls)}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ValueError(f"config has no field {unknown[0]!r}; known are {', '.join(known)}")
        for name, one in known.items():
            if one.default is REQUIRED and name not in given:
                problem = _problem({}, one.metadata)
                raise ValueError(f"config.{name} is missing; it {problem}")
        for name, value in given.items():
            problem = _problem(value, known[name].metadata)
            if problem:
                raise ValueError(f"config.{name} is {value!r}; it {problem}")
        return cls(**given)


def setting(kind: str, default: Any, **bounds: Any) -> Any:
    """A field of a config; `kind` is JSON Schema's type, or `source` for a choice of one key."""
    metadata = {"kind": kind, **bounds}
    if isinstance(default, dict | list):
        return field(default_factory=lambda: copy.deepcopy(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def one_of(default: Any, *, choices: tuple[Any, ...], nullable: bool = False) -> Any:
    return setting("string", default, choices=choices, nullable=nullable)


def _problem(value: Any, bounds: Mapping[str, Any]) -> str | None:
    if value is None:
        return None if bounds.get("nullable") else "must not be empty"
    match bounds["kind"]:
        case "boolean":
            return None if isinstance(value, bool) else "must be true or false"
        case "string":
            return _text_problem(value, bounds)
        case "source":
            choices = bounds["choices"]
            good = isinstance(value, dict) and bool(value) and next(iter(value)) in choices
            good = good and (len(value) == 1 or "revision" in value)
            return None if good else f"must name one source: {', '.join(choices)}"
        case "array":
            return None if isinstance(value, list) else "must be a list"
        case "object":
            return None if isinstance(value, dict) else "must be an object"
    return _number_problem(value, bounds)


def _text_problem(value: Any, bounds: Mapping[str, Any]) -> str | None:
    if "choices" in bounds:
        good = value in bounds["choices"]
        return None if good else f"must be one of {', '.join(bounds['choices'])}"
    if not isinstance(value, str):
        return "must be text"
    low, high = bounds.get("min_length", 0), bounds.get("max_length", len(value))
    return None if low <= len(value) <= high else f"must have {low} to {high} characters"


def _number_problem(value: Any, bounds: Mapping[str, Any]) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if bounds["kind"] == "integer" and not isinstance(value, int):
        return "must be a whole number"
    low, high = (
        bounds.get("above", bounds.get("minimum")),
        bounds.get("below", bounds.get("maximum")),
    )
    # Said so that NaN, which compares to nothing, is refused too.
    above = low is None or (value > low if "above" in bounds else value >= low)
    below = high is None or (value < high if "below" in bounds else value <= high)
    return None if above and below else f"must be between {low} and {high}"
