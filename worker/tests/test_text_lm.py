"""The `text-lm` recipe: it learns, goes on bit for bit, writes text, and says what is wrong with its data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from runs import Run
from safetensors.torch import load_file

from spotter_worker.data.token_stream import RowBatches, TokenStream, WindowBatches
from spotter_worker.predict import predict
from spotter_worker.weights import load_weights

SMALL: dict[str, Any] = {
    "data": {"path": "poem.txt"},
    "layers": 2,
    "width": 32,
    "heads": 2,
    "context": 16,
    "batch_size": 8,
    "epochs": 3,
    "max_steps": 60,
    "warmup_steps": 5,
    "learning_rate": 0.01,
    "eval_every_steps": 20,
    "checkpoint_every_steps": 20,
    "sample_tokens": 8,
}
CPU = torch.device("cpu")


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    file = tmp_path / "poem.txt"
    file.write_text("the cat sat on the mat. " * 300, encoding="utf-8")
    return {"data": file}


def start(
    folder: Path, places: dict[str, Path], more: dict[str, Any] | None = None, **kw: Any
) -> Run:
    return Run(folder, {**SMALL, **(more or {})}, places=places, recipe="text-lm", **kw)


def test_its_log_counts_tokens_as_tokens(
    tmp_path: Path, places: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = start(tmp_path / "run", places)
    run.loop._reporter.started(run.task, 1, 1, None)
    sizes, said = run.task.sizes, capsys.readouterr().out
    assert sizes.train > 20 * 300
    assert f"; {sizes.train:,} tokens to train, {sizes.validation:,} to validate" in said
    assert "example" not in said
    assert "tokens in 1 text\n" in said


def test_it_learns_and_writes_what_it_learnt(tmp_path: Path, places: dict[str, Path]) -> None:
    run = start(tmp_path / "run", places)
    run.go()
    losses = run.tracker.series("val/loss")
    assert losses[-1][1] < 0.5
    assert losses[-1][1] < math.log(run.task.model.shape.vocabulary_size) / 4
    perplexity = run.tracker.series("val/perplexity")[-1][1]
    assert perplexity == pytest.approx(math.exp(losses[-1][1]))
    speeds = run.tracker.series("train/tokens_per_s")
    assert len(speeds) == 60
    assert all(speed > 0 for _, speed in speeds)
    weights = run.run_dir / "weights"
    given = {"name": "text", "file": None, "text": "the cat ", "sample": None}
    first = predict(weights, [given], {})["predictions"][0]
    assert first["text"].startswith("sat")
    assert first == predict(weights, [given], {})["predictions"][0]
    with pytest.raises(ValueError, match="give the text's beginning"):
        predict(weights, [{**given, "text": None}], {})


@pytest.mark.parametrize(
    "more",
    [
        {"batching": "windows", "dropout": 0.1},
        {"batching": "packed", "data_workers": 2, "kv_heads": 1, "dropout": 0.1},
        {"batching": "windows", "data_workers": 2, "shape": "qwen2"},
        {"batching": "packed", "tokenizer": "bpe", "vocabulary_size": 300, "batch_size": 4},
        {"shape": "deepseek-v3", "ema_decay": 0.9},
        {"module": "transformers", "shape": "qwen2"},
    ],
)
def test_going_on_in_the_middle_of_an_epoch_is_never_having_stopped(
    tmp_path: Path, places: dict[str, Path], more: dict[str, Any]
) -> None:
    more = {"max_steps": 30, **more}
    # The tokens of a second start are read from where the first one left them.
    places = {**places, "cache": tmp_path / "cache"}
    whole = start(tmp_path / "whole", places, more)
    whole.go()
    halted = start(tmp_path / "halted", places, more).command_at(13, "stop")
    halted.go()
    resumed = start(tmp_path / "halted", places, more, resume_from="checkpoints/step-00000013")
    resumed.go()
    assert resumed.weights() == whole.weights()
    later = [point for point in whole.tracker.numbers() if point[1] > 13]
    assert [p for p in resumed.tracker.numbers() if p[1] > 13] == later


def test_probes_and_samples_change_no_number(tmp_path: Path, places: dict[str, Path]) -> None:
    runs = []
    for number, (probes, sample) in enumerate([(True, 8), (False, 0)]):
        run = start(
            tmp_path / str(number),
            places,
            {"sample_tokens": sample, "dropout": 0.1, "max_steps": 40},
            probes_enabled=probes,
        )
        run.go()
        runs.append(run.tracker.series("train/loss"))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("shape", ["llama", "qwen2", "deepseek-v3"])
@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_the_weights_folder_opens_in_transformers(
    tmp_path: Path, places: dict[str, Path], shape: str, kind: str
) -> None:
    import transformers

    more = {"max_steps": 5, "shape": shape, "tokenizer": kind}
    more |= {"vocabulary_size": 300} if kind == "bpe" else {}
    run = start(tmp_path / "run", places, more)
    run.go()
    folder = run.run_dir / "weights"
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    # Not composed, as Qwen2's own tokenizer would make it; and an emoji, a long gap, a line end.
    text = "the mat. cafe\u0301  cat's 🙂\n\n the"
    ids = tokenizer(text)["input_ids"]
    assert ids == run.task.tokenizer.encode(text).tolist()
    assert tokenizer.decode(ids) == run.task.tokenizer.decode(ids)
    assert tokenizer.decode(tokenizer("the mat.")["input_ids"]) == "the mat."
    assert tokenizer.eos_token_id == 0
    tokens = torch.tensor([ids[:16]])
    with torch.no_grad():
        ours = load_weights(folder).model(tokens)
        assert (ours - theirs(tokens).logits).abs().max() <= 1e-5


@pytest.mark.parametrize("shape", ["qwen2", "deepseek-v3"])
def test_transformers_modules_learn_and_write_too(
    tmp_path: Path, places: dict[str, Path], shape: str
) -> None:
    more = {"module": "transformers", "shape": shape, "max_steps": 80, "dense_layers": 0}
    run = start(tmp_path / "run", places, more)
    run.go()
    assert run.tracker.series("val/loss")[-1][1] < 0.5
    weights = run.run_dir / "weights"
    given = {"name": "text", "file": None, "text": "the cat ", "sample": None}
    assert predict(weights, [given], {})["predictions"][0]["text"].startswith("sat")
    if shape == "deepseek-v3":
        names = load_file(weights / "model.safetensors")
        assert names["model.layers.1.mlp.experts.7.up_proj.weight"].shape == (24, 32)
        # Experts with little to do have become likelier, others less likely.
        assert names["model.layers.1.mlp.gate.e_score_correction_bias"].unique().numel() > 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tokenizer": "bpe", "vocabulary_size": 256}, "needs at least 257"),
        ({"shape": "deepseek-v3", "kv_heads": 1}, "kv_heads has no meaning"),
        ({"shape": "deepseek-v3", "experts": 2, "experts_per_token": 3}, "there are 2 experts"),
        ({"shape": "deepseek-v3", "dense_layers": 3}, "there are 2 layers"),
        ({"shape": "deepseek-v3", "dropout": 0.1}, "transformers' modules have none"),
        ({"shape": "deepseek-v3", "width": 36}, "multiple of 4"),
        ({"width": 33}, "multiple of heads"),
    ],
)
def test_what_does_not_go_together_is_said(
    tmp_path: Path, places: dict[str, Path], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        start(tmp_path / "run", places, more)


def test_packed_batches_hold_every_token_once_in_an_epochs_own_order() -> None:
    documents = ["abc", "defgh", "ij", "klmnopq"]
    encoded = [[ord(letter) - ord("a") + 1 for letter in document] + [0] for document in documents]
    starts = numpy.cumsum([0, *map(len, encoded)])
    stream = TokenStream(numpy.array(sum(encoded, []), dtype=numpy.uint16), starts)
    orders = []
    for epoch in range(4):
        batches = WindowBatches(stream, 4, 5, True, 0, CPU, False).epoch(epoch)
        tokens, following = next(batches)
        assert torch.equal(tokens[:, 1:], following[:, :-1])
        flat = tokens.flatten().numpy()
        assert sorted(flat) == sorted(stream.tokens[:-1]) or len(flat) <= len(stream)
        text = "".join("|" if i == 0 else chr(i + ord("a") - 1) for i in flat)
        assert all(part in "|".join(documents) for part in text.split("|"))
        orders.append(text)
    assert len(set(orders)) > 1


def test_rows_to_evaluate_hold_every_token_once() -> None:
    stream = TokenStream(numpy.arange(50), numpy.array([0, 50]))
    batches = RowBatches(stream, 8, 2, 1000, CPU)
    following = torch.cat([batch[1].flatten() for batch in batches])
    assert following.tolist() == list(range(1, 50))
    assert len(batches) == 49


def test_bad_text_is_named_with_file_and_place(tmp_path: Path) -> None:
    def refused(name: str, content: bytes, words: str) -> None:
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(ValueError, match=words):
            start(tmp_path / "run", {"data": file})

    refused("latin.txt", b"caf\xe9 au lait", "latin.txt is not UTF-8: the byte at offset 3")
    refused("cut.txt", "诗".encode()[:2], "cut.txt is not UTF-8: the byte at offset 0")
    refused("c.jsonl", b'{"text":"\xff"}\n', "c.jsonl, row 1 is not UTF-8: the byte at offset 9")
    refused("d.jsonl", b'{"text":"\\ud800"}\n', "d.jsonl, row 1: .*half a character")
    refused("a.jsonl", b'{"text":"x"}\n{"body":"y"}\n', "a.jsonl, row 2: .*there is: body")
    refused("b.jsonl", b'{"text":"x"}\n{oops\n', "b.jsonl, row 2: not JSON")
    refused("short.txt", b"a few", "training part has")
    refused("empty.txt", b"", "all texts are empty")
    with pytest.raises(ValueError, match="no file with text"):
        start(tmp_path / "run", {"data": tmp_path / "nowhere"})


def test_a_model_that_goes_on_learning_keeps_its_tokens(
    tmp_path: Path, places: dict[str, Path]
) -> None:
    kind = {"tokenizer": "bpe", "vocabulary_size": 270}
    first = start(tmp_path / "first", places, {"max_steps": 5, **kind})
    first.go()
    other = tmp_path / "other.txt"
    other.write_text("zebra the cat " * 400)
    second = start(
        tmp_path / "second",
        {"data": other, "init_from": first.run_dir / "weights"},
        {"init_from": {"path": "weights"}},
    )
    assert second.task.tokenizer.to_json() == first.task.tokenizer.to_json()
