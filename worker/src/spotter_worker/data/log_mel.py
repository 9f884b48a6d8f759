"""Owns the way from samples to log-mel spectra: windows, power spectrum, triangular mel bands, logarithm.

Legend: T moments (frames), M mel bands, F frequencies of the spectrum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

# Quieter than a silent 16-bit recording's noise; keeps the logarithm finite.
FLOOR = 1e-6
MIN_SPECTRUM = 512


@dataclass(frozen=True)
class FrontEnd:
    """Everything that decides what the network hears; saved with the weights."""

    sample_rate: int
    max_seconds: float
    num_mels: int
    window_ms: float
    hop_ms: float

    @property
    def window_size(self) -> int:
        return max(2, round(self.sample_rate * self.window_ms / 1000))

    @property
    def hop_size(self) -> int:
        return max(1, round(self.sample_rate * self.hop_ms / 1000))

    @property
    def spectrum_size(self) -> int:
        # Padded with zeros: finer steps between frequencies, so that low mel bands are not empty.
        return max(MIN_SPECTRUM, 1 << (self.window_size - 1).bit_length())


class LogMel:
    """Turns samples into (T, M) log-mel spectra."""

    def __init__(self, front_end: FrontEnd) -> None:
        self._front_end = front_end
        self._window = torch.hann_window(front_end.window_size)
        self._bank = mel_bank(
            front_end.num_mels, front_end.spectrum_size, front_end.sample_rate
        )  # (F, M)

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        front_end = self._front_end
        # At least one whole window; half a window of silence at both ends, so that every sample counts alike.
        missing = max(0, front_end.window_size - len(samples))
        half = front_end.window_size // 2
        padded = torch.nn.functional.pad(samples, (half, half + missing))
        windows = padded.unfold(0, front_end.window_size, front_end.hop_size)  # (T, window)
        spectrum = torch.fft.rfft(windows * self._window, n=front_end.spectrum_size)
        power = spectrum.real.square() + spectrum.imag.square()  # (T, F)
        spectra: torch.Tensor = (power @ self._bank + FLOOR).log()
        return spectra


def mel_bank(num_mels: int, spectrum_size: int, sample_rate: int) -> torch.Tensor:
    """(F, M): triangles, evenly spaced on the mel scale (O'Shaughnessy's formula), from 20 Hz to half the rate."""
    top = sample_rate / 2
    mels = torch.linspace(_to_mel(20.0), _to_mel(top), num_mels + 2, dtype=torch.float64)
    edges = 700 * (10 ** (mels / 2595) - 1)
    frequencies = torch.linspace(0, top, spectrum_size // 2 + 1, dtype=torch.float64).unsqueeze(1)
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    bank = torch.minimum(rising, falling).clamp(min=0)
    num_empty = int((bank.sum(0) == 0).sum())
    if num_empty:
        raise ValueError(
            f"num_mels {num_mels} is too fine at {sample_rate} Hz: {num_empty} bands would be empty; "
            "take fewer bands or a longer window_ms"
        )
    return bank.float()


def _to_mel(frequency: float) -> float:
    return 2595 * math.log10(1 + frequency / 700)
