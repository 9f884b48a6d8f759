"""Fine-tuning beside other things: a base of our own, halved digits, several processes, rows that hold too much."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from gang import run_gang
from runs import Run
from safetensors.torch import load_file
from tiny_models import make_model

from spotter_worker.distributed import Peers

SMALL: dict[str, Any] = {
    "data": {"path": "texts"},
    "init_from": {"path": "base"},
    "epochs": 1,
    "batch_size": 2,
    "learning_rate": 0.01,
    "warmup_epochs": 0,
    "gradient_checkpointing": False,
    "sample_tokens": 0,
}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": f"the cat sat {n}"}) + "\n" for n in range(18)))
    return path


def start(folder: Path, data: Path, base: Path, config: dict[str, Any], **more: Any) -> Run:
    places = {"data": data, "init_from": base}
    return Run(folder, {**SMALL, **config}, places=places, recipe="text-finetune", **more)


@pytest.mark.parametrize("tokenizer", ["characters", "bpe"])
def test_a_model_of_text_lm_goes_on_learning(tmp_path: Path, texts: Path, tokenizer: str) -> None:
    poem = tmp_path / "poem.txt"
    poem.write_text("the cat sat on the mat 0123456789. " * 100)
    first = {
        "data": {"path": "poem"},
        **{"shape": "qwen2", "tokenizer": tokenizer, "vocabulary_size": 280},
        **{"layers": 1, "width": 16, "heads": 2, "context": 32, "sample_tokens": 0},
        **{"max_steps": 20, "epochs": 1, "learning_rate": 0.02, "warmup_steps": 2},
    }
    Run(tmp_path / "first", first, places={"data": poem}, recipe="text-lm").go()
    base = tmp_path / "first/weights"
    run = start(tmp_path / "second", texts, base, {"method": "full", "context": 24})
    run.go()
    opened = transformers.AutoTokenizer.from_pretrained(tmp_path / "second/weights")
    ours = transformers.AutoTokenizer.from_pretrained(base)
    assert opened("the mat")["input_ids"] == ours("the mat")["input_ids"]
    # Called by its kind, not by the folder that it lies in.
    assert run.task.model_name == "qwen2-1x16"
    # Better than knowing nothing, after so few steps on so few texts.
    assert run.tracker.series("val/loss")[0][1] < math.log(len(opened)) - 0.3


def test_bf16_holds_the_base_in_half_the_memory_and_learns(tmp_path: Path, texts: Path) -> None:
    base = make_model(tmp_path / "base")
    run = start(tmp_path / "run", texts, base, {"precision": "bf16", "epochs": 4})
    frozen = [one for one in run.task.model.parameters() if not one.requires_grad]
    learning = [one for one in run.task.model.parameters() if one.requires_grad]
    assert {one.dtype for one in frozen} == {torch.bfloat16}
    assert {one.dtype for one in learning} == {torch.float32}
    run.go()
    losses = run.tracker.series("val/loss")
    assert losses[-1][1] < losses[0][1]
    saved = load_file(tmp_path / "run/weights/model.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.bfloat16}


def train(peers: Peers, folder: Path, data: Path, base: Path, config: dict[str, Any]) -> Any:
    run = start(folder, data, base, config, peers=peers)
    run.go()
    return run.tracker.series("train/loss")


@pytest.mark.parametrize(
    "config", [{"method": "lora"}, {"method": "full", "strategy": "fsdp2"}], ids=["lora", "fsdp2"]
)
def test_two_processes_give_the_losses_of_one_with_the_doubled_batch(
    tmp_path: Path, texts: Path, config: dict[str, Any]
) -> None:
    base = make_model(tmp_path / "base")
    [two, _] = run_gang(train, tmp_path / "two", texts, base, config)
    alone = {**config, "strategy": "ddp", "batch_size": 4}
    one = start(tmp_path / "one", texts, base, alone)
    one.go()
    expected = one.tracker.series("train/loss")
    assert [step for step, _ in two] == [step for step, _ in expected]
    assert [loss for _, loss in two] == pytest.approx([loss for _, loss in expected], rel=1e-3)
    transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "two/weights")


def test_examples_without_an_answer_in_the_context_are_left_out_and_counted(
    tmp_path: Path,
) -> None:
    data = tmp_path / "pairs.jsonl"
    pairs = [{"prompt": "x" * (60 if n == 3 else 2), "completion": "yes"} for n in range(8)]
    data.write_text("\n".join(json.dumps(pair) for pair in pairs))
    task = start(tmp_path / "run", data, make_model(tmp_path / "base"), {"context": 32}).task
    assert task.derived["left_out"].startswith("1 of 8 examples have no answer within 32 tokens")
    assert task.sizes.train + task.sizes.validation == 7
