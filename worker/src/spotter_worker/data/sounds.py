"""Owns a folder of recordings as the recipe uses it: spectra by number, held in memory or made when they are needed,
their normalisation, and batches of unequal lengths.

Legend: N examples, T moments, M mel bands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from .class_folder import ClassFiles, find_class_files
from .joined_store import JoinedStore
from .log_mel import FrontEnd, LogMel
from .sound_file import SUFFIXES, SoundFacts, look_at_sound, read_sound

# Above this the recordings stay on disk and every batch is decoded when it is needed.
MEMORY_BYTES = 2 * 1024**3
HIGHEST_DERIVED_RATE = 16_000
# So many recordings give the mean and spread of every band to three digits.
NUM_MEASURED = 2048

# (N, T, M) floats, (N,) lengths on the CPU (packing wants them there), (N,) int64 labels.
SoundBatch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class BandNormalization:
    mean: list[float]
    std: list[float]

    def apply(self, spectra: torch.Tensor) -> torch.Tensor:
        mean = torch.tensor(self.mean, device=spectra.device)
        return (spectra - mean) / torch.tensor(self.std, device=spectra.device)


class Spectra:
    """Log-mel spectra by number, each (T, M)."""

    def __init__(self, paths: Sequence[Path], front_end: FrontEnd, num_threads: int) -> None:
        self._paths, self._front_end = paths, front_end
        self._log_mel = LogMel(front_end)
        self._threads = ThreadPoolExecutor(max(1, num_threads), "decode")
        self._kept: list[torch.Tensor] | None = None

    def __len__(self) -> int:
        return len(self._paths)

    def gather(self, indices: torch.Tensor) -> list[torch.Tensor]:
        if self._kept is not None:
            return [self._kept[index] for index in indices.tolist()]
        return list(self._threads.map(self._read, indices.tolist()))

    def samples(self, index: int) -> torch.Tensor:
        """The recording itself, (num_samples,)."""
        front_end = self._front_end
        return read_sound(self._paths[index], front_end.sample_rate, front_end.max_seconds)

    def name(self, index: int) -> str:
        return "/".join(self._paths[index].parts[-2:])

    def keep_all(self) -> None:
        self._kept = self.gather(torch.arange(len(self._paths)))

    def _read(self, index: int) -> torch.Tensor:
        return hear(self._paths[index], self._front_end, self._log_mel)


class JoinedSpectra(JoinedStore):
    """New recordings, and old ones after them."""

    def __init__(self, new: Spectra, old: Spectra) -> None:
        super().__init__(new, old)
        self._parts = (new, old)

    def samples(self, index: int) -> torch.Tensor:
        new, old = self._parts
        return new.samples(index) if index < len(new) else old.samples(index - len(new))

    def name(self, index: int) -> str:
        new, old = self._parts
        return new.name(index) if index < len(new) else old.name(index - len(new))


@dataclass(frozen=True)
class LabelledSounds:
    spectra: Spectra | JoinedSpectra
    labels: torch.Tensor
    classes: list[str]
    front_end: FrontEnd
    num_cut: int
    # False where all that is in memory would not fit.
    is_kept: bool


def hear(path: Path, front_end: FrontEnd, log_mel: LogMel) -> torch.Tensor:
    return log_mel(read_sound(path, front_end.sample_rate, front_end.max_seconds))


def load_sounds(
    folder: Path,
    make_front_end: Callable[[int], FrontEnd],
    num_threads: int,
    memory_bytes: int = MEMORY_BYTES,
) -> LabelledSounds:
    """`make_front_end` is given the rate that suits the files."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder on this machine")
    files: ClassFiles = find_class_files(folder, SUFFIXES, "WAV or FLAC files")
    with ThreadPoolExecutor(num_threads, "look") as threads:
        facts = list(threads.map(look_at_sound, files.paths))
    front_end = make_front_end(_usual_rate(facts))
    spectra = Spectra(files.paths, front_end, num_threads)
    moments = sum(min(one.seconds, front_end.max_seconds) for one in facts) * 1000
    num_bytes = moments / front_end.hop_ms * front_end.num_mels * 4
    is_kept = num_bytes <= memory_bytes
    if is_kept:
        spectra.keep_all()
    num_cut = sum(one.seconds > front_end.max_seconds for one in facts)
    return LabelledSounds(spectra, files.labels, files.classes, front_end, num_cut, is_kept)


def measure_bands(spectra: Spectra | JoinedSpectra, indices: torch.Tensor) -> BandNormalization:
    num, total, squares = 0, torch.zeros(()), torch.zeros(())
    for chosen in torch.split(indices[:NUM_MEASURED], 64):
        for one in spectra.gather(chosen):
            num += len(one)
            total = total + one.double().sum(0)
            squares = squares + one.double().square().sum(0)
    mean = total / num
    std = (squares / num - mean.square()).clamp(min=0).sqrt().clamp(min=1e-2)
    return BandNormalization(
        [round(value, 5) for value in mean.tolist()], [round(value, 5) for value in std.tolist()]
    )


def pad_spectra(
    spectra: Sequence[torch.Tensor], normalization: BandNormalization
) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, T, M) with zeros (each band's mean) after the end of the shorter ones, and the lengths."""
    lengths = torch.tensor([len(one) for one in spectra])
    padded = torch.nn.utils.rnn.pad_sequence(
        [normalization.apply(one) for one in spectra], batch_first=True
    )
    return padded, lengths


class SoundEvalBatches:
    """Recordings in their order, unchanged."""

    def __init__(
        self,
        data: LabelledSounds,
        indices: torch.Tensor,
        normalization: BandNormalization,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._data, self._indices, self._normalization = data, indices, normalization
        self._batch_size, self._device = batch_size, device

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[SoundBatch]:
        for chosen in torch.split(self._indices, self._batch_size):
            spectra, lengths = pad_spectra(self._data.spectra.gather(chosen), self._normalization)
            yield (
                spectra.to(self._device),
                lengths,
                self._data.labels[chosen].to(self._device),
            )


def _usual_rate(facts: Sequence[SoundFacts]) -> int:
    rates = Counter(one.sample_rate for one in facts)
    # Of equally frequent rates the lower: nothing has to be invented.
    usual = min(rates, key=lambda rate: (-rates[rate], rate))
    return max(4000, min(usual, HIGHEST_DERIVED_RATE))
