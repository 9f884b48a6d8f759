"""Owns the `vision` recipe: images into classes, by a small CNN or a ResNet-18-style network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..asked import Asked
from ..classification import class_answer, class_loss, class_weights
from ..classifier import ClassifierTask
from ..data.batches import (
    EvalBatches,
    ImageBatch,
    MixedBatch,
    Normalization,
    TrainBatches,
    measure_normalization,
)
from ..data.digits import load_digits
from ..data.idx import find_idx_pairs, load_idx
from ..data.image_folder import decode_image, load_image_folder
from ..data.images import JoinedImages, LabelledImages
from ..data.selection import renumber
from ..data.split import Split
from ..device import choose_device
from ..learning.attach import attach_learning
from ..learning.material import (
    Material,
    Past,
    Source,
    make_source,
    old_split,
    prepare_material,
    read_past,
    split_wish,
)
from ..learning.mutual import together
from ..models.vision import Architecture, build_model
from ..preflight.samples import image_sample
from ..recipe_configs import VisionConfig
from ..task import Example, NoSampleError, Places, PredictInput, Predictor, Sizes, Task
from ..weights import SavedWeights

EVAL_BATCH_SIZE = 256


class VisionTask(ClassifierTask):
    config: VisionConfig

    def __init__(self, config: VisionConfig, places: Places) -> None:
        self.config = config
        self.device, device_reason = choose_device(config.device)
        torch.manual_seed(config.seed)
        past = read_past(config, places)
        data, material = load_material(config, places, past)
        split = material.split
        self.classes = material.classes
        parts = material.parts
        self.sizes = Sizes(len(parts.train), len(parts.validation), len(parts.test))
        self.normalization = (
            measure_normalization(data.store, split.train)
            if past.front is None
            else Normalization(**past.front.card["normalization"])
        )
        self.architecture = Architecture(
            config.model,
            config.width,
            config.dropout,
            data.store.num_channels,
            data.store.size,
            len(self.classes),
        )
        self.model = self.network(self.architecture)
        self.model_name = self.architecture.name
        self.train_batches = TrainBatches(
            data.store,
            data.labels,
            split.train,
            self.normalization,
            config.batch_size,
            config.augment,
            config.mirror,
            config.seed,
            self.device,
            prefetch=config.data_workers > 0,
            mixup=config.mixup,
            replay=material.replay,
        )
        self.weights = class_weights(
            config.class_weights, data.labels[material.trained], len(self.classes)
        )

        def eval_batches(indices: torch.Tensor, batch_size: int) -> EvalBatches:
            return EvalBatches(
                data.store, data.labels, indices, self.normalization, batch_size, self.device
            )

        self._data, self._split = data, parts
        self.validation = eval_batches(split.validation, EVAL_BATCH_SIZE)
        self.test = eval_batches(split.test, EVAL_BATCH_SIZE)
        self.derived = _derived(
            config, data, self.normalization, past.front is not None, device_reason
        )
        attach_learning(self, past, material, eval_batches)

    def logits(self, model: nn.Module, batch: ImageBatch) -> torch.Tensor:
        logits: torch.Tensor = model(batch[0])
        return logits

    def labels(self, batch: ImageBatch) -> torch.Tensor:
        return batch[1]

    def loss(self, logits: torch.Tensor, batch: ImageBatch) -> torch.Tensor:
        loss = super().loss(logits, batch)
        if isinstance(batch, MixedBatch):
            smoothing = self.config.label_smoothing
            other = class_loss(logits, batch.partners, smoothing, self.weights)
            loss = batch.share * loss + (1 - batch.share) * other
        return loss

    def network(self, architecture: Architecture) -> nn.Module:
        network = build_model(architecture)
        return network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def takes_input_of(self, card: dict[str, Any], _folder: Path) -> bool:
        theirs, own = Architecture(**card["architecture"]), self.architecture
        same_shape = (theirs.num_channels, theirs.image_size) == (own.num_channels, own.image_size)
        return same_shape and Normalization(**card["normalization"]) == self.normalization

    def card(self) -> dict[str, Any]:
        return {
            "architecture": asdict(self.architecture),
            "normalization": asdict(self.normalization),
        }

    def preview(self, limit: int) -> list[dict[str, Any]]:
        """As the network gets them, random changes and all."""
        images, labels = next(self.train_batches.epoch(0))[:2]
        return [
            image_sample(self.normalization.undo(image), self.classes[label])
            for image, label in zip(images[:limit], labels[:limit].tolist(), strict=True)
        ]

    def examples(self, part: str) -> Iterator[Example]:
        for chosen in torch.split(self._split.part(part), EVAL_BATCH_SIZE):
            images = self._data.store.gather(chosen)
            for image, label in zip(images, self._data.labels[chosen].tolist(), strict=True):
                yield Example(image.numpy().tobytes(), label)


def build_task(config: VisionConfig, places: Places) -> Task:
    return together(VisionTask(config, places))


def build_model_from(card: dict[str, Any], _folder: Path) -> nn.Module:
    return build_model(Architecture(**card["architecture"]))


def load_predictor(saved: SavedWeights, places: Places) -> VisionPredictor:
    return VisionPredictor(saved, places)


class VisionPredictor(Predictor):
    def __init__(self, saved: SavedWeights, places: Places) -> None:
        self._model, self._places = saved.model.eval(), places
        self._architecture = Architecture(**saved.card["architecture"])
        self._normalization = Normalization(**saved.card["normalization"])
        self._classes: list[str] = saved.card["classes"]
        self._config = VisionConfig.parse(saved.card["config"])
        self._data_and_test: tuple[LabelledImages, torch.Tensor] | None = None

    @torch.inference_mode()
    def predict(self, given: PredictInput) -> dict[str, Any]:
        image, truth, name = self._image(given)
        pixels = image.float().unsqueeze(0) / 255
        logits = self._model(self._normalization.apply(pixels))
        return class_answer(logits[0], self._classes, truth, Asked(name, pixels=pixels[0]))

    @torch.inference_mode()
    def test_accuracy(self) -> float | None:
        data, indices = self._test_data()
        if len(indices) == 0:
            return None
        batches = EvalBatches(
            data.store, data.labels, indices, self._normalization, 256, torch.device("cpu")
        )
        correct = sum(int((self._model(x).argmax(1) == y).sum()) for x, y in batches)
        return correct / len(indices)

    def _image(self, given: PredictInput) -> tuple[torch.Tensor, str | None, str | None]:
        """(C, H, W) uint8; its true label and its name where they are known."""
        if given.sample is None:
            if given.file is None:
                raise ValueError(f"{given.name}: this model looks at images; give an image file")
            size, num_channels = self._architecture.image_size, self._architecture.num_channels
            return decode_image(given.file, size, num_channels), None, None
        data, indices = self._test_data()
        if given.sample >= len(indices):
            raise NoSampleError(given, len(indices))
        chosen = indices[given.sample : given.sample + 1]
        number = int(chosen[0])
        name = data.name_of(number) if data.name_of else None
        return data.store.gather(chosen)[0], self._classes[int(data.labels[number])], name

    def _test_data(self) -> tuple[LabelledImages, torch.Tensor]:
        if self._data_and_test is None:
            data = load_data(self._config, self._places)
            test = split_data(self._config, data).test
            labels = renumber(data.labels, data.classes, self._classes)
            self._data_and_test = (replace(data, labels=labels, classes=self._classes), test)
        return self._data_and_test


def load_data(config: VisionConfig, places: Places) -> LabelledImages:
    return _load(config, config.data, places.get("data"))


def split_data(config: VisionConfig, data: LabelledImages) -> Split:
    return _new_source(config, data).split


def load_material(
    config: VisionConfig, places: Places, past: Past
) -> tuple[LabelledImages, Material]:
    """All images that the run knows, their labels by its classes; and which of them are for what."""
    new = load_data(config, places)
    source = _new_source(config, new)
    if config.old_data is None:
        material = prepare_material(config, past, source, None)
        return replace(new, labels=material.labels, classes=material.classes), material
    old = _load(config, config.old_data, places.get("old_data"))
    subset = ("old_class_subset", config.old_class_subset)
    wish = old_split(config, past)
    old_source = make_source(old.labels, old.classes, subset, wish, "images", old.own_test)
    material = prepare_material(config, past, source, old_source)
    store = JoinedImages(new.store, old.store)
    images = replace(new, store=store, labels=material.labels, classes=material.classes)
    return images, material


def _new_source(config: VisionConfig, data: LabelledImages) -> Source:
    subset = ("class_subset", config.class_subset)
    wish = split_wish(config)
    return make_source(data.labels, data.classes, subset, wish, "images", data.own_test)


def _load(config: VisionConfig, source: dict[str, Any], data_root: Path | None) -> LabelledImages:
    if "builtin" in source:
        return load_digits(config.image_size)
    assert data_root is not None, "every source but the builtin has a place"
    if not data_root.is_dir():
        raise ValueError(f"{data_root}: there is no such folder on this machine")
    if find_idx_pairs(data_root):
        return load_idx(data_root, config.image_size)
    return load_image_folder(data_root, config.image_size, max(4, config.data_workers))


def _derived(
    config: VisionConfig,
    data: LabelledImages,
    normalization: Normalization,
    is_taken_over: bool,
    device_reason: str,
) -> dict[str, str]:
    derived = {"device": device_reason}
    if config.image_size is None:
        why = "the native size of this data" if data.has_one_size else "usual for image folders"
        derived["image_size"] = f"{data.store.size}: {why}"
    origin = "that of the old model" if is_taken_over else "measured on the training images"
    derived["normalization"] = f"mean {normalization.mean}, std {normalization.std}: {origin}"
    if data.own_test is not None:
        derived["test_fraction"] = f"{len(data.own_test)} images: the data's own test files"
    return derived
