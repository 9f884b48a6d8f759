"""The `concept` recipe: it learns, resumes bit for bit, predicts from image and question, and names what is wrong."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from runs import Run

from spotter_worker.data.sort_of_clevr import (
    CIRCLE,
    COUNTS,
    NO,
    SQUARE,
    YES,
    Scenes,
    answers_of,
    generate,
)
from spotter_worker.models.concept import ConceptArchitecture, ConceptModel
from spotter_worker.predict import predict

TINY = {
    "num_images": 60,
    "num_objects": 3,
    "image_size": 32,
    "width": 32,
    "num_layers": 1,
    "epochs": 2,
    "batch_size": 8,
    "warmup_epochs": 0,
    "validation_fraction": 0.2,
    "test_fraction": 0.1,
}


def concept_run(folder: Path, more: dict[str, Any] | None = None, **others: Any) -> Run:
    return Run(folder, {**TINY, **(more or {})}, recipe="concept", **others)


def write_questions(folder: Path, lines: list[Any]) -> None:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (20, 30), (200, 0, 0)).save(folder / "red.png")
    Image.new("RGB", (40, 30), (0, 0, 200)).save(folder / "blue.png")
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / "questions.jsonl").write_text("\n".join(texts))


def test_answers_follow_from_where_the_objects_are() -> None:
    # Red square left above, green circle beside it, blue circle right below.
    centre = torch.tensor([[[5, 5], [12, 6], [30, 33]]])
    scenes = Scenes(
        40, 3, centre, torch.tensor([[SQUARE, CIRCLE, CIRCLE]]), torch.tensor([[0, 1, 2]])
    )
    shape, left, above, closest, furthest, count = answers_of(scenes)[0].tolist()
    assert shape == [SQUARE, CIRCLE, CIRCLE]
    assert left == above == [YES, YES, NO]
    assert closest == [CIRCLE, SQUARE, CIRCLE]
    assert furthest == [CIRCLE, CIRCLE, SQUARE]
    assert count == [COUNTS, COUNTS + 1, COUNTS + 1]


def test_the_same_seed_draws_the_same_data_and_another_seed_other_data() -> None:
    first, again, other = (generate(20, 40, 6, "both", seed) for seed in (1, 1, 2))
    every = torch.arange(20)
    assert torch.equal(first.store.gather(every), again.store.gather(every))
    assert torch.equal(first.question, again.question) and torch.equal(first.answer, again.answer)
    assert not torch.equal(first.store.gather(every), other.store.gather(every))
    assert first.question.shape == (20, 20)
    assert first.kind.sum(1).tolist() == [10] * 20
    assert first.classes == ["yes 是", "no 否", "square 方形", "circle 圆形", *"123456"]


@pytest.mark.parametrize("fusion", ["cross-attention", "relation", "mlp"])
def test_each_fusion_learns_to_answer_better_than_chance(tmp_path: Path, fusion: str) -> None:
    config = {"fusion": fusion, "num_images": 120, "epochs": 5, "learning_rate": 0.003}
    run = concept_run(tmp_path, config)
    # Seven classes: guessing gives 14 %.
    assert run.go().metrics["val/accuracy"] > 0.45
    names = ("accuracy", "accuracy_relational", "accuracy_nonrelational")
    whole, *parts = [run.tracker.series(f"val/{name}")[-1][1] for name in names]
    # As many questions of each sort, and each sort is divided by its own number.
    assert sum(parts) / 2 == pytest.approx(whole)


@pytest.mark.parametrize("fusion", ["cross-attention", "relation", "mlp"])
def test_an_answer_does_not_depend_on_what_else_is_asked_about_the_image(fusion: str) -> None:
    torch.manual_seed(0)
    model = ConceptModel(ConceptArchitecture(fusion, 32, 3, 0.0, 3, 40, 20, 7)).eval()
    images, tokens = torch.rand(2, 3, 40, 40), torch.randint(1, 20, (5, 6))
    asked = torch.tensor([[0, 1, 2, 3], [4, 4, 0, 1]])
    together = model(images, tokens, asked)
    alone = [model(images, tokens, one[:, None])[:, 0] for one in asked.unbind(1)]
    torch.testing.assert_close(together, torch.stack(alone, 1))
    assert together.shape == (2, 4, 7)


@pytest.mark.parametrize("data_workers", [0, 2])
def test_stopping_and_resuming_mid_epoch_equals_never_having_stopped(
    tmp_path: Path, data_workers: int
) -> None:
    config = {"data_workers": data_workers, "dropout": 0.3, "language": "both"}
    whole = concept_run(tmp_path / "whole", config)
    whole.go()
    first = concept_run(tmp_path / "cut", config).command_at(8, "stop")
    assert first.go().state == "stopped"
    torch.rand(100)
    second = concept_run(tmp_path / "cut", config, resume_from="checkpoints/step-00000008")
    second.go()
    before = [point for point in first.tracker.numbers() if not point[0].startswith("test/")]
    assert before + second.tracker.numbers() == whole.tracker.numbers()
    assert second.weights() == whole.weights()


def test_losses_are_the_same_bits_with_probes_on_and_off(tmp_path: Path) -> None:
    watched = concept_run(tmp_path / "on")
    watched.go()
    unwatched = concept_run(tmp_path / "off", probes_enabled=False)
    unwatched.go()
    assert watched.tracker.numbers() == unwatched.tracker.numbers()
    assert watched.weights() == unwatched.weights()


def test_saved_weights_answer_a_question_about_an_image_file(tmp_path: Path) -> None:
    concept_run(tmp_path, {"epochs": 1}).go()
    picture = tmp_path / "any.png"
    Image.new("RGB", (50, 40), "white").save(picture)
    asked = {
        "name": "any.png",
        "file": str(picture),
        "text": "What shape does the RED object have?",
    }
    sample = {"name": "test:0", "file": None, "text": None, "sample": 0}
    given = [{**asked, "sample": None}, sample]
    answer = predict(tmp_path / "weights", given, {})
    first, second = answer["predictions"]
    assert first["label"] in ("yes", "no", "square", "circle", "1", "2", "3")
    assert first["truth"] is None and len(first["top"]) == 5
    assert second["truth"] is not None
    assert first["asked"] == asked["text"] and second["asked"].endswith("?")
    assert all(base64.b64decode(one["picture"]).startswith(b"\x89PNG") for one in (first, second))
    assert answer["test_accuracy"] > 0

    for wrong, words in (
        ({"text": None}, "needs an image file and a question"),
        ({"file": None}, "needs an image file and a question"),
        ({"text": "哪里"}, "none of the words"),
        ({"file": None, "text": None, "sample": 9999}, "the test split has 108 samples"),
    ):
        with pytest.raises(ValueError, match=words):
            predict(tmp_path / "weights", [{**given[0], **wrong}], {})


def test_questions_of_ones_own_are_learnt(tmp_path: Path) -> None:
    lines = []
    folder = tmp_path / "own"
    folder.mkdir()
    for number in range(24):
        colour = ("red", "blue")[number % 2]
        Image.new("RGB", (30, 20), colour).save(folder / f"{number}.png")
        lines.append({"image": f"{number}.png", "question": "哪种颜色？", "answer": colour})
        lines.append({"image": f"{number}.png", "question": "is it red?", "answer": number % 2})
    write_questions(folder, lines)
    config = {"data": {"path": "own"}, "epochs": 10, "learning_rate": 0.01}
    run = concept_run(tmp_path / "run", config, places={"data": folder})
    metrics = run.go().metrics
    assert run.task.classes == ["0", "1", "blue", "red"]
    assert metrics["val/accuracy"] == 1.0
    # Nobody said which questions are relational.
    assert "val/accuracy_relational" not in metrics


GOOD = {"image": "red.png", "question": "colour?", "answer": "red"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "questions.jsonl, row 2: not JSON"),
        ("[1]", "row 2: not an object"),
        ({"image": "red.png", "answer": "red"}, "row 2: 'question' is missing"),
        ({**GOOD, "answer": 1.5}, "row 2: 'answer' is 1.5"),
        ({**GOOD, "image": "none.png"}, "row 2: there is no image 'none.png'"),
        ({**GOOD, "image": "../own/../../x.png"}, "row 2: there is no image"),
        ({**GOOD, "image": "torn.png", "answer": "x"}, "row 2: .*torn.png: not an image"),
        ({**GOOD, "question": "?!"}, "row 2: the question has 0 words"),
        ({**GOOD, "relational": "yes"}, "row 2: 'relational' is 'yes'"),
        (GOOD, "all answers are 'red'"),
    ],
)
def test_data_that_cannot_be_used_is_named(tmp_path: Path, line: Any, words: str) -> None:
    folder = tmp_path / "own"
    write_questions(folder, [GOOD, line])
    (folder / "torn.png").write_bytes(b"\x89PNG torn")
    with pytest.raises(ValueError, match=words):
        concept_run(tmp_path / "run", {"data": {"path": "own"}}, places={"data": folder})


def test_text_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    write_questions(tmp_path / "own", [GOOD])
    (tmp_path / "own/questions.jsonl").write_bytes(b'{"image": "red.png", "question": "\xff"}')
    with pytest.raises(ValueError, match="row 1: not text in UTF-8"):
        concept_run(tmp_path, {"data": {"path": "own"}}, places={"data": tmp_path / "own"})


def test_a_folder_without_questions_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no questions\.jsonl"):
        concept_run(tmp_path, {"data": {"path": "own"}}, places={"data": tmp_path})
