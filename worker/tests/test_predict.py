"""Saved weights, loaded back: predictions on files and test samples, and refusal of what was changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from runs import Run

from spotter_worker.predict import predict
from spotter_worker.weights import load_weights


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("run"), {"epochs": 6, "width": 16, "learning_rate": 0.01})
    run.go()
    return run


def sample(number: int | None) -> dict[str, Any]:
    return {"name": f"test:{number}", "file": None, "text": None, "sample": number}


def test_test_samples_come_with_truth_thumbnail_and_the_runs_own_accuracy(trained: Run) -> None:
    answer = predict(trained.run_dir / "weights", [sample(n) for n in range(20)], {})
    told = trained.tracker.series("test/accuracy")[-1][1]
    assert answer["test_accuracy"] == told
    assert answer["latency_ms"] > 0
    assert answer["weights"].endswith("weights/model.safetensors")
    predictions = answer["predictions"]
    right = sum(one["label"] == one["truth"] for one in predictions)
    assert right >= 14
    assert len({one["truth"] for one in predictions}) > 4
    first = predictions[0]
    assert first["input"] == "test:0"
    assert (len(first["thumbnail"]), len(first["thumbnail"][0])) == (8, 8)
    assert first["confidence"] == first["top"][0]["confidence"]
    assert sum(one["confidence"] for one in first["top"]) <= 1.0001
    json.dumps(answer, allow_nan=False)


def test_an_image_file_is_classified(trained: Run, tmp_path: Path) -> None:
    path = tmp_path / "seven.png"
    Image.new("L", (40, 30), 128).save(path)
    answer = predict(
        trained.run_dir / "weights", [{**sample(None), "name": "seven.png", "file": str(path)}], {}
    )
    [prediction] = answer["predictions"]
    assert prediction["label"] in "0123456789"
    assert prediction["truth"] is None
    assert answer["test_accuracy"] is None


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"sample": 9999}, "the test split has 270 samples"),
        ({"text": "seven"}, "give an image file"),
        ({"file": "/nowhere.png"}, "not an image that can be read"),
    ],
)
def test_an_input_that_cannot_be_is_refused(
    trained: Run, wanted: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        predict(trained.run_dir / "weights", [{**sample(None), **wanted}], {})


def test_weights_that_were_changed_are_refused(trained: Run, tmp_path: Path) -> None:
    for name in ("model.safetensors", "model.json"):
        (tmp_path / name).write_bytes((trained.run_dir / "weights" / name).read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"abcd")
    with pytest.raises(ValueError, match="SHA-256 is"):
        load_weights(tmp_path)


def test_the_card_tells_all_that_is_needed_to_use_the_weights(trained: Run) -> None:
    card = json.loads((trained.run_dir / "weights/model.json").read_text())
    assert card["classes"] == [str(digit) for digit in range(10)]
    assert card["config"]["width"] == 16
    assert card["metrics"]["test/accuracy"] > 0.7
    loaded = load_weights(trained.run_dir / "weights")
    assert loaded.sha256 == card["sha256"]
