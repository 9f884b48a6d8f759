"""Owns the `audio` recipe: recordings into classes, by an LSTM or GRU over log-mel spectra."""

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
from ..data.log_mel import FrontEnd, LogMel
from ..data.selection import renumber
from ..data.sounds import (
    BandNormalization,
    JoinedSpectra,
    LabelledSounds,
    SoundBatch,
    SoundEvalBatches,
    Spectra,
    hear,
    load_sounds,
    measure_bands,
    pad_spectra,
)
from ..data.spec_augment import Masks, mask_spectra
from ..data.split import Split, some_of_each
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
from ..models.audio import AudioArchitecture, RecurrentClassifier
from ..preflight.samples import sound_sample
from ..recipe_configs import AudioConfig
from ..task import Example, NoSampleError, Places, PredictInput, Predictor, Sizes, Task
from ..weights import SavedWeights

EVAL_BATCH_SIZE = 128
# Of all recordings in one answer, 1.5 MB: sixteen of three seconds at 16 kHz.
MAX_SOUND_SAMPLES = 768_000


class AudioTask(ClassifierTask):
    config: AudioConfig
    length_unit = "s"

    def __init__(self, config: AudioConfig, places: Places) -> None:
        self.config = config
        self.device, device_reason = choose_device(config.device)
        torch.manual_seed(config.seed)
        past = read_past(config, places)
        data, material = load_material(config, places, past)
        split = material.split
        self.classes = material.classes
        parts = material.parts
        self.sizes = Sizes(len(parts.train), len(parts.validation), len(parts.test))
        self.front_end = data.front_end
        self.normalization = (
            measure_bands(data.spectra, split.train)
            if past.front is None
            else BandNormalization(**past.front.card["normalization"])
        )
        self.weights = class_weights(
            config.class_weights, data.labels[material.trained], len(self.classes)
        )
        self.architecture = AudioArchitecture(
            config.model,
            self.front_end.num_mels,
            config.moments_per_step,
            config.layers,
            config.width,
            config.bidirectional,
            config.dropout,
            len(self.classes),
        )
        self.model = self.network(self.architecture)
        self.model_name = self.architecture.name
        self._data, self._split = data, parts
        self.train_batches = self._train_batches(data, material)
        self.validation = self._eval_batches(split.validation, EVAL_BATCH_SIZE)
        self.test = self._eval_batches(split.test, EVAL_BATCH_SIZE)
        self.derived = _derived(config, data, past.front is not None, device_reason)
        attach_learning(self, past, material, self._eval_batches)

    def _train_batches(
        self, data: LabelledSounds, material: Material
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
            material.split.train,
            config.batch_size,
            config.seed,
            data.spectra.gather,
            make,
            prefetch=config.data_workers > 0,
            replay=material.replay,
        )

    def _eval_batches(self, indices: torch.Tensor, batch_size: int) -> SoundEvalBatches:
        return SoundEvalBatches(self._data, indices, self.normalization, batch_size, self.device)

    def logits(self, model: nn.Module, batch: SoundBatch) -> torch.Tensor:
        spectra, lengths, _ = batch
        logits: torch.Tensor = model(spectra, lengths)
        return logits

    def labels(self, batch: SoundBatch) -> torch.Tensor:
        return batch[2]

    def network(self, architecture: AudioArchitecture) -> nn.Module:
        return RecurrentClassifier(architecture).to(self.device)

    def takes_input_of(self, card: dict[str, Any], _folder: Path) -> bool:
        same_front = FrontEnd(**card["front_end"]) == self.front_end
        return same_front and BandNormalization(**card["normalization"]) == self.normalization

    def card(self) -> dict[str, Any]:
        return {
            "architecture": asdict(self.architecture),
            "front_end": asdict(self.front_end),
            "normalization": asdict(self.normalization),
        }

    def preview(self, limit: int) -> list[dict[str, Any]]:
        labels = self._data.labels
        chosen = some_of_each(labels, self._split.train, limit)
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


