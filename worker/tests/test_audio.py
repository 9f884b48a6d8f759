"""The audio recipe: it learns, resumes bit for bit, predicts, and names what is wrong with its data."""

from __future__ import annotations

import base64
import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
import torch
from recipe_checks import check_that_probes_change_nothing, check_that_stopping_changes_nothing
from runs import Run

from spotter_worker.data.log_mel import FrontEnd, LogMel, mel_bank
from spotter_worker.data.sound_file import read_sound
from spotter_worker.data.sounds import load_sounds
from spotter_worker.data.spec_augment import Masks, mask_spectra
from spotter_worker.models.audio import AudioArchitecture, RecurrentClassifier
from spotter_worker.predict import predict
from spotter_worker.recipes import audio

RATE = 8000
TINY: dict[str, Any] = {
    "data": {"path": "sounds"},
    "num_mels": 16,
    "width": 8,
    "layers": 2,
    "epochs": 3,
    "batch_size": 8,
    "learning_rate": 0.02,
    "warmup_epochs": 0.5,
    "checkpoint_every_epochs": 1,
    "validation_fraction": 0.2,
    "test_fraction": 0.2,
}


def tone(pitch: float, seconds: float, rate: int = RATE) -> numpy.ndarray:
    time = numpy.arange(round(seconds * rate)) / rate
    wave: numpy.ndarray = 0.4 * numpy.sin(2 * numpy.pi * pitch * time)
    return wave


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pitches with noise, of unequal lengths, WAV and FLAC; one class rarer."""
    folder = tmp_path_factory.mktemp("data") / "sounds"
    random = numpy.random.default_rng(3)
    for name, pitch, num in (("low", 300, 20), ("middle", 900, 20), ("high", 2500, 10)):
        (folder / name).mkdir(parents=True)
        for number in range(num):
            wave = tone(pitch * random.uniform(0.9, 1.1), random.uniform(0.1, 0.3))
            wave += random.normal(0, 0.05, len(wave))
            suffix = "flac" if number % 5 == 0 else "wav"
            soundfile.write(folder / name / f"{number:02}.{suffix}", wave, RATE)
    return folder


def start(folder: Path, sounds: Path, config: dict[str, Any] | None = None, **more: Any) -> Run:
    return Run(folder, {**TINY, **(config or {})}, places={"data": sounds}, recipe="audio", **more)


@pytest.mark.parametrize("model", ["lstm", "gru"])
def test_pitches_are_learnt_and_the_weights_predict(
    tmp_path: Path, sounds: Path, model: str
) -> None:
    config = {"model": model, "epochs": 8, "class_weights": "balanced"}
    run = start(tmp_path, sounds, config)
    metrics = run.go().metrics
    assert metrics["test/accuracy"] >= 0.8
    soundfile.write(tmp_path / "call.wav", tone(300, 0.2), RATE)
    call = {"name": "call.wav", "file": str(tmp_path / "call.wav"), "text": None, "sample": None}
    sample = {"name": "test:0", "file": None, "text": None, "sample": 0}
    answer = predict(tmp_path / "weights", [call, sample], {"data": sounds})
    assert answer["predictions"][0]["label"] == "low"
    assert answer["predictions"][0]["truth"] is None
    shown = answer["predictions"][1]
    assert shown["truth"] in ("low", "middle", "high")
    assert shown["name"].startswith(f"{shown['truth']}/") and shown["name"].endswith(".wav")
    assert answer["test_accuracy"] == metrics["test/accuracy"]
    # One's own file is at hand already; a sample of the data can be heard.
    assert answer["predictions"][0]["sound"] is None
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(shown["sound"])))
    original, _ = soundfile.read(sounds / shown["name"])
    assert rate == RATE
    assert abs(heard - original[: len(heard)]).max() < 1e-3


def test_an_answer_holds_as_much_sound_as_it_may_and_no_more(
    tmp_path: Path, sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tmp_path, sounds, {"epochs": 1}).go()
    monkeypatch.setattr(audio, "MAX_SOUND_SAMPLES", 1)
    sample = {"name": "test:0", "file": None, "text": None, "sample": 0}
    [shown] = predict(tmp_path / "weights", [sample], {"data": sounds})["predictions"]
    assert shown["sound"] is None
    assert shown["truth"] is not None


@pytest.mark.parametrize("data_workers", [0, 2])
def test_stopping_and_resuming_mid_epoch_equals_never_having_stopped(
    tmp_path: Path, sounds: Path, data_workers: int
) -> None:
    check_that_stopping_changes_nothing(partial(start, sounds=sounds), tmp_path, data_workers, 6)


def test_losses_are_the_same_bits_with_probes_on_and_off(tmp_path: Path, sounds: Path) -> None:
    check_that_probes_change_nothing(partial(start, sounds=sounds), tmp_path)


def test_recordings_on_disk_give_the_same_spectra_as_those_in_memory(sounds: Path) -> None:
    front_end = FrontEnd(RATE, 10, 16, 25, 10)
    kept = load_sounds(sounds, lambda _: front_end, 2)
    lazy = load_sounds(sounds, lambda _: front_end, 2, memory_bytes=1000)
    assert (kept.is_kept, lazy.is_kept) == (True, False)
    chosen = torch.tensor([3, 0, 41])
    for one, other in zip(kept.spectra.gather(chosen), lazy.spectra.gather(chosen), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"]
)
def test_every_usual_sample_format_is_the_same_sound(tmp_path: Path, subtype: str) -> None:
    wave = tone(440, 0.1)
    soundfile.write(tmp_path / "tone.wav", wave, RATE, subtype=subtype)
    error = (read_sound(tmp_path / "tone.wav", RATE, 10).numpy() - wave).__abs__().max()
    assert error < (0.02 if subtype in ("PCM_U8", "ULAW") else 1e-4)


def test_channels_are_averaged_rates_are_met_and_long_recordings_cut(tmp_path: Path) -> None:
    left = tone(440, 0.5, 44_100)
    soundfile.write(tmp_path / "stereo.flac", numpy.stack([left, 0 * left], 1), 44_100)
    samples = read_sound(tmp_path / "stereo.flac", RATE, 0.25)
    assert len(samples) == 2000
    middle = slice(200, 1800)
    assert (samples[middle].numpy() - tone(440, 0.25)[middle] / 2).__abs__().max() < 1e-3


def test_a_tone_is_loudest_in_the_band_that_holds_it() -> None:
    bank = mel_bank(40, 512, RATE)
    assert bank.shape == (257, 40) and bool((bank.sum(0) > 0).all())
    spectra = LogMel(FrontEnd(RATE, 10, 40, 25, 10))(torch.from_numpy(tone(1000, 0.2)).float())
    assert spectra.shape == (21, 40)
    frequencies = torch.linspace(0, RATE / 2, 257)
    centres = (bank * frequencies.unsqueeze(1)).sum(0) / bank.sum(0)
    nearest = int((centres - 1000).abs().argmin())
    assert abs(int(spectra[10].argmax()) - nearest) <= 1
    with pytest.raises(ValueError, match="bands would be empty"):
        mel_bank(256, 512, RATE)


def test_masks_lie_within_each_recording_and_follow_from_the_generator() -> None:
    spectra, lengths = torch.ones(6, 50, 20), torch.tensor([50, 40, 30, 20, 10, 1])
    masks = Masks(2, 0.2, 1, 0.25)
    one, same = (
        mask_spectra(spectra, lengths, masks, torch.Generator().manual_seed(4)) for _ in range(2)
    )
    assert torch.equal(one, same)
    assert 0 < int((one == 0).sum()) < one.numel() / 2
    blank_moments = (one == 0).all(2)
    for row, length in enumerate(lengths.tolist()):
        assert not blank_moments[row, length:].any()
        assert int(blank_moments[row].sum()) <= 0.4 * length + 2
    none = mask_spectra(spectra, lengths, Masks(0, 0.2, 0, 0.2), torch.Generator())
    assert torch.equal(none, spectra)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_padding_changes_nothing(bidirectional: bool) -> None:
    architecture = AudioArchitecture("gru", 8, 3, 2, 5, bidirectional, 0.0, 4)
    model = RecurrentClassifier(architecture).eval()
    short = torch.rand(1, 7, 8)
    padded = torch.cat([short, torch.zeros(1, 20, 8)], 1)
    alone = model(short, torch.tensor([7]))
    beside = model(torch.cat([padded, torch.rand(1, 27, 8)]), torch.tensor([7, 27]))
    assert torch.allclose(alone[0], beside[0], atol=1e-6)


def damaged(folder: Path, name: str, content: bytes) -> Path:
    (folder / "bad").mkdir(parents=True)
    (folder / "good").mkdir()
    for number in range(4):
        soundfile.write(folder / "good" / f"{number}.wav", tone(300, 0.1), RATE)
        soundfile.write(folder / "bad" / f"{number}.wav", tone(900, 0.1), RATE)
    path = folder / "bad" / name
    path.write_bytes(content)
    return path


def test_damaged_files_are_named_before_the_training(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tone.wav", tone(300, 0.1), RATE)
    whole = (tmp_path / "tone.wav").read_bytes()
    cases = {
        "text.wav": b"this is no sound at all",
        "empty.flac": b"",
        "cut.wav": whole[:800],
        "silent.wav": whole[:40] + bytes(4),
    }
    for name, content in cases.items():
        path = damaged(tmp_path / name.split(".")[0], name, content)
        with pytest.raises(ValueError, match=f"{path.name}: not a sound that can be read"):
            start(tmp_path / "run", path.parents[1])
    soundfile.write(tmp_path / "nan.wav", numpy.array([0.1, numpy.nan]), RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match="samples that are no numbers"):
        read_sound(tmp_path / "nan.wav", RATE, 1)


def test_folders_without_classes_are_refused(tmp_path: Path) -> None:
    damaged(tmp_path / "two", "4.txt", b"a note")
    (tmp_path / "two" / "none").mkdir()
    with pytest.raises(ValueError, match="the class 'none' has no WAV or FLAC files"):
        start(tmp_path / "run", tmp_path / "two")
    (tmp_path / "one" / "only").mkdir(parents=True)
    soundfile.write(tmp_path / "one" / "only" / "1.wav", tone(300, 0.1), RATE)
    with pytest.raises(ValueError, match="sorting needs at least two"):
        start(tmp_path / "run", tmp_path / "one")
    with pytest.raises(ValueError, match="there is no such folder"):
        start(tmp_path / "run", tmp_path / "absent")
    with pytest.raises(ValueError, match="config.data is missing; it must name one source"):
        Run(tmp_path / "run", {}, recipe="audio")


def test_a_new_sound_is_learnt_beside_the_old_ones(tmp_path: Path, sounds: Path) -> None:
    start(tmp_path / "old", sounds, {"class_subset": ["high", "middle"], "epochs": 8}).go()
    places = {"data": sounds, "old_data": sounds, "init_from": tmp_path / "old/weights"}
    config = {
        **TINY,
        "class_subset": ["low"],
        "old_data": {"path": "sounds"},
        "old_class_subset": ["high", "middle"],
        "init_from": {"path": "old"},
        "replay_examples": 12,
        "ewc_lambda": 1.0,
        "epochs": 8,
    }
    run = Run(tmp_path / "whole", config, places=places, recipe="audio")
    assert run.task.classes == ["high", "middle", "low"]
    metrics = run.go().metrics
    assert metrics["continual/old_accuracy_after"] >= 0.6
    assert metrics["test/accuracy"] >= 0.6
    first = Run(tmp_path / "cut", config, places=places, recipe="audio").command_at(4, "stop")
    first.go()
    checkpoint = "checkpoints/step-00000004"
    second = Run(tmp_path / "cut", config, checkpoint, places=places, recipe="audio")
    second.go()
    assert second.weights() == run.weights()


def test_sounds_are_learnt_by_students_together(tmp_path: Path, sounds: Path) -> None:
    run = start(tmp_path, sounds, {"mutual_students": 2, "mutual_widths": [4, 12], "epochs": 6})
    metrics = run.go().metrics
    students = [metrics[f"val/student_{number}/accuracy"] for number in (1, 2)]
    assert metrics["val/accuracy"] >= max(students) - 0.2
    assert metrics["test/accuracy"] >= 0.5
