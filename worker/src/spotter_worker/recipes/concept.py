"""Owns the `concept` recipe: answers to questions about images, by an image encoder, a text encoder and their fusion."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from ..asked import Asked
from ..classification import class_answer
from ..data.batches import Normalization, measure_normalization
from ..data.concept import (
    NO_ANSWER,
    NON_RELATIONAL,
    RELATIONAL,
    QuestionBatch,
    QuestionData,
    QuestionEvalBatches,
    QuestionMaker,
    QuestionSplit,
    QuestionTrainBatches,
    count_questions,
    split_questions,
)
from ..data.concept_text import UNKNOWN, build_vocabulary, encode
from ..data.image_folder import decode_image
from ..data.question_folder import load_question_folder
from ..data.sort_of_clevr import generate
from ..device import choose_device
from ..models.concept import ConceptArchitecture, ConceptModel
from ..preflight.samples import image_sample
from ..recipe_configs import ConceptConfig
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
)
from ..weights import SavedWeights

EVAL_BATCH_SIZE = 64
BUILTIN = "sort-of-clevr"
WIDTH_STEP = 32
MAX_SHOWN_QUESTIONS = 4


class ConceptTask(Task):
    config: ConceptConfig

    def __init__(self, config: ConceptConfig, places: Places) -> None:
        if config.width % WIDTH_STEP:
            raise ValueError(
                f"config.width is {config.width}; it must be a multiple of {WIDTH_STEP}"
            )
        self.config = config
        self.device, device_reason = choose_device(config.device)
        data = load_data(config, places)
        split = split_data(config, data)
        self.sizes = Sizes(
            train=count_questions(data, split.train),
            validation=count_questions(data, split.validation),
            test=count_questions(data, split.test),
        )
        self.classes = data.classes
        self.normalization = measure_normalization(data.store, data.image[split.train])
        asked = torch.unique(data.question[split.train][data.answer[split.train] != NO_ANSWER])
        self.vocabulary = build_vocabulary(data.texts[number] for number in asked.tolist())
        self.architecture = ConceptArchitecture(
            config.fusion,
            config.width,
            config.num_layers,
            config.dropout,
            data.store.num_channels,
            data.store.size,
            len(self.vocabulary),
            len(data.classes),
        )
        torch.manual_seed(config.seed)
        self.model = ConceptModel(self.architecture).to(
            self.device, memory_format=torch.channels_last
        )  # type: ignore[call-overload]
        self.model_name = config.fusion
        tokens = encode(data.texts, self.vocabulary)
        maker = QuestionMaker(data, tokens, self.normalization, self.device)
        self.train_batches = QuestionTrainBatches(
            maker, split.train, config.batch_size, config.seed, config.data_workers > 0
        )
        self._data, self._split = data, split
        self.validation = QuestionEvalBatches(
            maker, split.validation, self.sizes.validation, EVAL_BATCH_SIZE
        )
        self.test = QuestionEvalBatches(maker, split.test, self.sizes.test, EVAL_BATCH_SIZE)
        edge = self.architecture.edges[-1]
        self.derived = {
            "device": device_reason,
            "vocabulary": f"{len(self.vocabulary)} words: those of the training questions",
            "grid": f"{edge} × {edge} cells: what {data.store.size} pixels are halved to",
        }

    def train_scores(self, model: nn.Module, batch: QuestionBatch) -> Scores:
        logits = model(batch.images, batch.tokens, batch.asked)
        loss = functional.cross_entropy(
            logits.flatten(0, 1),
            batch.answers.flatten(),
            ignore_index=NO_ANSWER,
            label_smoothing=self.config.label_smoothing,
        )
        right = logits.detach().argmax(-1) == batch.answers
        return Scores(loss, batch.num_questions, {"accuracy": right.sum()})

    def eval_sums(self, model: nn.Module, batch: QuestionBatch) -> EvalSums:
        logits = model(batch.images, batch.tokens, batch.asked)
        loss = functional.cross_entropy(
            logits.flatten(0, 1), batch.answers.flatten(), ignore_index=NO_ANSWER, reduction="sum"
        )
        answered = logits.argmax(-1)
        right = answered == batch.answers
        sums, counts = {"loss": loss, "accuracy": right.sum()}, {}
        for name, kind, count in (
            ("accuracy_relational", RELATIONAL, batch.num_relational),
            ("accuracy_nonrelational", NON_RELATIONAL, batch.num_non_relational),
        ):
            # Questions of one's own may be of no stated kind; then there is no such metric.
            if count > 0:
                sums[name], counts[name] = (right & (batch.kinds == kind)).sum(), count
        predicted = torch.bincount(
            answered[batch.answers != NO_ANSWER], minlength=len(self.classes)
        )
        return EvalSums(batch.num_questions, sums, counts, predicted)

    def count(self, batch: QuestionBatch) -> int:
        return batch.num_questions

    def card(self) -> dict[str, Any]:
        return {
            "architecture": asdict(self.architecture),
            "normalization": asdict(self.normalization),
            "vocabulary": self.vocabulary,
        }

    def preview(self, limit: int) -> list[dict[str, Any]]:
        groups = self._split.train[:limit]
        images = self._data.store.gather(self._data.image[groups]).float() / 255
        return [
            image_sample(image, None, self._questions(group)[:MAX_SHOWN_QUESTIONS])
            for image, group in zip(images, groups.tolist(), strict=True)
        ]

    def examples(self, part: str) -> Iterator[Example]:
        """One for each image with a question: the same question about the same picture is a copy."""
        for chosen in torch.split(self._split.part(part), EVAL_BATCH_SIZE):
            images = self._data.store.gather(self._data.image[chosen])
            for image, group in zip(images, chosen.tolist(), strict=True):
                # Hashed once: a picture has up to twenty questions.
                picture = hashlib.blake2b(image.numpy().tobytes(), digest_size=16).digest()
                for question, answer in zip(
                    self._data.question[group].tolist(),
                    self._data.answer[group].tolist(),
                    strict=True,
                ):
                    if answer != NO_ANSWER:
                        yield Example(picture + self._data.texts[question].encode(), answer)

    def _questions(self, group: int) -> list[tuple[str, str]]:
        pairs = zip(
            self._data.question[group].tolist(), self._data.answer[group].tolist(), strict=True
        )
        return [
            (self._data.texts[question], self.classes[answer])
            for question, answer in pairs
            if answer != NO_ANSWER
        ]


def build_task(config: ConceptConfig, places: Places) -> ConceptTask:
    return ConceptTask(config, places)


def build_model_from(card: dict[str, Any], _folder: Path) -> nn.Module:
    return ConceptModel(ConceptArchitecture(**card["architecture"]))


def load_predictor(saved: SavedWeights, places: Places) -> ConceptPredictor:
    return ConceptPredictor(saved, places)


class ConceptPredictor(Predictor):
    def __init__(self, saved: SavedWeights, places: Places) -> None:
        self._model, self._places = saved.model.eval(), places
        self._architecture = ConceptArchitecture(**saved.card["architecture"])
        self._normalization = Normalization(**saved.card["normalization"])
        self._classes: list[str] = saved.card["classes"]
        self._vocabulary: list[str] = saved.card["vocabulary"]
        self._config = ConceptConfig.parse(saved.card["config"])
        self._data_and_test: tuple[QuestionData, torch.Tensor] | None = None

    @torch.inference_mode()
    def predict(self, given: PredictInput) -> dict[str, Any]:
        if given.sample is not None:
            image, question, truth, name = self._sample(given, given.sample)
        elif given.file is None or not (given.text or "").strip():
            raise ValueError(
                f"{given.name}: this model needs an image file and a question about it"
            )
        else:
            size, num_channels = self._architecture.image_size, self._architecture.num_channels
            image, truth = decode_image(given.file, size, num_channels), None
            question, name = given.text or "", None
        tokens = encode([question], self._vocabulary)
        if not bool((tokens > UNKNOWN).any()):
            raise ValueError(f"{given.name}: none of the words of {question!r} was in the training")
        pixels = image.float().unsqueeze(0) / 255
        asked = torch.zeros(1, 1, dtype=torch.int64)
        logits = self._model(self._normalization.apply(pixels), tokens, asked)
        return class_answer(logits[0, 0], self._classes, truth, Asked(name, question, pixels[0]))

    @torch.inference_mode()
    def test_accuracy(self) -> float | None:
        data, groups = self._test_data()
        num_questions = count_questions(data, groups)
        if num_questions == 0:
            return None
        tokens = encode(data.texts, self._vocabulary)
        maker = QuestionMaker(data, tokens, self._normalization, torch.device("cpu"))
        batches = QuestionEvalBatches(maker, groups, num_questions, EVAL_BATCH_SIZE)
        right = sum(
            int((self._model(one.images, one.tokens, one.asked).argmax(-1) == one.answers).sum())
            for one in batches
        )
        return right / num_questions

    def _sample(
        self, given: PredictInput, number: int
    ) -> tuple[torch.Tensor, str, str, str | None]:
        """Image, question, answer and the image's name, of the test split's question of this number."""
        data, groups = self._test_data()
        places = (data.answer[groups] != NO_ANSWER).nonzero()
        if number >= len(places):
            raise NoSampleError(given, len(places))
        group, place = groups[places[number, 0]], places[number, 1]
        shown = int(data.image[group])
        image = data.store.gather(torch.tensor([shown]))[0]
        question = data.texts[int(data.question[group, place])]
        name = data.name_of(shown) if data.name_of else None
        return image, question, self._classes[int(data.answer[group, place])], name

    def _test_data(self) -> tuple[QuestionData, torch.Tensor]:
        if self._data_and_test is None:
            data = load_data(self._config, self._places)
            self._data_and_test = (data, split_data(self._config, data).test)
        return self._data_and_test


def load_data(config: ConceptConfig, places: Places) -> QuestionData:
    if "builtin" not in config.data:
        return load_question_folder(places["data"], config.image_size, max(4, config.data_workers))
    if config.data["builtin"] != BUILTIN:
        raise ValueError(f"config.data names {config.data['builtin']!r}; it must be {BUILTIN!r}")
    return generate(
        config.num_images, config.image_size, config.num_objects, config.language, config.data_seed
    )


def split_data(config: ConceptConfig, data: QuestionData) -> QuestionSplit:
    return split_questions(
        data, config.validation_fraction, config.test_fraction, config.split_seed
    )
