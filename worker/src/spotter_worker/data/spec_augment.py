"""Owns SpecAugment (Park et al. 2019): stretches of time and ranges of bands blanked out at random.

All randomness comes from the given generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Masks:
    time_masks: int
    # Longest mask, as a share of the recording or of the bands.
    time_share: float
    frequency_masks: int
    frequency_share: float


def mask_spectra(
    spectra: torch.Tensor, lengths: torch.Tensor, masks: Masks, generator: torch.Generator
) -> torch.Tensor:
    """(N, T, M) normalised spectra, lengths (N,); what is blanked out becomes 0, the mean of every band."""
    num, longest, num_mels = spectra.shape
    # Drawn in any case and on the CPU: the same on every device.
    time = _covered(num, longest, lengths, masks.time_masks, masks.time_share, generator)
    bands = torch.full((num,), num_mels)
    frequency = _covered(
        num, num_mels, bands, masks.frequency_masks, masks.frequency_share, generator
    )
    blank = time.unsqueeze(2) | frequency.unsqueeze(1)
    return spectra.masked_fill(blank.to(spectra.device), 0.0)


def _covered(
    num: int,
    size: int,
    lengths: torch.Tensor,
    num_masks: int,
    share: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """(num, size) bool: under any of the masks, each somewhere within its own length."""
    draws = torch.rand(num, num_masks, 2, generator=generator)
    whole = lengths.float().unsqueeze(1)
    widths = (draws[:, :, 0] * share * whole).round()
    starts = (draws[:, :, 1] * (whole - widths + 1)).floor()
    position = torch.arange(size).view(1, 1, size)
    inside = (position >= starts.unsqueeze(2)) & (position < (starts + widths).unsqueeze(2))
    return inside.any(1)
