"""Owns the job kind `predict`: loads saved weights by their recipe and answers each input.

Inputs: `{"name", "file", "text", "sample"}`; a file's absolute path, a text, both, or the number (from 0) of a sample
of the run's own test split.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .data.unreadable_file import place_in_data
from .recipes import recipe_module
from .task import NoSampleError, Places, PredictInput, Predictor
from .weights import WEIGHTS_NAME, load_weights

MAX_TOLD = 5


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
    predictions, failures = _answer_each(predictor, given)
    latency_ms = (time.perf_counter() - started) * 1000 / max(1, len(given))
    return {
        "weights": str(weights_folder / WEIGHTS_NAME),
        "sha256": saved.sha256,
        "predictions": predictions,
        "failures": failures,
        "test_accuracy": test_accuracy,
        # Of one input, decoding and all.
        "latency_ms": latency_ms,
    }


def _answer_each(
    predictor: Predictor, given: Sequence[PredictInput]
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Answers, and what could not be answered with the reason; a ValueError where nothing could.

    A test split with fewer samples than were asked for gives those that it has.
    """
    predictions: list[dict[str, Any]] = []
    failures: list[dict[str, str]] = []
    lacking: NoSampleError | None = None
    for one in given:
        try:
            predictions.append({"input": one.name, **predictor.predict(one)})
        except NoSampleError as error:
            lacking = lacking or error
        except ValueError as error:
            failures.append({"input": one.name, "reason": _reason(one, error)})
    if not predictions and not failures and lacking is not None:
        raise lacking
    if not predictions:
        told = [f"{one['input']}: {one['reason']}" for one in failures[:MAX_TOLD]]
        told += ["…"] if len(failures) > MAX_TOLD else []
        raise ValueError("; ".join(told))
    return predictions, failures


def _reason(given: PredictInput, error: ValueError) -> str:
    """Without what the input is called, which is told beside it."""
    reason = str(error)
    names = [given.name]
    if given.file is not None:
        names += [str(given.file), place_in_data(given.file)]
    for name in names:
        reason = reason.removeprefix(f"{name}: ")
    return reason


def _to_input(given: dict[str, Any]) -> PredictInput:
    file = given["file"]
    return PredictInput(given["name"], Path(file) if file else None, given["text"], given["sample"])
