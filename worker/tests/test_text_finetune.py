"""The text-finetune recipe: three shapes learn, whole and by LoRA; resume is bit for bit; what is saved opens elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from runs import Run
from safetensors.torch import load_file
from tiny_models import make_model

from spotter_worker.predict import predict

TINY: dict[str, Any] = {
    "data": {"path": "talk"},
    "init_from": {"path": "base"},
    "epochs": 2,
    "batch_size": 4,
    "learning_rate": 0.01,
    "warmup_epochs": 0,
    "validation_fraction": 0.2,
    "gradient_checkpointing": False,
    "sample_tokens": 4,
    "lora_rank": 4,
    "lora_alpha": 8,
}
SHAPES = ("llama", "qwen2", "deepseek-v3")
COLOURS = {"sky": "blue", "sun": "red", "sea": "blue", "rose": "red"}


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 conversations."""
    path = tmp_path_factory.mktemp("data") / "talk.jsonl"
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"What colour is the {thing}{'?' * (number % 3)}"},
                {"role": "assistant", "content": f"The {thing} is {colour}."},
            ]
        }
        for number in range(10)
        for thing, colour in COLOURS.items()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {shape: make_model(folder / shape, shape) for shape in SHAPES}


def start(
    folder: Path, data: Path, base: Path, config: dict[str, Any] | None = None, **more: Any
) -> Run:
    places = {"data": data, "init_from": base}
    return Run(folder, {**TINY, **(config or {})}, places=places, recipe="text-finetune", **more)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_every_shape_learns_and_what_is_saved_opens_in_transformers(
    tmp_path: Path, talk: Path, bases: dict[str, Path], shape: str, method: str
) -> None:
    run = start(tmp_path, talk, bases[shape], {"method": method, "test_fraction": 0.1, "epochs": 4})
    before = transformers.AutoModelForCausalLM.from_pretrained(bases[shape])
    metrics = run.go().metrics
    losses = [value for _, value in run.tracker.series("val/loss")]
    # LoRA cannot change the random output layer of a model that never learnt anything.
    assert losses[-1] < losses[0] * (0.5 if method == "full" else 0.85)
    assert run.tracker.series("val/token_accuracy")[-1][1] > 0.5
    assert metrics["test/perplexity"] >= 1
    weights = tmp_path / "weights"
    theirs = transformers.AutoModelForCausalLM.from_pretrained(weights).eval()
    saved = load_file(weights / "model.safetensors")
    assert set(saved) == set(load_file(bases[shape] / "model.safetensors"))
    # What is told of the model is what the weights hold, adapter or not.
    assert run.task.num_parameters == before.num_parameters()
    if shape == "llama":
        assert run.task.num_parameters == sum(tensor.numel() for tensor in saved.values())
    tokens = torch.randint(5, 300, (2, 12))
    with torch.no_grad():
        theirs_said = theirs(tokens).logits
        assert not torch.allclose(theirs_said, before.eval()(tokens).logits, atol=1e-3)
        if method == "lora":
            # The adapter on its base says the same as the merged model.
            both = peft.PeftModel.from_pretrained(before, weights / "adapter").eval()
            assert torch.allclose(both(tokens).logits, theirs_said, atol=1e-4)
    question = {"name": "q", "file": None, "text": "What colour is the sky?", "sample": None}
    answer = predict(weights, [question], {})["predictions"][0]
    assert answer["text"] and answer["label"] is None
    sample = {"name": "test:0", "file": None, "text": None, "sample": 0}
    answer = predict(weights, [sample], {"data": talk})["predictions"][0]
    # What was asked and what the model wrote are told apart.
    assert answer["asked"].startswith("What colour is the ")
    assert answer["text"] and "What colour" not in answer["text"].splitlines()[0]


def test_an_adapter_alone_is_small_and_its_base_is_found_again(
    tmp_path: Path, talk: Path, bases: dict[str, Path]
) -> None:
    run = start(tmp_path / "adapter", talk, bases["llama"], {"merge": False, "temperature": 0})
    run.go()
    weights = tmp_path / "adapter/weights"
    saved = load_file(weights / "model.safetensors")
    assert all("lora_" in name for name in saved)
    base = transformers.AutoModelForCausalLM.from_pretrained(bases["llama"])
    adapter = sum(tensor.numel() for tensor in saved.values())
    assert run.task.num_parameters == base.num_parameters() + adapter
    with pytest.raises((OSError, ValueError)):
        transformers.AutoModelForCausalLM.from_pretrained(weights)
    question = {"name": "q", "file": None, "text": "What colour is the sky?", "sample": None}
    answer = predict(weights, [question], {})["predictions"][0]["text"]
    merged = start(tmp_path / "merged", talk, bases["llama"], {"temperature": 0})
    merged.go()
    same = predict(tmp_path / "merged/weights", [question], {})["predictions"][0]["text"]
    assert answer == same
    # Another training can go on from either.
    for first in (weights, tmp_path / "merged/weights"):
        more = start(tmp_path / f"more-{first.parent.name}", talk, first, {"max_steps": 2})
        assert more.go().metrics["val/loss"] < run.tracker.series("val/loss")[0][1]
        assert more.task.num_parameters == base.num_parameters()


