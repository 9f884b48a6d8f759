"""Saved weights, loaded back: predictions on files and test samples, and refusal of what was changed."""

from __future__ import annotations

import base64
import io
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


def test_what_cannot_be_answered_keeps_nothing_else_from_it(trained: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "seven.png", tmp_path / "bad.png"
    Image.new("L", (40, 30), 128).save(good)
    bad.write_bytes(b"no picture")
    given = [{**sample(None), "name": path.name, "file": str(path)} for path in (bad, good)]
    answer = predict(trained.run_dir / "weights", given, {})
    assert [one["input"] for one in answer["predictions"]] == ["seven.png"]
    [failure] = answer["failures"]
    assert failure["input"] == "bad.png"
    assert failure["reason"].startswith("not an image that can be read")
    with pytest.raises(ValueError, match=r"bad.png: not an image .*; bad.png: not an image"):
        predict(trained.run_dir / "weights", [given[0], given[0]], {})


def test_more_samples_than_the_test_split_has_are_those_that_it_has(trained: Run) -> None:
    wanted = [sample(number) for number in range(268, 273)]
    answer = predict(trained.run_dir / "weights", wanted, {})
    assert [one["input"] for one in answer["predictions"]] == ["test:268", "test:269"]
    assert answer["failures"] == []


def test_samples_of_ones_own_images_come_with_picture_and_name(tmp_path: Path) -> None:
    places = {"data": tmp_path / "photos"}
    for number, name in enumerate(("blue", "red")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for count in range(8):
            image = Image.new("RGB", (70, 60), (250 * number, count, 250 - 250 * number))
            image.save(tmp_path / "photos" / name / f"{count}.png")
    config = {"data": {"path": "photos"}, "epochs": 1, "width": 8, "test_fraction": 0.25}
    run = Run(tmp_path / "run", config, places=places)
    run.go()
    answer = predict(run.run_dir / "weights", [sample(0), sample(1)], places)
    for one in answer["predictions"]:
        assert one["name"].startswith(f"{one['truth']}/") and one["name"].endswith(".png")
        assert one["thumbnail"] is None
        picture = Image.open(io.BytesIO(base64.b64decode(one["picture"])))
        assert max(picture.size) == 48
        red, _, blue = picture.convert("RGB").getpixel((20, 20))
        assert (red > blue) == (one["truth"] == "red")


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
