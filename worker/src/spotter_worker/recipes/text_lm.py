"""Owns the `text-lm` recipe: pre-training of Llama-, Qwen2- and DeepSeek-V3-shaped language models on text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import nn
from torch.nn import functional

from ..asked import Asked, text_answer
from ..counted import counted
from ..data.labelled_texts import read_utf8
from ..data.token_file import Wanted, prepare_tokens
from ..data.token_stream import RowBatches, TokenBatch, WindowBatches
from ..data.tokenizer import END, END_ID, Tokenizer
from ..data.tokenizer_files import load_tokenizer, save_tokenizer
from ..device import choose_device
from ..models.language_model import (
    LanguageModel,
    build_language_model,
    describe_model,
    model_from_card,
)
from ..models.writing import continue_tokens
from ..preflight.samples import text_sample
from ..recipe_configs import TextLmConfig
from ..task import EvalSums, Example, Places, PredictInput, Predictor, Scores, Sizes, Task
from ..weights import SavedWeights

EVAL_TOKENS = 16_384
PREDICT_TOKENS = 100
CONFIG_NAME = "config.json"


class TextLmTask(Task):
    config: TextLmConfig
    rate_unit = "tokens"
    length_unit = "tokens"

    def __init__(self, config: TextLmConfig, places: Places) -> None:
        self.config = config
        self.device, device_reason = choose_device(config.device)
        torch.manual_seed(config.seed)
        # A model that goes on learning keeps its tokens: others would mean nothing to its weights.
        prepared = prepare_tokens(
            Wanted(
                config.data,
                places.get("data"),
                config.text_field,
                config.tokenizer,
                config.vocabulary_size,
                places["init_from"] if config.init_from is not None else None,
            ),
            places.get("cache"),
        )
        stream, self.tokenizer = prepared.stream, prepared.tokenizer
        first_validation, first_test = _bounds(config, len(stream))
        train = stream.part(0, first_validation)
        validation = stream.part(first_validation, first_test)
        test = stream.part(first_test, len(stream))
        for name, part in (("training", train), ("validation", validation)):
            if len(part) <= config.context:
                raise ValueError(
                    f"the {name} part has {len(part)} tokens; it needs more than the context, {config.context}:"
                    " give more text or a smaller context"
                )
        self.sizes = Sizes(len(train), len(validation), len(test), unit="tokens")
        self._parts = {"train": train, "validation": validation, "test": test}
        self.classes = []
        model, self._published, derived = build_language_model(config, self.tokenizer.size)
        self.model = model.to(self.device)
        self.model_name = f"{config.shape}-{config.layers}x{config.width}"
        self.train_batches = WindowBatches(
            train,
            config.context,
            config.batch_size,
            config.batching == "packed",
            config.seed,
            self.device,
            prefetch=config.data_workers > 0,
        )
        rows = max(1, EVAL_TOKENS // config.context)
        at_most = config.validation_tokens
        self.validation = RowBatches(validation, config.context, rows, at_most, self.device)
        self.test = RowBatches(test, config.context, rows, at_most, self.device)
        self.derived = {
            "device": device_reason,
            "vocabulary_size": f"{self.tokenizer.size}: {prepared.reason}",
            "data": f"{len(stream):,} tokens in {counted(prepared.num_documents, 'text')}",
            **derived,
        }

    def train_scores(self, model: nn.Module, batch: TokenBatch) -> Scores:
        tokens, following = batch
        logits = model(tokens).flatten(0, 1)
        smoothing = self.config.label_smoothing
        loss = functional.cross_entropy(logits, following.flatten(), label_smoothing=smoothing)
        return Scores(loss, following.numel())

    def eval_sums(self, model: nn.Module, batch: TokenBatch) -> EvalSums:
        tokens, following = batch
        logits = model(tokens).flatten(0, 1)
        loss = functional.cross_entropy(logits, following.flatten(), reduction="sum")
        right = (logits.argmax(-1) == following.flatten()).sum()
        return EvalSums(following.numel(), {"loss": loss, "token_accuracy": right})

    def count(self, batch: TokenBatch) -> int:
        return int(batch[1].numel())

    def more_metrics(self, means: dict[str, float]) -> dict[str, float]:
        # A diverged loss has no finite perplexity; 1e30 would tell no more.
        return {"perplexity": math.exp(min(means["loss"], 70.0))}

    def card(self) -> dict[str, Any]:
        assert isinstance(self.model, LanguageModel)
        return describe_model(self.model)

    def save_assets(self, folder: Path) -> None:
        save_tokenizer(self.tokenizer, folder, self._published["model_type"])
        (folder / CONFIG_NAME).write_text(json.dumps(self._published, indent=2))

    def sample(self, model: nn.Module) -> str | None:
        if self.config.sample_tokens == 0:
            return None
        prompt = self.config.sample_prompt
        length = self.config.sample_tokens
        return prompt + _write(model, self.tokenizer, self.config, prompt, length)

    def preview(self, limit: int) -> list[dict[str, Any]]:
        """Every token but the first is foretold from those before it."""
        tokens, following = next(self.train_batches.epoch(0))
        samples = []
        for first, rest in zip(tokens[:limit, 0].tolist(), following[:limit].tolist(), strict=True):
            shown = [self.tokenizer.decode([number]) or END for number in [first, *rest]]
            samples.append(text_sample(shown, [False, *[True] * len(rest)]))
        return samples

    def examples(self, part: str) -> Iterator[Example]:
        """Documents; of a single one, rows as long as the context."""
        stream = self._parts[part]
        are_documents = len(stream.starts) > 2
        context = self.config.context
        bounds = stream.starts if are_documents else numpy.arange(0, len(stream) + 1, context)
        for first, end in pairwise(bounds.tolist()):
            tokens = stream.tokens[first:end]
            name = " ".join(self.tokenizer.decode(tokens[:16]).split())
            yield Example(tokens.tobytes(), None, len(tokens) if are_documents else None, name)

    def expected_initial_loss(self) -> tuple[float, str]:
        size = self.tokenizer.size
        return math.log(size), f"ln {size}"


def build_task(config: TextLmConfig, places: Places) -> TextLmTask:
    return TextLmTask(config, places)


def build_model_from(card: dict[str, Any], folder: Path) -> nn.Module:
    return model_from_card(card, json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8")))


def load_predictor(saved: SavedWeights, _places: Places) -> TextLmPredictor:
    return TextLmPredictor(saved)


class TextLmPredictor(Predictor):
    def __init__(self, saved: SavedWeights) -> None:
        self._model = saved.model.eval()
        self._tokenizer = load_tokenizer(saved.folder)
        self._config = TextLmConfig.parse(saved.card["config"])

    @torch.inference_mode()
    def predict(self, given: PredictInput) -> dict[str, Any]:
        prompt = given.text
        if prompt is None and given.file is not None:
            prompt = read_utf8(given.file)
        if prompt is None:
            raise ValueError(
                f"{given.name}: this model continues a text; give the text's beginning"
            )
        length = self._config.sample_tokens or PREDICT_TOKENS
        text = _write(self._model, self._tokenizer, self._config, prompt, length)
        return text_answer(text, Asked(text=prompt))


def _write(
    model: nn.Module,
    tokenizer: Tokenizer,
    config: TextLmConfig,
    prompt: str,
    length: int,
) -> str:
    """What the model puts after the prompt; the same each time, by the config's seed."""
    start = [int(number) for number in tokenizer.encode(prompt)] or [END_ID]
    generator = torch.Generator().manual_seed(config.seed)
    assert isinstance(model, LanguageModel)
    written = continue_tokens(
        model, start, length, config.temperature, config.top_k, END_ID, generator
    )
    return tokenizer.decode(written)


def _bounds(config: TextLmConfig, length: int) -> tuple[int, int]:
    """Where the validation part begins, and the test part."""
    first_test = length - int(length * config.test_fraction)
    return first_test - int(length * config.validation_fraction), first_test
