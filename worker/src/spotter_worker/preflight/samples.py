"""Owns how an example is shown to a person: a picture as PNG, a sound as envelope and spectrum, a text as tokens.

Each function makes one of the contract's PreflightSample.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import torch

# Larger pictures only make the report heavier.
MAX_EDGE = 128
NUM_ENVELOPE = 400
MAX_MOMENTS, MAX_BANDS = 160, 64
MAX_TOKENS = 160


def image_sample(
    pixels: torch.Tensor, label: str | None, questions: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """`pixels`: (C, H, W), 0–1."""
    png, (width, height) = encode_png(pixels, MAX_EDGE)
    return {
        "kind": "image",
        "label": label,
        "png": png,
        "width": width,
        "height": height,
        "questions": [{"question": asked, "answer": answer} for asked, answer in questions],
    }


def encode_png(pixels: torch.Tensor, max_edge: int) -> tuple[str, tuple[int, int]]:
    """(C, H, W), 0–1, as base64 of a PNG of at most `max_edge`; with its width and height."""
    from PIL import Image

    pixel_bytes = (pixels.detach().float().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    if len(pixel_bytes) == 1:
        image = Image.fromarray(pixel_bytes[0].contiguous().numpy())
    else:
        image = Image.fromarray(pixel_bytes[:3].permute(1, 2, 0).contiguous().numpy())
    if max(image.size) > max_edge:
        image.thumbnail((max_edge, max_edge))
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode(), image.size


def sound_sample(
    samples: torch.Tensor, sample_rate: int, spectrum: torch.Tensor, label: str | None
) -> dict[str, Any]:
    """`samples`: (num_samples,), about -1…1; `spectrum`: (T, M), log-mel."""
    loudness = samples.abs().clamp(max=1.0)
    stretches = loudness.tensor_split(min(NUM_ENVELOPE, max(1, len(loudness))))
    low, high = spectrum.min(), spectrum.max()
    scaled = (spectrum - low) / (high - low).clamp(min=1e-6)
    size = (min(MAX_MOMENTS, scaled.shape[0]), min(MAX_BANDS, scaled.shape[1]))
    small = torch.nn.functional.adaptive_avg_pool2d(scaled[None, None], size)[0, 0]
    return {
        "kind": "sound",
        "label": label,
        "seconds": len(samples) / sample_rate,
        "sample_rate": sample_rate,
        "envelope": [round(float(one.max()), 3) if len(one) else 0.0 for one in stretches],
        "spectrogram": [[round(value, 2) for value in row] for row in small.tolist()],
    }


def text_sample(
    tokens: Sequence[str],
    counted: Sequence[bool],
    label: str | None = None,
    source: str | None = None,
) -> dict[str, Any]:
    """`counted`: which tokens the loss is about; `source`: where it stands in the data, `pairs.jsonl:12`."""
    assert len(tokens) == len(counted)
    return {
        "kind": "text",
        "label": label,
        "source": source,
        "tokens": list(tokens[:MAX_TOKENS]),
        "counted": list(counted[:MAX_TOKENS]),
        "num_more": max(0, len(tokens) - MAX_TOKENS),
    }