@pytest.mark.parametrize("data_workers", [0, 2])
@pytest.mark.parametrize(
    "config",
    [
        {"method": "lora", "lora_dropout": 0.3, "gradient_checkpointing": True},
        {"method": "full", "learning_rate": 0.001, "batching": "packed"},
    ],
)
def test_stopping_and_resuming_mid_epoch_equals_never_having_stopped(
    tmp_path: Path, talk: Path, bases: dict[str, Path], config: dict[str, Any], data_workers: int
) -> None:
    config = {**config, "data_workers": data_workers, "batch_size": 2}
    whole = start(tmp_path / "whole", talk, bases["qwen2"], config)
    whole.go()
    first = start(tmp_path / "cut", talk, bases["qwen2"], config).command_at(3, "stop")
    assert first.go().state == "stopped"
    torch.rand(100)
    second = start(
        tmp_path / "cut", talk, bases["qwen2"], config, resume_from="checkpoints/step-00000003"
    )
    assert second.go().state == "finished"
    before = [point for point in first.tracker.numbers() if not point[0].startswith("test/")]
    assert before + second.tracker.numbers() == whole.tracker.numbers()
    assert second.weights() == whole.weights()


def test_losses_are_the_same_bits_with_probes_on_and_off(
    tmp_path: Path, talk: Path, bases: dict[str, Path]
) -> None:
    watched = start(tmp_path / "on", talk, bases["llama"])
    watched.go()
    unwatched = start(tmp_path / "off", talk, bases["llama"], probes_enabled=False)
    unwatched.go()
    assert watched.tracker.numbers() == unwatched.tracker.numbers()


def test_a_checkpoint_of_lora_holds_no_weight_of_the_base(
    tmp_path: Path, talk: Path, bases: dict[str, Path]
) -> None:
    start(tmp_path, talk, bases["deepseek-v3"], {"max_steps": 1}).go()
    saved = load_file(tmp_path / "checkpoints/step-00000001/model.safetensors")
    assert saved and all("lora_" in name for name in saved)


@pytest.mark.parametrize("shape", SHAPES)
def test_examples_that_share_a_row_do_not_see_each_other(
    tmp_path: Path, talk: Path, bases: dict[str, Path], shape: str
) -> None:
    loss = {}
    for batching in ("padded", "packed"):
        config = {"batching": batching, "batch_size": 64, "context": 60, "method": "full"}
        task = start(tmp_path / batching, talk, bases[shape], config).task
        batch = next(task.train_batches.epoch(0))
        loss[batching] = (batch.count, task.train_scores(task.model, batch).loss.item())
    assert loss["padded"][0] == loss["packed"][0]
    assert loss["padded"][1] == pytest.approx(loss["packed"][1], abs=1e-5)


def test_gradient_checkpointing_changes_no_bit(
    tmp_path: Path, talk: Path, bases: dict[str, Path]
) -> None:
    series = []
    for on in (False, True):
        run = start(tmp_path / str(on), talk, bases["llama"], {"gradient_checkpointing": on})
        run.go()
        series.append(run.tracker.numbers())
    assert series[0] == series[1]


def test_what_does_not_fit_is_said_before_training(
    tmp_path: Path, talk: Path, bases: dict[str, Path]
) -> None:
    base = bases["llama"]
    with pytest.raises(ValueError, match="takes at most 64 tokens"):
        start(tmp_path, talk, base, {"context": 65})
    with pytest.raises(ValueError, match="this model has: .*q_proj"):
        start(tmp_path, talk, base, {"lora_targets": "query"})
    with pytest.raises(ValueError, match="give a larger context"):
        start(tmp_path, talk, base, {"context": 8})
    with pytest.raises(ValueError, match=r"no config\.json"):
        start(tmp_path, talk, tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((base / name).read_bytes())
    with pytest.raises(ValueError, match=r"no \*\.safetensors"):
        start(tmp_path, talk, tmp_path)


def test_pre_flight_sees_token_text_with_the_loss_mask(
    tmp_path: Path, talk: Path, bases: dict[str, Path]
) -> None:
    task = start(tmp_path, talk, bases["llama"]).task
    (sample,) = task.preview(1)
    marked = zip(sample["tokens"], sample["counted"], strict=True)
    learnt = "".join(token for token, counted in marked if counted)
    assert learnt.startswith("The ") and learnt.endswith(".<|end|>")
    file, row = sample["source"].split(":")
    assert file == talk.name
    # The row that it says is the one that it shows.
    shown = json.loads(talk.read_text().splitlines()[int(row) - 1])
    assert shown["messages"][-1]["content"] in "".join(sample["tokens"])
    (first, *_) = task.examples("train")
    assert first.name.startswith("What colour") and first.length == len(sample["tokens"])
    assert len(list(task.examples("validation"))) == task.sizes.validation


def test_predictions_want_a_text_or_a_sample_that_was_kept_aside(
    tmp_path: Path, talk: Path, bases: dict[str, Path]
) -> None:
    start(tmp_path, talk, bases["llama"], {"max_steps": 1}).go()
    nothing = {"name": "q", "file": None, "text": " ", "sample": None}
    with pytest.raises(ValueError, match="q: this model answers a text"):
        predict(tmp_path / "weights", [nothing], {})
    with pytest.raises(ValueError, match="q: the test split has 8 samples"):
        predict(tmp_path / "weights", [{**nothing, "sample": 8}], {"data": talk})
