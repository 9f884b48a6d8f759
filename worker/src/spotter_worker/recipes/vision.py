"""Owns the `vision` recipe: images into classes, by a small CNN or a ResNet-18-style network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..classification import class_answer, class_loss, class_sums, class_weights, num_right
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
from ..data.images import LabelledImages
from ..data.split import Split, split_images
from ..device import choose_device
from ..models.vision import Architecture, build_model
from ..preflight.samples import image_sample
from ..recipe_configs import VisionConfig
from ..task import EvalSums, Example, Places, PredictInput, Predictor, Scores, Sizes, Task
from ..weights import SavedWeights

EVAL_BATCH_SIZE = 256
# Larger pictures make no sense as characters in a terminal.
MAX_THUMBNAIL = 32


class VisionTask(Task):
    config: VisionConfig

    def __init__(self, config: VisionConfig, places: Places) -> None:
        self.config = config
        self.device, device_reason = choose_device(config.device)
        torch.manual_seed(config.seed)
        data = load_data(config, places)
        split = split_data(config, data)
        self.classes = data.classes
        self.sizes = Sizes(len(split.train), len(split.validation), len(split.test))
        self.normalization = measure_normalization(data.store, split.train)
        self.architecture = Architecture(
            config.model,
            config.width,
            config.dropout,
            data.store.num_channels,
            data.store.size,
            len(data.classes),
        )
        self.model = build_model(self.architecture).to(
            self.device, memory_format=torch.channels_last
        )  # type: ignore[call-overload]
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
        )
        self._weights = class_weights(
            config.class_weights, data.labels[split.train], len(data.classes)
        )

        def eval_batches(indices: torch.Tensor) -> EvalBatches:
            return EvalBatches(
                data.store, data.labels, indices, self.normalization, EVAL_BATCH_SIZE, self.device
            )

        self._data, self._split = data, split
        self.validation = eval_batches(split.validation)
        self.test = eval_batches(split.test)
        self.derived = _derived(config, data, self.normalization, device_reason)

    def train_scores(self, model: nn.Module, batch: ImageBatch) -> Scores:
        images, labels = batch[:2]
        logits = model(images)
        smoothing, weights = self.config.label_smoothing, self._weights
        loss = class_loss(logits, labels, smoothing, weights)
        if isinstance(batch, MixedBatch):
            other = class_loss(logits, batch.partners, smoothing, weights)
            loss = batch.share * loss + (1 - batch.share) * other
        return Scores(loss, len(labels), {"accuracy": num_right(logits, labels)})

    def eval_sums(self, model: nn.Module, batch: ImageBatch) -> EvalSums:
        images, labels = batch[:2]
        logits = model(images)
        return class_sums(logits, labels, len(self.classes))

    def count(self, batch: ImageBatch) -> int:
        return len(batch[1])

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


def build_task(config: VisionConfig, places: Places) -> VisionTask:
    return VisionTask(config, places)


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
        image, truth = self._image(given)
        pixels = image.float().unsqueeze(0) / 255
        logits = self._model(self._normalization.apply(pixels))
        return class_answer(logits[0], self._classes, truth, _thumbnail(pixels[0]))

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

    def _image(self, given: PredictInput) -> tuple[torch.Tensor, str | None]:
        """(C, H, W) uint8, and the true label where it is known."""
        if given.sample is None:
            if given.file is None:
                raise ValueError(f"{given.name}: this model looks at images; give an image file")
            size, num_channels = self._architecture.image_size, self._architecture.num_channels
            return decode_image(given.file, size, num_channels), None
        data, indices = self._test_data()
        if given.sample >= len(indices):
            raise ValueError(f"{given.name}: the test split has {len(indices)} samples")
        chosen = indices[given.sample : given.sample + 1]
        return data.store.gather(chosen)[0], self._classes[int(data.labels[chosen[0]])]

    def _test_data(self) -> tuple[LabelledImages, torch.Tensor]:
        if self._data_and_test is None:
            data = load_data(self._config, self._places)
            self._data_and_test = (data, split_data(self._config, data).test)
        return self._data_and_test


def load_data(config: VisionConfig, places: Places) -> LabelledImages:
    if "builtin" in config.data:
        return load_digits(config.image_size)
    data_root = places["data"]
    if not data_root.is_dir():
        raise ValueError(f"{data_root}: there is no such folder on this machine")
    if find_idx_pairs(data_root):
        return load_idx(data_root, config.image_size)
    return load_image_folder(data_root, config.image_size, max(4, config.data_workers))


def split_data(config: VisionConfig, data: LabelledImages) -> Split:
    return split_images(data, config.validation_fraction, config.test_fraction, config.split_seed)


def _derived(
    config: VisionConfig, data: LabelledImages, normalization: Normalization, device_reason: str
) -> dict[str, str]:
    derived = {"device": device_reason}
    if config.image_size is None:
        derived["image_size"] = f"{data.store.size}: the native size of this data"
    derived["normalization"] = (
        f"mean {normalization.mean}, std {normalization.std}: measured on the training images"
    )
    if data.own_test is not None:
        derived["test_fraction"] = f"{len(data.own_test)} images: the data's own test files"
    return derived


def _thumbnail(pixels: torch.Tensor) -> list[list[float]] | None:
    if pixels.shape[1] > MAX_THUMBNAIL:
        return None
    return [[round(value, 3) for value in row] for row in pixels.mean(0).tolist()]
