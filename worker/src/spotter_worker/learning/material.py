"""Owns what a classifier trains on and is tested on, where old data and other models' classes stand beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ..data.batch_order import Replay, choose_kept
from ..data.selection import find_members, kept_classes, renumber, united
from ..data.split import Split, split_labels
from ..recipe_configs import ClassifierConfig
from ..weights import SavedWeights, load_weights


@dataclass(frozen=True)
class Past:
    """The models that a run learns from: the one it starts from, and its teacher."""

    start: SavedWeights | None
    teacher: SavedWeights | None

    @property
    def front(self) -> SavedWeights | None:
        """The model whose preparation of inputs this run takes over: weights mean nothing without it."""
        return self.start or self.teacher

    @property
    def classes(self) -> list[str]:
        models = [one for one in (self.start, self.teacher) if one is not None]
        return united(*(one.card["classes"] for one in models))


@dataclass(frozen=True)
class SplitWish:
    validation: float
    test: float
    seed: int


@dataclass(frozen=True)
class Source:
    """What one source of data gives, beside the examples themselves."""

    # By the names, all of the source's classes; those that count are `classes`.
    labels: torch.Tensor
    names: list[str]
    classes: list[str]
    split: Split


def make_source(
    labels: torch.Tensor,
    names: list[str],
    subset: tuple[str, list[str]],
    wish: SplitWish,
    noun: str,
    own_test: torch.Tensor | None = None,
) -> Source:
    """`subset`: the config's field that names classes, and those that it names."""
    field, chosen = subset
    members = find_members(labels, names, chosen, field)
    split = split_labels(labels, wish.validation, wish.test, wish.seed, noun, own_test, members)
    return Source(labels, names, kept_classes(names, chosen), split)


@dataclass(frozen=True)
class Material:
    """New examples, and old ones after them under the same numbering."""

    classes: list[str]
    # Of all examples, by the classes; -1 where an example is left out.
    labels: torch.Tensor
    split: Split
    # Of the old data, where there is any, and what of its training part is replayed.
    old: Split | None = None
    replay: Replay | None = None

    @property
    def trained(self) -> torch.Tensor:
        """Numbers of all examples that are trained on."""
        if self.replay is None:
            return self.split.train
        return torch.cat([self.split.train, self.replay.indices])

    @property
    def parts(self) -> Split:
        """What is trained on, validated and tested on, new and old together."""
        if self.old is None:
            return self.split
        return Split(
            self.trained,
            torch.cat([self.split.validation, self.old.validation]),
            torch.cat([self.split.test, self.old.test]),
        )


def read_past(config: ClassifierConfig, places: Mapping[str, Path]) -> Past:
    """The models that the config names; what does not go together is a ValueError."""
    if config.ewc_lambda is not None and (config.init_from is None or config.old_data is None):
        raise ValueError(
            "ewc_lambda holds on to what a model knows of old data; it needs init_from and old_data"
        )
    if config.ewc_lambda is not None and config.strategy == "fsdp2":
        raise ValueError("ewc_lambda does not go with strategy 'fsdp2'; take 'ddp'")
    if config.mutual_students is not None and config.init_from is not None:
        raise ValueError(
            "mutual_students begin with different weights each; they do not go with init_from. To learn from a model, "
            "name it in distill_from"
        )
    past = Past(
        _read_model(config, places, "init_from"), _read_model(config, places, "distill_from")
    )
    if past.start is not None and config.old_data is None and config.distill_from is None:
        # Plain fine-tuning: the classes are the data's alone.
        return Past(past.start, None)
    return past


def split_wish(config: ClassifierConfig) -> SplitWish:
    return SplitWish(config.validation_fraction, config.test_fraction, config.split_seed)


def old_split(config: ClassifierConfig, past: Past) -> SplitWish:
    """As the run of the old model split it: else its test examples would now be trained on, and the other way round."""
    if past.front is None:
        return split_wish(config)
    old = past.front.card["config"]
    return SplitWish(old["validation_fraction"], old["test_fraction"], old["split_seed"])


def prepare_material(
    config: ClassifierConfig, past: Past, new: Source, old: Source | None
) -> Material:
    learns_on = config.old_data is not None or config.distill_from is not None
    known = past.classes if learns_on else []
    classes = united(known, [] if old is None else old.classes, new.classes)
    if len(classes) < 2:
        raise ValueError(f"there is one class, {classes[0]!r}; sorting needs at least two")
    labels = renumber(new.labels, new.names, classes)
    if old is None:
        return Material(classes, labels, new.split)
    first = len(new.labels)
    labels = torch.cat([labels, renumber(old.labels, old.names, classes)])
    split = Split(
        *(part + first for part in (old.split.train, old.split.validation, old.split.test))
    )
    replay = None
    if config.replay_share > 0:
        kept = choose_kept(split.train, labels, config.replay_examples, config.seed)
        replay = Replay(kept, config.replay_share)
    return Material(classes, labels, new.split, split, replay)


def told(config: ClassifierConfig, past: Past, material: Material) -> dict[str, str]:
    """What was found, for the run's derived values."""
    said = {}
    if past.teacher is not None:
        num = len(past.teacher.card["classes"])
        said["distill_from"] = (
            f"weights {past.teacher.sha256[:12]}…: {past.teacher.card['recipe']}, {num} classes"
        )
    if material.old is not None:
        whose = "this run's" if past.front is None else "the old model's"
        said["old_data"] = (
            f"{len(material.old.train)} examples to train, {len(material.old.validation)} to validate, "
            f"{len(material.old.test)} to test: {whose} split"
        )
    if material.replay is not None:
        said["replay"] = (
            f"{len(material.replay.indices)} old examples, {material.replay.share:.0%} of each batch"
        )
    if past.teacher is not None or material.old is not None:
        said["classes"] = f"{len(material.classes)}: the old models' and data's, then the new ones"
    return said


def _read_model(
    config: ClassifierConfig, places: Mapping[str, Path], field: str
) -> SavedWeights | None:
    source = getattr(config, field)
    if source is None:
        return None
    if field not in places:
        raise ValueError(
            f"{field} is {source}; this recipe learns from models that Spotter trained"
        )
    saved = load_weights(places[field])
    if saved.card["recipe"] != config.RECIPE:
        raise ValueError(
            f"{field} names a model of the recipe {saved.card['recipe']!r}; this run's is {config.RECIPE!r}"
        )
    return saved
