"""Owns random changes to batches of training images; all randomness comes from the given generator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Strength:
    # Largest change to either side.
    shift: float
    rotation_degrees: float
    zoom: float
    brightness: float


STRENGTHS = {
    # Shift is a share of the edge: one pixel of 8, two and a half of 28.
    "light": Strength(shift=0.08, rotation_degrees=10.0, zoom=0.0, brightness=0.0),
    "standard": Strength(shift=0.10, rotation_degrees=15.0, zoom=0.12, brightness=0.15),
}


def augment(
    images: torch.Tensor, kind: str, mirror: bool, generator: torch.Generator
) -> torch.Tensor:
    """(N, C, H, W) floats in 0–1, and the same afterwards."""
    if kind != "none":
        images = _warp(images, STRENGTHS[kind], generator)
    if mirror:
        flipped = torch.rand(len(images), generator=generator).to(images.device) < 0.5
        images = torch.where(flipped.view(-1, 1, 1, 1), images.flip(3), images)
    return images


def _warp(images: torch.Tensor, strength: Strength, generator: torch.Generator) -> torch.Tensor:
    # (N, 5) in -1…1: angle, zoom, shift x, shift y, brightness. Drawn on the CPU: the same on every
    # device.
    draws = torch.rand(len(images), 5, generator=generator) * 2 - 1
    angle = draws[:, 0] * math.radians(strength.rotation_degrees)
    scale = 1 + draws[:, 1] * strength.zoom
    # grid_sample's coordinates run over 2 an edge.
    shift = draws[:, 2:4] * strength.shift * 2
    matrix = torch.empty(len(images), 2, 3)
    matrix[:, 0, 0] = angle.cos() * scale
    matrix[:, 0, 1] = -angle.sin() * scale
    matrix[:, 1, 0] = angle.sin() * scale
    matrix[:, 1, 1] = angle.cos() * scale
    matrix[:, :, 2] = shift
    grid = functional.affine_grid(matrix.to(images.device), list(images.shape), align_corners=False)
    warped = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    if strength.brightness:
        gain = 1 + draws[:, 4].to(images.device) * strength.brightness
        warped = (warped * gain.view(-1, 1, 1, 1)).clamp(0, 1)
    return warped
