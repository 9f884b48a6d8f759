"""Owns the `audio` recipe: recordings into classes, by an LSTM or GRU over log-mel spectra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..classification import class_answer, class_loss, class_sums, class_weights, num_right
from ..data.epoch_batches import EpochBatches
from ..data.log_mel import FrontEnd, LogMel
from ..data.sounds import (
    BandNormalization,
    LabelledSounds,
    SoundBatch,
    SoundEvalBatches,
    hear,
    load_sounds,
    measure_bands,
    pad_spectra,
)
from ..data.spec_augment import Masks, mask_spectra
from ..data.split import Split, split_labels
from ..device import choose_device
from ..models.audio import AudioArchitecture, RecurrentClassifier
from ..preflight.samples import sound_sample
from ..recipe_configs import AudioConfig
from ..task import EvalSums, Example, Places, PredictInput, Predictor, Scores, Sizes, Task
from ..weights import SavedWeights

EVAL_BATCH_SIZE = 128


class AudioTask(Task):
    config: AudioConfig
    length_unit = "s"

    def __init__(self, config: AudioConfig, places: Places) -> None:
        self.config = config
        self.device, device_reason = choose_device(config.device)
        torch.manual_seed(config.seed)
        data = load_data(config, places)
        split = split_data(config, data)
        self.classes = data.classes
        self.sizes = Sizes(len(split.train), len(split.validation), len(split.test))
        self.front_end = data.front_end
        self.normalization = measure_bands(data.spectra, split.train)
        self._weights = class_weights(
            config.class_weights, data.labels[split.train], len(data.classes)
        )
        self.architecture = AudioArchitecture(
            config.model,
            config.num_mels,
            config.moments_per_step,
            config.layers,
            config.width,
            config.bidirectional,
            config.dropout,
            len(data.classes),
        )
        self.model = RecurrentClassifier(self.architecture).to(self.device)
        self.model_name = self.architecture.name
        self._data, self._split = data, split
        self.train_batches = self._train_batches(data, split.train)
        self.validation = self._eval_batches(data, split.validation)
        self.test = self._eval_batches(data, split.test)
        self.derived = _derived(config, data, device_reason)

    def _train_batches(
        self, data: LabelledSounds, indices: torch.Tensor
    ) -> EpochBatches[list[torch.Tensor], SoundBatch]:
        config = self.config
        masks = Masks(
            config.time_masks,
            config.time_mask_share,
            config.frequency_masks,
            config.frequency_mask_share,
        )

        def make(
            raw: list[torch.Tensor], chosen: torch.Tensor, generator: torch.Generator
        ) -> SoundBatch:
            spectra, lengths = pad_spectra(raw, self.normalization)
            changed = mask_spectra(spectra.to(self.device), lengths, masks, generator)
            return changed, lengths, data.labels[chosen].to(self.device)

        return EpochBatches(
            indices,
            config.batch_size,
            config.seed,
            data.spectra.gather,
            make,
            prefetch=config.data_workers > 0,
        )

    def _eval_batches(self, data: LabelledSounds, indices: torch.Tensor) -> SoundEvalBatches:
        return SoundEvalBatches(data, indices, self.normalization, EVAL_BATCH_SIZE, self.device)

    def train_scores(self, model: nn.Module, batch: SoundBatch) -> Scores:
        spectra, lengths, labels = batch
        logits = model(spectra, lengths)
        loss = class_loss(logits, labels, self.config.label_smoothing, self._weights)
        return Scores(loss, len(labels), {"accuracy": num_right(logits, labels)})

    def eval_sums(self, model: nn.Module, batch: SoundBatch) -> EvalSums:
        spectra, lengths, labels = batch
        logits = model(spectra, lengths)
        return class_sums(logits, labels, len(self.classes))

    def count(self, batch: SoundBatch) -> int:
        return len(batch[2])

    def card(self) -> dict[str, Any]:
        return {
            "architecture": asdict(self.architecture),
            "front_end": asdict(self.front_end),
            "normalization": asdict(self.normalization),
        }

    def preview(self, limit: int) -> list[dict[str, Any]]:
        chosen, labels = self._split.train[:limit], self._data.labels
        return [
            sound_sample(
                self._data.spectra.samples(index),
                self.front_end.sample_rate,
                spectrum,
                self.classes[int(labels[index])],
            )
            for index, spectrum in zip(
                chosen.tolist(), self._data.spectra.gather(chosen), strict=True
            )
        ]

    def examples(self, part: str) -> Iterator[Example]:
        """Of equal spectra; a recording's length is that of what is used of it."""
        for chosen in torch.split(self._split.part(part), EVAL_BATCH_SIZE):
            spectra = self._data.spectra.gather(chosen)
            for index, spectrum in zip(chosen.tolist(), spectra, strict=True):
                yield Example(
                    spectrum.numpy().tobytes(),
                    int(self._data.labels[index]),
                    len(spectrum) * self.config.hop_ms / 1000,
                    self._data.spectra.name(index),
                )


