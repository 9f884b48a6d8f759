"""Owns the `text-classify` recipe: texts into classes, by a Transformer encoder trained from scratch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..asked import Asked
from ..classification import class_answer, class_weights, num_right
from ..classifier import ClassifierTask
from ..data.epoch_batches import EpochBatches
from ..data.labelled_texts import LabelledTexts, load_texts, read_utf8
from ..data.selection import renumber
from ..data.split import Split, some_of_each
from ..data.vocabulary import Vocabulary, learn_vocabulary
from ..device import choose_device
from ..learning.attach import attach_learning
from ..learning.material import (
    Material,
    Past,
    Source,
    make_source,
    old_split,
    prepare_material,
    read_past,
    split_wish,
)
from ..learning.mutual import together
from ..models.text_encoder import EncoderArchitecture, TextEncoder
from ..preflight.samples import text_sample
from ..recipe_configs import TextClassifyConfig
from ..task import Example, NoSampleError, Places, PredictInput, Predictor, Sizes, Task
from ..weights import SavedWeights

EVAL_BATCH_SIZE = 128

# (N, T) token numbers with 0 after each text's end, and (N,) int64 labels.
TextBatch = tuple[torch.Tensor, torch.Tensor]


class TextEvalBatches:
    """Texts in their order, unchanged."""

    def __init__(
        self,
        encoded: list[torch.Tensor],
        labels: torch.Tensor,
        indices: torch.Tensor,
        device: torch.device,
        batch_size: int = EVAL_BATCH_SIZE,
    ) -> None:
        self._encoded, self._labels = encoded, labels
        self._indices, self._device = indices, device
        self._batch_size = batch_size

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[TextBatch]:
        for chosen in torch.split(self._indices, self._batch_size):
            tokens = pad_texts([self._encoded[index] for index in chosen.tolist()])
            yield tokens.to(self._device), self._labels[chosen].to(self._device)


class TextClassifyTask(ClassifierTask):
    config: TextClassifyConfig
    length_unit = "tokens"

    def __init__(self, config: TextClassifyConfig, places: Places) -> None:
        self.config = config
        self.device, device_reason = choose_device(config.device)
        torch.manual_seed(config.seed)
        past = read_past(config, places)
        data, material = load_material(config, places, past)
        split = material.split
        self.classes = material.classes
        parts = material.parts
        self.sizes = Sizes(len(parts.train), len(parts.validation), len(parts.test))
        if past.front is None:
            train_texts = (data.texts[index] for index in split.train.tolist())
            self.vocabulary = learn_vocabulary(train_texts, config.tokens, config.vocabulary_size)
        else:
            self.vocabulary = Vocabulary.load(past.front.folder)
        self.weights = class_weights(
            config.class_weights, data.labels[material.trained], len(self.classes)
        )
        self.architecture = EncoderArchitecture(
            self.vocabulary.size,
            config.max_tokens,
            config.layers,
            config.heads,
            config.width,
            config.dropout,
            len(self.classes),
        )
        self.model = self.network(self.architecture)
        self.model_name = "transformer-encoder"
        encoded = [self.vocabulary.encode(text, config.max_tokens) for text in data.texts]
        self._data, self._split, self._encoded = data, parts, encoded
        self.train_batches = self._train_batches(encoded, data.labels, material)

        def eval_batches(indices: torch.Tensor, batch_size: int) -> TextEvalBatches:
            return TextEvalBatches(encoded, data.labels, indices, self.device, batch_size)

        self.validation = eval_batches(split.validation, EVAL_BATCH_SIZE)
        self.test = eval_batches(split.test, EVAL_BATCH_SIZE)
        origin = "learnt from the training part" if past.front is None else "those of the old model"
        self.derived = {
            "device": device_reason,
            "vocabulary": f"{self.vocabulary.size} tokens: {origin}",
        }
        attach_learning(self, past, material, eval_batches)

    def _train_batches(
        self, encoded: list[torch.Tensor], labels: torch.Tensor, material: Material
    ) -> EpochBatches[torch.Tensor, TextBatch]:
        def read(chosen: torch.Tensor) -> torch.Tensor:
            return pad_texts([encoded[index] for index in chosen.tolist()])

        def make(
            tokens: torch.Tensor, chosen: torch.Tensor, _generator: torch.Generator
        ) -> TextBatch:
            return tokens.to(self.device), labels[chosen].to(self.device)

        config = self.config
        return EpochBatches(
            material.split.train,
            config.batch_size,
            config.seed,
            read,
            make,
            prefetch=config.data_workers > 0,
            replay=material.replay,
        )

    def logits(self, model: nn.Module, batch: TextBatch) -> torch.Tensor:
        logits: torch.Tensor = model(batch[0])
        return logits

    def labels(self, batch: TextBatch) -> torch.Tensor:
        return batch[1]

    def network(self, architecture: EncoderArchitecture) -> nn.Module:
        return TextEncoder(architecture).to(self.device)

    def takes_input_of(self, card: dict[str, Any], folder: Path) -> bool:
        enough = card["architecture"]["max_tokens"] >= self.config.max_tokens
        return enough and Vocabulary.load(folder) == self.vocabulary

    def card(self) -> dict[str, Any]:
        return {"architecture": asdict(self.architecture)}

    def save_assets(self, folder: Path) -> None:
        self.vocabulary.save(folder)

    def preview(self, limit: int) -> list[dict[str, Any]]:
        """Every token is read; the loss is about the class alone."""
        samples = []
        for index in some_of_each(self._data.labels, self._split.train, limit).tolist():
            tokens = self.vocabulary.decode(self._encoded[index])
            label = self.classes[int(self._data.labels[index])]
            samples.append(
                text_sample(tokens, [True] * len(tokens), label, self._data.name_of(index))
            )
        return samples

    def examples(self, part: str) -> Iterator[Example]:
        for index in self._split.part(part).tolist():
            text, label = self._data.texts[index], int(self._data.labels[index])
            name = " ".join(text[:60].split())
            yield Example(text.encode(), label, len(self._encoded[index]), name)


def build_task(config: TextClassifyConfig, places: Places) -> Task:
    return together(TextClassifyTask(config, places))


def build_model_from(card: dict[str, Any], _folder: Path) -> nn.Module:
    return TextEncoder(EncoderArchitecture(**card["architecture"]))


def load_predictor(saved: SavedWeights, places: Places) -> TextPredictor:
    return TextPredictor(saved, places)


class TextPredictor(Predictor):
    def __init__(self, saved: SavedWeights, places: Places) -> None:
        self._model, self._places = saved.model.eval(), places
        self._vocabulary = Vocabulary.load(saved.folder)
        self._classes: list[str] = saved.card["classes"]
        self._config = TextClassifyConfig.parse(saved.card["config"])
        self._data_and_test: tuple[LabelledTexts, torch.Tensor] | None = None

    @torch.inference_mode()
    def predict(self, given: PredictInput) -> dict[str, Any]:
        text, truth, name = self._text(given)
        logits = self._model(self._encode(text).unsqueeze(0))
        return class_answer(logits[0], self._classes, truth, Asked(name, text))

    @torch.inference_mode()
    def test_accuracy(self) -> float | None:
        data, indices = self._test_data()
        if len(indices) == 0:
            return None
        encoded = [self._encode(text) for text in data.texts]
        batches = TextEvalBatches(encoded, data.labels, indices, torch.device("cpu"))
        right = sum(int(num_right(self._model(tokens), labels)) for tokens, labels in batches)
        return right / len(indices)

    def _encode(self, text: str) -> torch.Tensor:
        return self._vocabulary.encode(text, self._config.max_tokens)

    def _text(self, given: PredictInput) -> tuple[str, str | None, str | None]:
        """The text; its true label and its name where they are known."""
        if given.sample is None:
            text = read_utf8(given.file) if given.text is None and given.file else given.text
            if text is None or not text.strip():
                raise ValueError(
                    f"{given.name}: this model reads texts; give a text or a .txt file"
                )
            return text, None, None
        data, indices = self._test_data()
        if given.sample >= len(indices):
            raise NoSampleError(given, len(indices))
        index = int(indices[given.sample])
        truth = self._classes[int(data.labels[index])]
        return data.texts[index], truth, data.name_of(index)

    def _test_data(self) -> tuple[LabelledTexts, torch.Tensor]:
        if self._data_and_test is None:
            data = load_data(self._config, self._places)
            test = split_data(self._config, data).test
            labels = renumber(data.labels, data.classes, self._classes)
            self._data_and_test = (replace(data, labels=labels, classes=self._classes), test)
        return self._data_and_test


def load_data(config: TextClassifyConfig, places: Places) -> LabelledTexts:
    return load_texts(places["data"], config.text_column, config.label_column)


def split_data(config: TextClassifyConfig, data: LabelledTexts) -> Split:
    return _new_source(config, data).split


def load_material(
    config: TextClassifyConfig, places: Places, past: Past
) -> tuple[LabelledTexts, Material]:
    """All texts that the run knows, their labels by its classes; and which of them are for what."""
    new = load_data(config, places)
    source, texts, old_source = _new_source(config, new), new.texts, None
    if config.old_data is not None:
        old = load_texts(places["old_data"], config.text_column, config.label_column)
        subset = ("old_class_subset", config.old_class_subset)
        wish = old_split(config, past)
        old_source = make_source(old.labels, old.classes, subset, wish, "old texts")
        texts = texts + old.texts
    material = prepare_material(config, past, source, old_source)
    return LabelledTexts(texts, material.labels, material.classes, new.name_of), material


def _new_source(config: TextClassifyConfig, data: LabelledTexts) -> Source:
    subset = ("class_subset", config.class_subset)
    return make_source(data.labels, data.classes, subset, split_wish(config), "texts")


def pad_texts(encoded: list[torch.Tensor]) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence(encoded, batch_first=True)
