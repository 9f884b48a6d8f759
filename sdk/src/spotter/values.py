"""Owns turning what people log into numbers and JSON: tensors, numpy scalars, nested dicts; nonsense is said once."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

MAX_DEPTH = 8
MAX_WARNINGS = 50


class Warnings:
    """Each sentence once, and not too many: a loop that logs nonsense does so every step."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, text: str) -> None:
        if text in self._said or len(self._said) >= MAX_WARNINGS:
            return
        self._said.add(text)
        print(f"WARNING spotter: {text}", file=sys.stderr, flush=True)


def to_metrics(given: Mapping[Any, Any], warnings: Warnings) -> dict[str, float]:
    """Nested names are joined by a slash; what is no number is left out, with a word."""
    metrics: dict[str, float] = {}
    for name, value in _flatten(given, "", 0):
        number = to_number(value)
        if number is None:
            warnings.say(f"{name!r} is {type(value).__name__}, no number; it is not logged")
        else:
            metrics[name] = number
    return metrics


def to_number(value: Any) -> float | None:
    """Floats, integers, booleans, and tensors or arrays of one element (`.item()`)."""
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    item = getattr(value, "item", None)
    if callable(item) and not isinstance(value, type):
        try:
            inner = item()
        # Any library's tensor of several elements, of texts, on a lost device.
        except Exception:  # noqa: BLE001
            return None
        return to_number(inner) if isinstance(inner, bool | int | float) else None
    try:
        # Decimals, fractions, and frameworks' scalars without `.item()`.
        return None if isinstance(value, str | bytes) else float(value)
    except Exception:  # noqa: BLE001
        return None


def to_json(value: Any, depth: int = 0) -> Any:
    """The nearest JSON: objects of attributes become dicts, what is unknown its text, non-finite numbers their name."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth < MAX_DEPTH:
        if isinstance(value, Mapping):
            return {str(key): to_json(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [to_json(inner, depth + 1) for inner in value]
        # argparse.Namespace, data classes, and their like.
        if hasattr(value, "__dict__") and not callable(value):
            public = {key: inner for key, inner in vars(value).items() if not key.startswith("_")}
            if public:
                return to_json(public, depth + 1)
    number = to_number(value)
    return to_json(number) if number is not None else str(value)


def to_config(given: Any) -> dict[str, Any]:
    config = to_json(given if given is not None else {})
    assert json.dumps(config, allow_nan=False)
    return config if isinstance(config, dict) else {"config": config}


def _flatten(given: Mapping[Any, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from _flatten(value, f"{name}/", depth + 1)
        else:
            yield name, value