def build_task(config: AudioConfig, places: Places) -> AudioTask:
    return AudioTask(config, places)


def build_model_from(card: dict[str, Any], _folder: Path) -> nn.Module:
    return RecurrentClassifier(AudioArchitecture(**card["architecture"]))


def load_predictor(saved: SavedWeights, places: Places) -> AudioPredictor:
    return AudioPredictor(saved, places)


class AudioPredictor(Predictor):
    def __init__(self, saved: SavedWeights, places: Places) -> None:
        self._model, self._places = saved.model.eval(), places
        self._front_end = FrontEnd(**saved.card["front_end"])
        self._log_mel = LogMel(self._front_end)
        self._normalization = BandNormalization(**saved.card["normalization"])
        self._classes: list[str] = saved.card["classes"]
        self._config = AudioConfig.parse(saved.card["config"])
        self._data_and_test: tuple[LabelledSounds, torch.Tensor] | None = None

    @torch.inference_mode()
    def predict(self, given: PredictInput) -> dict[str, Any]:
        spectrum, truth = self._spectrum(given)
        logits = self._model(*pad_spectra([spectrum], self._normalization))
        return class_answer(logits[0], self._classes, truth)

    @torch.inference_mode()
    def test_accuracy(self) -> float | None:
        data, indices = self._test_data()
        if len(indices) == 0:
            return None
        batches = SoundEvalBatches(
            data, indices, self._normalization, EVAL_BATCH_SIZE, torch.device("cpu")
        )
        right = sum(int(num_right(self._model(x, lengths), y)) for x, lengths, y in batches)
        return right / len(indices)

    def _spectrum(self, given: PredictInput) -> tuple[torch.Tensor, str | None]:
        """(T, M), and the true label where it is known."""
        if given.sample is None:
            if given.file is None:
                raise ValueError(
                    f"{given.name}: this model listens to sounds; give a WAV or FLAC file"
                )
            return hear(given.file, self._front_end, self._log_mel), None
        data, indices = self._test_data()
        if given.sample >= len(indices):
            raise ValueError(f"{given.name}: the test split has {len(indices)} samples")
        chosen = indices[given.sample : given.sample + 1]
        return data.spectra.gather(chosen)[0], self._classes[int(data.labels[chosen[0]])]

    def _test_data(self) -> tuple[LabelledSounds, torch.Tensor]:
        if self._data_and_test is None:
            data = load_data(self._config, self._places)
            self._data_and_test = (data, split_data(self._config, data).test)
        return self._data_and_test


def load_data(config: AudioConfig, places: Places) -> LabelledSounds:
    def make_front_end(usual_rate: int) -> FrontEnd:
        return FrontEnd(
            config.sample_rate or usual_rate,
            config.max_seconds,
            config.num_mels,
            config.window_ms,
            config.hop_ms,
        )

    return load_sounds(places["data"], make_front_end, max(2, config.data_workers))


def split_data(config: AudioConfig, data: LabelledSounds) -> Split:
    return split_labels(
        data.labels,
        config.validation_fraction,
        config.test_fraction,
        config.split_seed,
        "recordings",
    )


def _derived(config: AudioConfig, data: LabelledSounds, device_reason: str) -> dict[str, str]:
    derived = {"device": device_reason}
    if config.sample_rate is None:
        derived["sample_rate"] = f"{data.front_end.sample_rate} Hz: the rate of most files"
    derived["normalization"] = "mean and spread of every mel band: measured on the training part"
    if data.num_cut:
        derived["max_seconds"] = f"{data.num_cut} longer recordings are cut to their beginning"
    if not data.is_kept:
        derived["data"] = "decoded batch by batch: the spectra together would not fit in memory"
    return derived
