"""Owns how an answer shows what was asked: the example's name in the data, its text, a small picture of it, its
sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .data.sound_file import encode_wav
from .preflight.samples import encode_png

# Up to here a grey image is sent as numbers, which can be drawn without blur.
MAX_GREY = 32
MAX_PICTURE = 48
MAX_TEXT = 400


@dataclass(frozen=True)
class Asked:
    # In the data: `class/file.png`, `reviews.csv:12`; None where the data knows no names, and for a given input.
    name: str | None = None
    # The text itself, or the question.
    text: str | None = None
    # As the network sees it: (C, H, W), 0–1.
    pixels: torch.Tensor | None = None
    # As the network hears it: (num_samples,), about -1…1, and its rate.
    sound: tuple[torch.Tensor, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """The contract's fields of a Prediction that show what was asked."""
        thumbnail, picture = None, None
        if self.pixels is not None and _is_tiny(self.pixels):
            thumbnail = [[round(value, 3) for value in row] for row in self.pixels[0].tolist()]
        elif self.pixels is not None:
            picture = encode_png(self.pixels, MAX_PICTURE)[0]
        asked = None if self.text is None else _shortened(self.text)
        sound = None if self.sound is None else encode_wav(*self.sound)
        shown = {"thumbnail": thumbnail, "picture": picture, "sound": sound}
        return {"name": self.name, "asked": asked, **shown}


def text_answer(text: str, asked: Asked) -> dict[str, Any]:
    """The contract's Prediction without `input`, from a language model."""
    nothing = dict.fromkeys(("label", "confidence", "truth"))
    return {**nothing, "top": [], "text": text, **asked.to_json()}


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT].rstrip() + "…"


def _is_tiny(pixels: torch.Tensor) -> bool:
    return len(pixels) == 1 and pixels.shape[1] <= MAX_GREY