def build_task(config: AudioConfig, places: Places) -> Task:
    return together(AudioTask(config, places))


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
        self._sound_left = MAX_SOUND_SAMPLES

    @torch.inference_mode()
    def predict(self, given: PredictInput) -> dict[str, Any]:
        spectrum, truth, asked = self._spectrum(given)
        logits = self._model(*pad_spectra([spectrum], self._normalization))
        return class_answer(logits[0], self._classes, truth, asked)

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

    def _spectrum(self, given: PredictInput) -> tuple[torch.Tensor, str | None, Asked]:
        """(T, M); the recording's true label and itself, where they are known."""
        if given.sample is None:
            if given.file is None:
                raise ValueError(
                    f"{given.name}: this model listens to sounds; give a WAV or FLAC file"
                )
            return hear(given.file, self._front_end, self._log_mel), None, Asked()
        data, indices = self._test_data()
        if given.sample >= len(indices):
            raise NoSampleError(given, len(indices))
        chosen = indices[given.sample : given.sample + 1]
        number = int(chosen[0])
        truth = self._classes[int(data.labels[number])]
        spectrum = data.spectra.gather(chosen)[0]
        return spectrum, truth, Asked(data.spectra.name(number), sound=self._sound(data, number))

    def _sound(self, data: LabelledSounds, number: int) -> tuple[torch.Tensor, int] | None:
        samples = data.spectra.samples(number)
        if len(samples) > self._sound_left:
            return None
        self._sound_left -= len(samples)
        return samples, data.front_end.sample_rate

    def _test_data(self) -> tuple[LabelledSounds, torch.Tensor]:
        if self._data_and_test is None:
            data = load_data(self._config, self._places["data"], self._front_end)
            test = split_data(self._config, data).test
            labels = renumber(data.labels, data.classes, self._classes)
            self._data_and_test = (replace(data, labels=labels, classes=self._classes), test)
        return self._data_and_test


def load_data(
    config: AudioConfig, folder: Path, front_end: FrontEnd | None = None
) -> LabelledSounds:
    """`front_end`: the one that another model of this run was trained with."""

    def make_front_end(usual_rate: int) -> FrontEnd:
        return front_end or FrontEnd(
            config.sample_rate or usual_rate,
            config.max_seconds,
            config.num_mels,
            config.window_ms,
            config.hop_ms,
        )

    return load_sounds(folder, make_front_end, max(2, config.data_workers))


def split_data(config: AudioConfig, data: LabelledSounds) -> Split:
    return _new_source(config, data).split


def load_material(
    config: AudioConfig, places: Places, past: Past
) -> tuple[LabelledSounds, Material]:
    """All recordings that the run knows, their labels by its classes; and which of them are for what."""
    front_end = None if past.front is None else FrontEnd(**past.front.card["front_end"])
    data = load_data(config, places["data"], front_end)
    source = _new_source(config, data)
    if config.old_data is None:
        material = prepare_material(config, past, source, None)
        return replace(data, labels=material.labels, classes=material.classes), material
    old = load_data(config, places["old_data"], data.front_end)
    subset = ("old_class_subset", config.old_class_subset)
    wish = old_split(config, past)
    old_source = make_source(old.labels, old.classes, subset, wish, "old recordings")
    material = prepare_material(config, past, source, old_source)
    assert isinstance(data.spectra, Spectra) and isinstance(old.spectra, Spectra)
    joined = replace(
        data,
        spectra=JoinedSpectra(data.spectra, old.spectra),
        labels=material.labels,
        classes=material.classes,
        num_cut=data.num_cut + old.num_cut,
        is_kept=data.is_kept and old.is_kept,
    )
    return joined, material


def _new_source(config: AudioConfig, data: LabelledSounds) -> Source:
    subset = ("class_subset", config.class_subset)
    return make_source(data.labels, data.classes, subset, split_wish(config), "recordings")


def _derived(
    config: AudioConfig, data: LabelledSounds, is_taken_over: bool, device_reason: str
) -> dict[str, str]:
    derived = {"device": device_reason}
    if config.sample_rate is None or is_taken_over:
        origin = "that of the old model" if is_taken_over else "the rate of most files"
        derived["sample_rate"] = f"{data.front_end.sample_rate} Hz: {origin}"
    origin = "those of the old model" if is_taken_over else "measured on the training part"
    derived["normalization"] = f"mean and spread of every mel band: {origin}"
    if data.num_cut:
        derived["max_seconds"] = f"{data.num_cut} longer recordings are cut to their beginning"
    if not data.is_kept:
        derived["data"] = "decoded batch by batch: the spectra together would not fit in memory"
    return derived
