"""Owns the job kind `predict`: loads saved weights by their recipe and answers each input.

Inputs: `{"name", "file", "text", "sample"}`; a file's absolute path, a text, both, or the number (from 0) of a sample
of the run's own test split.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .recipes import recipe_module
from .task import Places, PredictInput
from .weights import WEIGHTS_NAME, load_weights


def predict(
    weights_folder: Path, inputs: Sequence[dict[str, Any]], places: Places
) -> dict[str, Any]:
    """The fields of the contract's PredictAnswer, without `run_id`."""
    saved = load_weights(weights_folder)
    predictor = recipe_module(saved.card["recipe"]).load_predictor(saved, places)
    given = [_to_input(one) for one in inputs]
    asks_test = any(one.sample is not None for one in given)
    test_accuracy = predictor.test_accuracy() if asks_test else None
    started = time.perf_counter()
    predictions = [{"input": one.name, **predictor.predict(one)} for one in given]
    latency_ms = (time.perf_counter() - started) * 1000 / max(1, len(given))
    return {
        "weights": str(weights_folder / WEIGHTS_NAME),
        "sha256": saved.sha256,
        "predictions": predictions,
        "test_accuracy": test_accuracy,
        # Of one input, decoding and all.
        "latency_ms": latency_ms,
    }


def _to_input(given: dict[str, Any]) -> PredictInput:
    file = given["file"]
    return PredictInput(given["name"], Path(file) if file else None, given["text"], given["sample"])
