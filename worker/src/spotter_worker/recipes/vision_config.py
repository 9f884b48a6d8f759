"""Owns the typed config of the `vision` recipe: the same fields, defaults and bounds as the
contract's VisionConfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

MAX_SEED = 2**31 - 1


def _whole(default: int | None, low: int, high: int) -> Any:
    kind = {"type": "integer", "minimum": low, "maximum": high, "nullable": default is None}
    return field(default=default, metadata=kind)


def _real(default: float, low: float, high: float, **more: Any) -> Any:
    return field(
        default=default, metadata={"type": "number", "minimum": low, "maximum": high, **more}
    )


def _choice(*choices: str, default: str) -> Any:
    return field(default=default, metadata={"type": "string", "enum": list(choices)})


def _digits() -> dict[str, Any]:
    return {"builtin": "digits"}


@dataclass(frozen=True)
class VisionConfig:
    data: dict[str, Any] = field(default_factory=_digits, metadata={"type": "data"})
    image_size: int | None = _whole(None, 8, 512)
    validation_fraction: float = _real(0.15, 0.02, 0.5)
    test_fraction: float = _real(0.15, 0, 0.5)
    split_seed: int = _whole(0, 0, MAX_SEED)
    augment: str = _choice("none", "light", "standard", default="light")
    mirror: bool = field(default=False, metadata={"type": "boolean"})

    model: str = _choice("cnn", "resnet18", default="cnn")
    width: int = _whole(32, 4, 256)
    dropout: float = _real(0.1, 0, 0.9)
    label_smoothing: float = _real(0, 0, 0.5)
    weight_decay: float = _real(0.01, 0, 1)

    epochs: int = _whole(25, 1, 10_000)
    batch_size: int = _whole(64, 1, 65_536)
    optimizer: str = _choice("adamw", "sgd", default="adamw")
    learning_rate: float = _real(0.003, 0, 10, exclusive_minimum=True)
    momentum: float = _real(0.9, 0, 0.999)
    gradient_clip: float | None = _real(1, 0, 1000, exclusive_minimum=True, nullable=True)

    schedule: str = _choice("cosine", "step", "constant", default="cosine")
    warmup_epochs: float = _real(1, 0, 1000)
    step_every_epochs: int = _whole(10, 1, 10_000)
    step_factor: float = _real(0.3, 0, 1, exclusive_minimum=True, exclusive_maximum=True)

    checkpoint_every_epochs: int = _whole(5, 1, 10_000)
    keep_checkpoints: int = _whole(3, 1, 1000)

    seed: int = _whole(0, 0, MAX_SEED)
    device: str = _choice("auto", "cpu", "cuda", "mps", default="auto")
    data_workers: int = _whole(0, 0, 64)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def parse_config(given: Mapping[str, Any]) -> VisionConfig:
    """The config with defaults filled in; a wrong or unknown field is a ValueError that names it."""
    known = {one.name: one for one in fields(VisionConfig)}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"config has no field {unknown[0]!r}; known are {', '.join(known)}")
    for name, value in given.items():
        problem = _problem(value, known[name].metadata)
        if problem:
            raise ValueError(f"config.{name} is {value!r}; it {problem}")
    return VisionConfig(**given)


def _problem(value: Any, kind: Mapping[str, Any]) -> str | None:
    if value is None:
        return None if kind.get("nullable") else "must not be empty"
    match kind["type"]:
        case "boolean":
            return None if isinstance(value, bool) else "must be true or false"
        case "string":
            return None if value in kind["enum"] else f"must be one of {', '.join(kind['enum'])}"
        case "data":
            sources = ("builtin", "path", "dataset_version")
            good = isinstance(value, dict) and len(value) == 1 and next(iter(value)) in sources
            return None if good else f"must name one source: {', '.join(sources)}"
    return _number_problem(value, kind)


def _number_problem(value: Any, kind: Mapping[str, Any]) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if kind["type"] == "integer" and not isinstance(value, int):
        return "must be a whole number"
    low, high = kind["minimum"], kind["maximum"]
    # Said so that NaN, which compares to nothing, is refused too.
    above = value > low if kind.get("exclusive_minimum") else value >= low
    below = value < high if kind.get("exclusive_maximum") else value <= high
    return None if above and below else f"must be between {low} and {high}"
