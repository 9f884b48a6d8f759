"""Owns the `text-finetune` recipe: a ready causal language model learns from conversations, instructions or texts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..asked import Asked, text_answer
from ..counted import counted
from ..data.answer_batches import NOT_LEARNT, AnswerBatch, EvalRows, pack, train_batches
from ..data.answer_tokens import AnswerTokenizer, Tokens
from ..data.finetune_examples import Examples, load_examples, open_rows
from ..data.labelled_texts import read_utf8
from ..device import choose_device
from ..finetune_base import find_base, find_context, open_base
from ..hub import fetch_model
from ..models.finetuned import (
    ADAPTER_FOLDER,
    FinetunedModel,
    add_adapter,
    empty_model,
    open_model,
    spare_memory,
    write_text,
)
from ..preflight.samples import text_sample
from ..recipe_configs import TextFinetuneConfig
from ..settings import hub_settings
from ..task import (
    EvalSums,
    Example,
    NoSampleError,
    Places,
    PredictInput,
    Predictor,
    Scores,
    Sizes,
    Task,
    TaskState,
)
from ..weights import SavedWeights

PREDICT_TOKENS = 100
# Of a plain text, what a sample begins with.
SAMPLE_START = 16
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TextFinetuneTask(Task):
    config: TextFinetuneConfig
    loads_init_from = True
    length_unit = "tokens"

    def __init__(self, config: TextFinetuneConfig, places: Places) -> None:
        self.config = config
        self.device, device_reason = choose_device(config.device)
        torch.manual_seed(config.seed)
        if config.strategy == "fsdp2" and config.method == "lora":
            raise ValueError("strategy is 'fsdp2', which is for method 'full'; LoRA wants 'ddp'")
        self.derived = {"device": device_reason}
        # The data first: a wrong row is told before gigabytes are read.
        rows = open_rows(config, places["data"])
        self._columns = rows.columns
        base_folder, self._base = find_base(config, places)
        self._context = find_context(config, base_folder, self.derived)
        is_plain = config.template == "plain"
        self._tokenizer = AnswerTokenizer(
            base_folder, self._columns.format, is_plain, self._context
        )
        self._examples = load_examples(config, rows, self._tokenizer, self._context)
        model = open_base(base_folder, self._base_dtype())
        if config.method == "lora":
            model = add_adapter(model, config, self._base["name"])
        if config.gradient_checkpointing:
            spare_memory(model)
        self.model = model.to(self.device)
        self._check_vocabulary(model)
        self._set_batches()
        self.classes = []
        self.model_name = self._base["name"].rsplit("/", 1)[-1] + (
            f" + LoRA {config.lora_rank}" if config.method == "lora" else ""
        )
        self._describe(model)

    def train_scores(self, model: nn.Module, batch: AnswerBatch) -> Scores:
        logits, labels = model(batch).flatten(0, 1), batch.labels[:, batch.columns].flatten()
        loss = functional.cross_entropy(
            logits.float(),
            labels,
            ignore_index=NOT_LEARNT,
            label_smoothing=self.config.label_smoothing,
        )
        return Scores(loss, batch.count)

    def eval_sums(self, model: nn.Module, batch: AnswerBatch) -> EvalSums:
        logits, labels = model(batch).flatten(0, 1), batch.labels[:, batch.columns].flatten()
        loss = functional.cross_entropy(
            logits.float(), labels, ignore_index=NOT_LEARNT, reduction="sum"
        )
        right = (logits.argmax(-1) == labels).sum()
        return EvalSums(batch.count, {"loss": loss, "token_accuracy": right})

    def count(self, batch: AnswerBatch) -> int:
        return batch.count

    def more_metrics(self, means: dict[str, float]) -> dict[str, float]:
        # A diverged loss has no finite perplexity; 1e30 would tell no more.
        return {"perplexity": math.exp(min(means["loss"], 70.0))}

    @property
    def num_parameters(self) -> int:
        """Of the model that the weights make: an adapter that is merged into its base adds none."""
        model = self.model
        assert isinstance(model, FinetunedModel)
        is_merged = self.config.method == "lora" and self.config.merge
        return super().num_parameters - (model.num_adapter_parameters() if is_merged else 0)

    def card(self) -> dict[str, Any]:
        is_adapter = self.config.method == "lora" and not self.config.merge
        return {
            "base": self._base,
            "format": self._columns.format,
            "context": self._context,
            "dtype": str(self._base_dtype()).removeprefix("torch."),
            # True where the weights are LoRA's alone and need the base.
            "is_adapter": is_adapter,
        }

    def state(self) -> TaskState:
        return TaskState(facts={"base": self._base})

    def restore(self, state: TaskState) -> None:
        """A run goes on from the commit that it began with, whatever the Hub calls `main` by now."""
        commit = state.facts.get("base", {}).get("commit")
        if commit in (None, self._base.get("commit")) or self.config.method == "full":
            return
        found = fetch_model(self._base["name"], commit, hub_settings())
        model = self.model
        assert isinstance(model, FinetunedModel)
        model.put_base(open_model(found.folder, self._base_dtype()))
        self._base |= {"commit": found.commit, "folder": str(found.folder)}
        self.derived["init_from"] = f"{self._base['name']} at {found.commit}, as the run began"

    def export_state(self, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        model = self.model
        assert isinstance(model, FinetunedModel)
        if not model.has_adapter:
            return model.published_state(state)
        # The adapter is saved from the model itself, as what is best.
        model.load_state_dict(state)
        return model.merged_state() if self.config.merge else state

    def save_assets(self, folder: Path) -> None:
        model = self.model
        assert isinstance(model, FinetunedModel)
        self._tokenizer.save(folder)
        if model.has_adapter:
            model.save_adapter(folder / ADAPTER_FOLDER)
        if not self.card()["is_adapter"]:
            model.base.config.save_pretrained(folder)
            (folder / "generation_config.json").write_text(
                json.dumps({"eos_token_id": self._tokenizer.ends(), "do_sample": True})
            )

    def sample(self, model: nn.Module) -> str | None:
        if self.config.sample_tokens == 0:
            return None
        assert isinstance(model, FinetunedModel)
        prompt = self._sample_prompt
        if self.config.sample_prompt:
            prompt = self._tokenizer.prompt(self.config.sample_prompt)
        length = self.config.sample_tokens
        answer = _write(model, self._tokenizer, self.config, prompt, length, self._context)
        return f"{self._tokenizer.decode(prompt).strip()}\n=> {answer}"

    # -- for pre-flight ----------------------------------------------------------------------------

    def preview(self, limit: int) -> list[dict[str, Any]]:
        samples = []
        for number in self._examples.parts["train"][:limit]:
            tokens = self._examples.store.tokens(number)
            shown = [self._tokenizer.inner.decode([one]) for one in tokens.ids.tolist()]
            samples.append(
                text_sample(
                    shown, tokens.learnt.tolist(), source=self._examples.origins.name(number)
                )
            )
        return samples

    def examples(self, part: str) -> Iterator[Example]:
        for number in self._examples.parts[part]:
            ids = self._examples.store.tokens(number).ids
            name = " ".join(self._tokenizer.decode(ids[:24].tolist()).split())
            yield Example(ids.tobytes(), None, len(ids), name)

    # -- preparing -----------------------------------------------------------------------------------

    def _set_batches(self) -> None:
        config, store, parts = self.config, self._examples.store, self._examples.parts
        train, packed = parts["train"], config.batching == "packed"
        rows = [[number] for number in train]
        if packed:
            rows = pack(store.lengths(), train, self._context)
            self.derived["batching"] = (
                f"{counted(len(train), 'example')} packed into {counted(len(rows), 'row')}"
            )
        padding = self._padding()
        self.train_batches = train_batches(
            store,
            rows,
            padding,
            packed,
            config.batch_size,
            config.seed,
            self.device,
            prefetch=config.data_workers > 0,
        )
        self.validation, self.test = (
            EvalRows(store, parts[name], padding, config.batch_size, self.device)
            for name in ("validation", "test")
        )
        self.sizes = Sizes(len(train), len(parts["validation"]), len(parts["test"]))
        first = store.tokens(parts["validation"][0])
        self._sample_prompt = _beginning(first, self._columns.format)

    def _check_vocabulary(self, model: FinetunedModel) -> None:
        known = model.base.get_input_embeddings().num_embeddings
        if self._tokenizer.size > known:
            raise ValueError(
                f"the tokenizer has {self._tokenizer.size} tokens, the model only {known}: they do not belong together"
            )

    def _padding(self) -> int:
        inner = self._tokenizer.inner
        return int(inner.pad_token_id if inner.pad_token_id is not None else 0)

    def _base_dtype(self) -> torch.dtype:
        """Weights that do not learn need no more digits than the steps compute with."""
        return DTYPES[self.config.precision if self.config.method == "lora" else "fp32"]

    def _describe(self, model: FinetunedModel) -> None:
        columns, derived, store = self._columns, self.derived, self._examples.store
        if self._examples.num_left_out:
            derived["left_out"] = (
                f"{self._examples.num_left_out} of {self._examples.num_left_out + len(store)} examples have no answer"
                f" within {self._context} tokens"
            )
        derived["format"] = f"{columns.format}: by the columns of the first row"
        if self.config.format != "auto":
            derived["format"] = f"{columns.format}: as the config says"
        if columns.format != "text":
            own = self._tokenizer.has_own_template
            derived["template"] = (
                "plain: prompt and answer one after the other"
                if self.config.template == "plain"
                else "the model's own chat template"
                if own
                else "ours, for the model has none"
            )
        derived["answers"] = (
            f"{store.num_learnt():,} of {int(store.lengths().sum()):,} tokens learn"
        )
        unknown = self.unknown_text = self._tokenizer.unknown
        if unknown.num_unknown:
            derived["unknown_text"] = (
                f"{unknown.num_unknown:,} of {unknown.num_tokens:,} tokens stand for text that this model's tokenizer "
                f"does not know, and that it cannot write: {unknown.named()}"
            )
        if self.config.method == "lora":
            learning, total = model.num_adapter_parameters(), super().num_parameters
            derived["lora"] = f"{learning:,} of {total:,} parameters learn"
        if "commit" in self._base:
            derived["init_from"] = f"{self._base['name']} at {self._base['commit']}"


def build_task(config: TextFinetuneConfig, places: Places) -> TextFinetuneTask:
    return TextFinetuneTask(config, places)


def build_model_from(card: dict[str, Any], folder: Path) -> nn.Module:
    dtype = getattr(torch, card["dtype"])
    if not card["is_adapter"]:
        return empty_model(folder, dtype)
    base = Path(card["base"]["folder"])
    if not base.is_dir():
        raise ValueError(
            f"{folder} holds only an adapter, and its base model is no longer at {base}; put it there again"
        )
    config = TextFinetuneConfig.parse(card["config"])
    return add_adapter(open_base(base, dtype), config, card["base"]["name"])


def load_predictor(saved: SavedWeights, places: Places) -> TextFinetunePredictor:
    return TextFinetunePredictor(saved, places)


class TextFinetunePredictor(Predictor):
    def __init__(self, saved: SavedWeights, places: Places) -> None:
        assert isinstance(saved.model, FinetunedModel)
        self._places = places
        self._examples: Examples | None = None
        self._model = saved.model.eval()
        self._config = TextFinetuneConfig.parse(saved.card["config"])
        self._context = saved.card["context"]
        is_plain = self._config.template == "plain"
        self._format = saved.card["format"]
        self._tokenizer = AnswerTokenizer(saved.folder, self._format, is_plain, self._context)

    def predict(self, given: PredictInput) -> dict[str, Any]:
        if given.sample is not None:
            prompt = self._prompt_of(given, given.sample)
            asked = self._tokenizer.decode(prompt).strip()
        else:
            asked = _text_of(given)
            prompt = self._tokenizer.prompt(asked)
        return text_answer(self._answer(prompt), Asked(text=asked))

    def _answer(self, prompt: list[int]) -> str:
        length = self._config.sample_tokens or PREDICT_TOKENS
        return _write(self._model, self._tokenizer, self._config, prompt, length, self._context)

    def _prompt_of(self, given: PredictInput, sample: int) -> list[int]:
        """Of the run's own test split; where it kept none, of its validation split."""
        if self._examples is None:
            rows = open_rows(self._config, self._places["data"])
            self._examples = load_examples(self._config, rows, self._tokenizer, self._context)
        numbers = self._examples.parts["test"] or self._examples.parts["validation"]
        if sample >= len(numbers):
            raise NoSampleError(given, len(numbers))
        return _beginning(self._examples.store.tokens(numbers[sample]), self._format)


def _text_of(given: PredictInput) -> str:
    text = given.text
    if text is None and given.file is not None:
        text = read_utf8(given.file)
    if text is None or not text.strip():
        raise ValueError(f"{given.name}: this model answers a text; give one")
    return text


def _write(
    model: FinetunedModel,
    tokenizer: AnswerTokenizer,
    config: TextFinetuneConfig,
    prompt: list[int],
    length: int,
    context: int,
) -> str:
    # The end of a long prompt is what an answer follows.
    kept = prompt[-max(1, context - length) :]
    ends = tokenizer.ends()
    padding = tokenizer.inner.pad_token_id
    written = write_text(
        model,
        kept,
        length,
        ends,
        padding if padding is not None else 0,
        config.temperature,
        config.top_k,
        config.seed,
    )
    return tokenizer.decode(written)


def _beginning(tokens: Tokens, kind: str) -> list[int]:
    """What stands before the first answer; of a plain text, its first few tokens."""
    start = int(tokens.learnt.argmax())
    if kind == "text":
        start = min(SAMPLE_START, len(tokens.ids) // 2)
    return [int(number) for number in tokens.ids[: max(1, start)]]
