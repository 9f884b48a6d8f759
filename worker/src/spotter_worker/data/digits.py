"""Owns the built-in handwritten digits: 1,797 real images of 8×8 that come with scikit-learn."""

from __future__ import annotations

import torch

from .images import LabelledImages, MemoryImages, resize


def load_digits(image_size: int | None) -> LabelledImages:
    # The file itself, not sklearn.datasets: importing that costs a second of every start.
    from .digits_file import read_digits_table

    table = torch.from_numpy(read_digits_table())
    # The scan's grey levels are 0–16.
    pixels = (table[:, :64].float() * (255 / 16)).round().to(torch.uint8)
    images = resize(pixels.reshape(-1, 1, 8, 8), image_size)
    labels = table[:, 64].to(torch.int64)
    return LabelledImages(MemoryImages(images), labels, [str(digit) for digit in range(10)])
