"""Owns the job kind `predict`: loads a run's saved weights and classifies image files and test
samples.

Inputs: the absolute path of an image, or `test:<n>` for the n-th sample (from 0) of the run's own
test split.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from .data.batches import EvalBatches
from .data.image_folder import decode_image
from .recipes.vision import load_data, split_data
from .recipes.vision_config import parse_config
from .weights import WEIGHTS_NAME, LoadedModel, load_weights

NUM_TOP = 5
# Larger pictures make no sense as characters in a terminal.
MAX_THUMBNAIL = 32
TEST_PREFIX = "test:"


def predict(weights_folder: Path, inputs: list[str], data_root: Path | None) -> dict[str, Any]:
    """The fields of the contract's PredictAnswer, without `run_id`."""
    loaded = load_weights(weights_folder)
    samples, truths, test_accuracy = _gather_inputs(loaded, inputs, data_root)
    started = time.perf_counter()
    predictions = []
    for name, image, truth in zip(inputs, samples, truths, strict=True):
        predictions.append(_classify(loaded, name, image, truth))
    latency_ms = (time.perf_counter() - started) * 1000 / max(1, len(inputs))
    return {
        "weights": str(weights_folder / WEIGHTS_NAME),
        "sha256": loaded.sha256,
        "predictions": predictions,
        "test_accuracy": test_accuracy,
        # Of one image, forward pass and all.
        "latency_ms": latency_ms,
    }


def _gather_inputs(
    loaded: LoadedModel, inputs: list[str], data_root: Path | None
) -> tuple[list[torch.Tensor], list[str | None], float | None]:
    """Images (C, H, W) uint8 with their true labels, and the accuracy on the whole test split."""
    numbers = [_sample_number(name) for name in inputs]
    size, num_channels = loaded.architecture.image_size, loaded.architecture.num_channels
    test: tuple[Any, torch.Tensor] | None = None
    accuracy = None
    if any(number is not None for number in numbers):
        config = parse_config(loaded.card["config"])
        data = load_data(config, data_root)
        test = (data, split_data(config, data).test)
        accuracy = _accuracy(loaded, *test)
    samples: list[torch.Tensor] = []
    truths: list[str | None] = []
    for name, number in zip(inputs, numbers, strict=True):
        if number is None or test is None:
            samples.append(decode_image(Path(name), size, num_channels))
            truths.append(None)
            continue
        data, indices = test
        if number >= len(indices):
            raise ValueError(f"{name}: the test split has {len(indices)} samples")
        samples.append(data.store.gather(indices[number : number + 1])[0])
        truths.append(loaded.classes[int(data.labels[indices[number]])])
    return samples, truths, accuracy


@torch.inference_mode()
def _classify(
    loaded: LoadedModel, name: str, image: torch.Tensor, truth: str | None
) -> dict[str, Any]:
    pixels = image.float().unsqueeze(0) / 255
    logits = loaded.model(loaded.normalization.apply(pixels))
    confidence, order = functional.softmax(logits[0], 0).sort(descending=True)
    top = [
        {"label": loaded.classes[number], "confidence": float(share)}
        for number, share in zip(order[:NUM_TOP].tolist(), confidence[:NUM_TOP], strict=True)
    ]
    return {
        "input": name,
        "label": top[0]["label"],
        "confidence": top[0]["confidence"],
        "top": top,
        "truth": truth,
        "thumbnail": _thumbnail(pixels[0]),
    }


@torch.inference_mode()
def _accuracy(loaded: LoadedModel, data: Any, indices: torch.Tensor) -> float | None:
    if len(indices) == 0:
        return None
    batches = EvalBatches(
        data.store, data.labels, indices, loaded.normalization, 256, torch.device("cpu")
    )
    correct = sum(int((loaded.model(x).argmax(1) == y).sum()) for x, y in batches)
    return correct / len(indices)


def _thumbnail(pixels: torch.Tensor) -> list[list[float]] | None:
    if pixels.shape[1] > MAX_THUMBNAIL:
        return None
    return [[round(value, 3) for value in row] for row in pixels.mean(0).tolist()]


def _sample_number(name: str) -> int | None:
    if not name.startswith(TEST_PREFIX):
        return None
    number = name.removeprefix(TEST_PREFIX)
    if not number.isdigit():
        raise ValueError(f"{name!r}: expected {TEST_PREFIX}<number>")
    return int(number)
