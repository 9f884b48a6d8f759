"""The text-classify recipe: it learns (Chinese too), resumes bit for bit, predicts, and names the rows that are wrong."""

from __future__ import annotations

import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from recipe_checks import check_that_probes_change_nothing, check_that_stopping_changes_nothing
from runs import Run

from spotter_worker.data.labelled_texts import load_texts
from spotter_worker.data.vocabulary import Vocabulary, learn_vocabulary, split_text
from spotter_worker.models.text_encoder import EncoderArchitecture, TextEncoder
from spotter_worker.predict import predict

TINY: dict[str, Any] = {
    "data": {"path": "texts"},
    "width": 16,
    "heads": 2,
    "layers": 1,
    "epochs": 3,
    "batch_size": 8,
    "learning_rate": 0.02,
    "warmup_epochs": 0.5,
    "checkpoint_every_epochs": 1,
    "validation_fraction": 0.2,
    "test_fraction": 0.2,
}
WORDS = {
    "天气": ["今天下雨", "太阳很大", "明天有雪", "风很大", "多云转晴"],
    "food": ["the soup is hot", "fresh bread", "rice and beans", "sweet cake", "salty fish"],
    "sport": ["they won the game", "a fast runner", "the ball is out", "half time", "a red card"],
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 rows of three topics, as JSON Lines."""
    path = tmp_path_factory.mktemp("data") / "texts.jsonl"
    draw = random.Random(5)
    rows = [
        {"text": " ".join(draw.choices(phrases, k=draw.randint(1, 3))), "label": topic}
        for topic, phrases in WORDS.items()
        for _ in range(20)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def start(folder: Path, texts: Path, config: dict[str, Any] | None = None, **more: Any) -> Run:
    given = {**TINY, **(config or {})}
    return Run(folder, given, places={"data": texts}, recipe="text-classify", **more)


@pytest.mark.parametrize("tokens", ["words", "characters", "bytes"])
def test_topics_are_learnt_and_the_weights_predict(
    tmp_path: Path, texts: Path, tokens: str
) -> None:
    config = {"tokens": tokens, "epochs": 8, "class_weights": "balanced"}
    metrics = start(tmp_path, texts, config).go().metrics
    assert metrics["test/accuracy"] >= 0.8
    weather = {"name": "weather", "file": None, "text": "明天下雨", "sample": None}
    sample = {"name": "test:0", "file": None, "text": None, "sample": 0}
    answer = predict(tmp_path / "weights", [weather, sample], {"data": texts})
    assert answer["predictions"][0]["label"] == "天气"
    shown = answer["predictions"][1]
    assert shown["truth"] in WORDS
    assert answer["predictions"][0]["asked"] == "明天下雨"
    file, row = shown["name"].split(":")
    assert shown["asked"] in (texts.parent / file).read_text().splitlines()[int(row) - 1]
    assert answer["test_accuracy"] == metrics["test/accuracy"]
    with pytest.raises(ValueError, match="give a text"):
        predict(tmp_path / "weights", [{**weather, "text": " "}], {"data": texts})


@pytest.mark.parametrize("data_workers", [0, 2])
def test_stopping_and_resuming_mid_epoch_equals_never_having_stopped(
    tmp_path: Path, texts: Path, data_workers: int
) -> None:
    check_that_stopping_changes_nothing(partial(start, texts=texts), tmp_path, data_workers, 7)


def test_losses_are_the_same_bits_with_probes_on_and_off(tmp_path: Path, texts: Path) -> None:
    check_that_probes_change_nothing(partial(start, texts=texts), tmp_path)


def test_padding_changes_nothing() -> None:
    model = TextEncoder(EncoderArchitecture(20, 12, 2, 2, 8, 0.1, 3)).eval()
    short = torch.tensor([[4, 7, 2]])
    beside = torch.tensor([[4, 7, 2, 0, 0, 0], [3, 3, 5, 8, 9, 2]])
    assert torch.allclose(model(short)[0], model(beside)[0], atol=1e-6)
    with pytest.raises(ValueError, match="width 9 is not a multiple of heads 2"):
        TextEncoder(EncoderArchitecture(20, 12, 2, 2, 9, 0.1, 3))


def test_words_are_runs_of_letters_and_single_chinese_characters(tmp_path: Path) -> None:
    assert split_text("Hello, 世界 x2!", "words") == ["hello", ",", "世", "界", "x2", "!"]
    assert split_text("a b\n世", "characters") == ["a", "b", "世"]
    vocabulary = learn_vocabulary(["b a a", "a c 世"], "words", 4)
    assert vocabulary.tokens == ("a", "b")
    assert vocabulary.encode("a 世 b", 10).tolist() == [2, 1, 3]
    vocabulary.save(tmp_path)
    assert Vocabulary.load(tmp_path) == vocabulary
    assert learn_vocabulary([], "bytes", 16).encode("ab", 1).tolist() == [ord("a") + 2]


def test_csv_and_folders_give_the_same_texts(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('topic,said\na,"one, two"\nb,three\na,four\n', "utf-8-sig")
    from_csv = load_texts(tmp_path / "rows.csv", "said", "topic")
    assert (from_csv.texts, from_csv.labels.tolist()) == (["one, two", "three", "four"], [0, 1, 0])
    for name, text in (("a/1.txt", "one, two"), ("a/2.txt", "four"), ("b/1.txt", "three")):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    from_folder = load_texts(tmp_path / "folder", "text", "label")
    assert (from_folder.texts, from_folder.classes) == (["one, two", "four", "three"], ["a", "b"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"text,kind\nhello,x\n", r"row 2 has no 'label'; it has: text, kind"),
        ("a.csv", b"text,label\nhello,x\n,y\n", r"row 3 has no text in 'text'"),
        ("a.csv", b"text,label\nhello,x,y\n", r"row 2 has more fields"),
        ("a.csv", b'text,label\nhello,x\n"oh,y\n', r"row 3 is no CSV"),
        ("a.csv", b"text,label\nhello,x\ncaf\xe9,y\n", r"row 3 is not UTF-8"),
        ("a.csv", b"text,label\n", r"there are no rows"),
        ("a.jsonl", b'{"text": "a", "label": 1}\n{"text": \n', r"row 2 is no JSON"),
        ("a.jsonl", b'{"text": "a", "label": 1}\n[]\n', r"row 2 is no JSON object"),
        ("a.jsonl", b'{"text": 5, "label": 1}\n', r"row 1 has no text"),
        ("a.jsonl", b'{"text": "a", "label": null}\n', r"row 1 has no class"),
        ("a.jsonl", b'{"text": "a", "label": 1}\n', r"found 1 class"),
        ("a.pdf", b"text", r"expected a .csv, .tsv or .jsonl file"),
    ],
)
def test_what_is_wrong_with_a_row_is_named(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        load_texts(tmp_path / name, "text", "label")
    assert name in str(caught.value)


def test_a_new_topic_is_learnt_beside_the_old_ones(tmp_path: Path, texts: Path) -> None:
    start(tmp_path / "old", texts, {"class_subset": ["food", "sport"], "epochs": 6}).go()
    weights = tmp_path / "old/weights"
    places = {name: texts for name in ("data", "old_data")}
    places |= {name: weights for name in ("init_from", "distill_from")}
    config = {
        **TINY,
        "class_subset": ["天气"],
        "old_data": {"path": "texts"},
        "old_class_subset": ["food", "sport"],
        "init_from": {"path": "old"},
        "distill_from": {"path": "old"},
        "ewc_lambda": 10.0,
        "epochs": 6,
    }
    run = Run(tmp_path / "whole", config, places=places, recipe="text-classify")
    assert run.task.classes == ["food", "sport", "天气"]
    metrics = run.go().metrics
    assert metrics["continual/old_accuracy_after"] >= 0.75
    assert metrics["test/accuracy"] >= 0.75
    first = Run(tmp_path / "cut", config, places=places, recipe="text-classify")
    first.command_at(4, "stop").go()
    second = Run(
        tmp_path / "cut",
        config,
        "checkpoints/step-00000004",
        places=places,
        recipe="text-classify",
    )
    second.go()
    assert second.weights() == run.weights()
    answer = predict(
        tmp_path / "whole/weights",
        [{"name": "sample", "file": None, "text": None, "sample": 0}],
        {"data": texts},
    )
    assert answer["predictions"][0]["truth"] == "天气"
    assert answer["test_accuracy"] == metrics["test/accuracy"]
