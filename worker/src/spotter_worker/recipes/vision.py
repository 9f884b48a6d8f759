"""Owns the `vision` recipe: from a config to model, data, loss, optimiser and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..data.batches import EvalBatches, Normalization, TrainBatches, measure_normalization
from ..data.digits import load_digits
from ..data.idx import find_idx_pairs, load_idx
from ..data.image_folder import load_image_folder
from ..data.images import LabelledImages
from ..data.split import Split, split_images
from ..device import choose_device
from ..models.vision import Architecture, build_model, count_parameters
from ..schedule import Schedule
from .vision_config import VisionConfig, parse_config

EVAL_BATCH_SIZE = 256


@dataclass
class Training:
    """All that the loop needs; it knows no images."""

    config: VisionConfig
    architecture: Architecture
    normalization: Normalization
    classes: list[str]
    split: Split
    device: torch.device
    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    train_batches: TrainBatches
    validation_batches: EvalBatches
    test_batches: EvalBatches
    # Values that were not given but found, each with its reason.
    derived: dict[str, str]

    def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)

    @property
    def num_parameters(self) -> int:
        return count_parameters(self.model)


def build_training(given: Mapping[str, Any], data_root: Path | None) -> Training:
    config = parse_config(given)
    device, device_reason = choose_device(config.device)
    torch.manual_seed(config.seed)
    data = load_data(config, data_root)
    split = split_data(config, data)
    normalization = measure_normalization(data.store, split.train)
    architecture = Architecture(
        config.model,
        config.width,
        config.dropout,
        data.store.num_channels,
        data.store.size,
        len(data.classes),
    )
    model = build_model(architecture).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    train_batches = TrainBatches(
        data.store,
        data.labels,
        split.train,
        normalization,
        config.batch_size,
        config.augment,
        config.mirror,
        config.seed,
        device,
        prefetch=config.data_workers > 0,
    )

    def eval_batches(indices: torch.Tensor) -> EvalBatches:
        return EvalBatches(data.store, data.labels, indices, normalization, EVAL_BATCH_SIZE, device)

    return Training(
        config=config,
        architecture=architecture,
        normalization=normalization,
        classes=data.classes,
        split=split,
        device=device,
        model=model,
        optimizer=build_optimizer(config, model),
        schedule=build_schedule(config, train_batches.num_batches),
        train_batches=train_batches,
        validation_batches=eval_batches(split.validation),
        test_batches=eval_batches(split.test),
        derived=_derived(config, data, normalization, device_reason),
    )


def load_data(config: VisionConfig, data_root: Path | None) -> LabelledImages:
    if "builtin" in config.data:
        return load_digits(config.image_size)
    assert data_root is not None, "the server names the folder of every data source but builtin"
    if not data_root.is_dir():
        raise ValueError(f"{data_root}: there is no such folder on this machine")
    if find_idx_pairs(data_root):
        return load_idx(data_root, config.image_size)
    return load_image_folder(data_root, config.image_size, max(4, config.data_workers))


def split_data(config: VisionConfig, data: LabelledImages) -> Split:
    return split_images(data, config.validation_fraction, config.test_fraction, config.split_seed)


def build_optimizer(config: VisionConfig, model: nn.Module) -> torch.optim.Optimizer:
    # Decay belongs to matrices and kernels; on biases and norms it only shrinks what should be
    # free.
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        momentum = config.momentum
        return torch.optim.SGD(
            groups, lr=config.learning_rate, momentum=momentum, nesterov=momentum > 0
        )
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def build_schedule(config: VisionConfig, num_batches: int) -> Schedule:
    return Schedule(
        kind=config.schedule,
        peak=config.learning_rate,
        total_steps=config.epochs * num_batches,
        warmup_steps=round(config.warmup_epochs * num_batches),
        drop_every_steps=config.step_every_epochs * num_batches,
        drop_factor=config.step_factor,
    )


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
