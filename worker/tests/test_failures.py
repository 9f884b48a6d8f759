"""What a person is told when a job fails."""

from __future__ import annotations

import errno
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from spotter_worker.data.class_folder import find_class_files, require_classes
from spotter_worker.data.unreadable_file import place_in_data
from spotter_worker.failures import describe_failure
from spotter_worker.recipe_configs import CONFIGS


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


@pytest.mark.parametrize(
    ("error", "kind", "hint"),
    [
        (MemoryError(), "out-of-memory", "Halve the batch size (64 → 32)"),
        (OutOfMemoryError("CUDA out of memory"), "out-of-memory", "64 → 32"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out-of-memory", "64 → 32"),
        (OSError(errno.ENOSPC, "full"), "disk-full", "Free some disk space"),
        (OSError(errno.EDQUOT, "quota"), "disk-full", "Free some disk space"),
        (ValueError("bad"), "invalid-input", "Correct the data"),
        (RuntimeError("shapes differ"), "RuntimeError", None),
    ],
)
def test_each_failure_has_its_kind_and_hint(error: Exception, kind: str, hint: str | None) -> None:
    told = describe_failure(error, {"batch_size": 64})
    assert told["kind"] == kind
    assert told["message"]
    assert (hint is None and told["hint"] is None) or (hint and hint in told["hint"])


def raised(by: Callable[[], object]) -> Exception:
    try:
        by()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("it did not fail")


def test_what_is_said_of_data_or_config_needs_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    for error in (
        raised(lambda: CONFIGS["vision"].parse({"epochs": -1})),
        raised(lambda: find_class_files(tmp_path / "cat", {".png"}, "pictures")),
        raised(lambda: require_classes("photos", ["cat"], torch.zeros(3).long(), "images")),
    ):
        told = describe_failure(error, {})
        assert (told["kind"], told["traceback"]) == ("invalid-input", None), told


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    for error in (
        raised(lambda: int("a slip")),
        raised(lambda: statistics.quantiles([1, 2], n=0)),
        raised(lambda: place_in_data(None)),  # type: ignore[arg-type]
    ):
        assert "Traceback" in describe_failure(error, {})["traceback"]


def test_a_batch_of_one_cannot_be_halved() -> None:
    assert "smaller" in describe_failure(MemoryError(), {"batch_size": 1})["hint"]


def test_a_text_is_made_shorter_and_not_smaller() -> None:
    config = {"batch_size": 1, "context": 512, "method": "full"}
    words = "Make the context shorter, or train by LoRA (method=lora) or the model narrower."
    assert describe_failure(MemoryError(), config)["hint"] == words


def test_a_very_long_traceback_keeps_its_end() -> None:
    told = describe_failure(ValueError("x" * 50_000), {})
    assert len(told["traceback"]) <= 20_000
    assert len(told["message"]) <= 4_000
