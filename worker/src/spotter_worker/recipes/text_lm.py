"""Owns the `text-lm` recipe: pre-training of Llama- and Qwen2-shaped language models on text."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..data.character_tokenizer import (
    END_ID,
    CharacterTokenizer,
    learn_characters,
    load_characters,
)
from ..data.text_corpus import load_documents
from ..data.token_stream import RowBatches, TokenBatch, WindowBatches, make_stream
from ..device import choose_device
from ..models.decoder import Decoder, DecoderShape, to_hugging_face
from ..models.writing import continue_tokens
from ..recipe_configs import TextLmConfig
from ..task import EvalSums, Places, PredictInput, Predictor, Scores, Sizes, Task
from ..weights import SavedWeights

EVAL_TOKENS = 16_384
PREDICT_TOKENS = 100
NORM_EPSILON = 1e-5


class TextLmTask(Task):
    config: TextLmConfig

    def __init__(self, config: TextLmConfig, places: Places) -> None:
        self.config = config
        self.device, device_reason = choose_device(config.device)
        torch.manual_seed(config.seed)
        documents = load_documents(config.data, places.get("data"), config.text_field)
        # A model that goes on learning keeps its tokens: others would mean nothing to its weights.
        self.tokenizer = (
            learn_characters(documents, config.vocabulary_size)
            if config.init_from is None
            else load_characters(places["init_from"])
        )
        stream = make_stream(documents, self.tokenizer.encode, self.tokenizer.size, END_ID)
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
        self.sizes = Sizes(len(train), len(validation), len(test))
        self.classes = []
        self.shape = _shape(config, self.tokenizer.size)
        self.model = Decoder(self.shape, config.dropout).to(self.device)
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
        self.derived = {"device": device_reason, **_derived(config, self.shape, len(documents))}

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
        return {"shape": asdict(self.shape)}

    def save_assets(self, folder: Path) -> None:
        self.tokenizer.save(folder)
        config = to_hugging_face(self.shape, END_ID)
        (folder / "config.json").write_text(json.dumps(config, indent=2))

    def sample(self, model: nn.Module) -> str | None:
        if self.config.sample_tokens == 0:
            return None
        prompt = self.config.sample_prompt
        length = self.config.sample_tokens
        return prompt + _write(model, self.tokenizer, self.shape, self.config, prompt, length)


def build_task(config: TextLmConfig, places: Places) -> TextLmTask:
    return TextLmTask(config, places)


def build_model_from(card: dict[str, Any], _folder: Path) -> nn.Module:
    return Decoder(DecoderShape(**card["shape"]))


def load_predictor(saved: SavedWeights, _places: Places) -> TextLmPredictor:
    return TextLmPredictor(saved)


class TextLmPredictor(Predictor):
    def __init__(self, saved: SavedWeights) -> None:
        self._model = saved.model.eval()
        self._tokenizer = load_characters(saved.folder)
        self._shape = DecoderShape(**saved.card["shape"])
        self._config = TextLmConfig.parse(saved.card["config"])

    @torch.inference_mode()
    def predict(self, given: PredictInput) -> dict[str, Any]:
        prompt = given.text
        if prompt is None and given.file is not None:
            prompt = given.file.read_text(encoding="utf-8")
        if prompt is None:
            raise ValueError(
                f"{given.name}: this model continues a text; give the text's beginning"
            )
        length = self._config.sample_tokens or PREDICT_TOKENS
        text = _write(self._model, self._tokenizer, self._shape, self._config, prompt, length)
        nothing = dict.fromkeys(("label", "confidence", "truth", "thumbnail"))
        return {**nothing, "top": [], "text": text}


def _write(
    model: nn.Module,
    tokenizer: CharacterTokenizer,
    shape: DecoderShape,
    config: TextLmConfig,
    prompt: str,
    length: int,
) -> str:
    """What the model puts after the prompt; the same each time, by the config's seed."""
    start = [int(number) for number in tokenizer.encode(prompt)] or [END_ID]
    generator = torch.Generator().manual_seed(config.seed)
    assert isinstance(model, Decoder)
    written = continue_tokens(
        model, start, length, shape.context, config.temperature, config.top_k, END_ID, generator
    )
    return tokenizer.decode(written)


def _bounds(config: TextLmConfig, length: int) -> tuple[int, int]:
    """Where the validation part begins, and the test part."""
    first_test = length - int(length * config.test_fraction)
    return first_test - int(length * config.validation_fraction), first_test


def _shape(config: TextLmConfig, vocabulary_size: int) -> DecoderShape:
    if config.width % config.heads:
        raise ValueError(f"width is {config.width}; it must be a multiple of heads, {config.heads}")
    return DecoderShape(
        family=config.shape,
        vocabulary_size=vocabulary_size,
        context=config.context,
        layers=config.layers,
        width=config.width,
        heads=config.heads,
        kv_heads=config.kv_heads or config.heads,
        ffn_width=config.ffn_width or max(16, config.width * 8 // 3 // 16 * 16),
        head_width=config.width // config.heads,
        norm_epsilon=NORM_EPSILON,
        rope_theta=config.rope_theta,
        tie_embeddings=config.tie_embeddings,
    )


def _derived(config: TextLmConfig, shape: DecoderShape, num_documents: int) -> dict[str, str]:
    derived = {
        "vocabulary_size": f"{shape.vocabulary_size}: the tokens found in {num_documents} texts"
    }
    if config.ffn_width is None:
        derived["ffn_width"] = f"{shape.ffn_width}: 8/3 of the width, in steps of 16"
    return derived
