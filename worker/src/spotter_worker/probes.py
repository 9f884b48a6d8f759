"""Owns measurements inside a step: norms, updates, dead units, times. Reads, never writes, what the training computes.

Each probe costs something, so each is taken only as often as its measured cost stays under its share of the step time.
What they are for: the rules of diagnosis look at the ratio of the first layer's gradient to the last's, at update to
weight, and at units that never answer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from .dead_units import MAX_LAYERS, UnitWatch

# Shares of the step time; together well under the 1 % that probes and tracker may take.
NORMS_SHARE, LAYERS_SHARE, UNITS_SHARE = 0.001, 0.0003, 0.0005
# Steps between two measurements, at least and at most.
LAYERS_EVERY, UNITS_EVERY, MAX_INTERVAL = 100, 200, 20_000
SMOOTHING = 0.9
# Weights of a tensor that its update is estimated from, and layers that are told of one by one.
MAX_SAMPLE = 4096
# A tensor that began at zero has no size to compare an update with.
MIN_NORM = 1e-3
GIB = 2**30


class Cadence:
    """How long to wait until a probe's cost is again within its share."""

    def __init__(self, share: float, at_least: int = 1, first: int = 1) -> None:
        self._share, self._at_least = share, at_least
        self._steps_left = first

    def is_due(self) -> bool:
        self._steps_left -= 1
        return self._steps_left <= 0

    def paid(self, cost_s: float, step_time_s: float) -> None:
        # Before the first step has ended nothing is known: ask again soon.
        needed = cost_s / (self._share * step_time_s) if step_time_s > 0 else 10
        self._steps_left = max(self._at_least, min(MAX_INTERVAL, math.ceil(needed)))


class Probes:
    def __init__(self, model: nn.Module, enabled: bool = True) -> None:
        self._model, self._enabled = model, enabled
        named = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
        self._parameters: list[torch.Tensor] = [parameter for _, parameter in named]
        # Matrices and kernels; biases and norms follow them.
        self._layers = {_layer_name(name): one for name, one in named if one.dim() > 1}
        self._told = _spread(list(self._layers), MAX_LAYERS)
        self._norms_cadence = Cadence(NORMS_SHARE)
        self._layers_cadence = Cadence(LAYERS_SHARE, LAYERS_EVERY)
        # Waits for the first evaluation, which tells what a look at the activations costs.
        self._units_cadence = Cadence(UNITS_SHARE, UNITS_EVERY, first=MAX_INTERVAL)
        self._step_time_s = 0.0
        self._started = 0.0
        self._before: list[tuple[torch.Tensor, torch.Tensor, float]] | None = None
        self._dead: dict[str, torch.Tensor] = {}

    # -- around the update -------------------------------------------------------------------------

    def before_update(self, with_global: bool) -> dict[str, float]:
        """After the backward pass, before clipping. `with_global`: nobody else takes the norm of all gradients."""
        if not self._enabled:
            return {}
        measured: dict[str, float] = {}
        if self._layers_cadence.is_due():
            measured |= self._by_layer()
        if self._norms_cadence.is_due():
            measured |= self._look_before(with_global)
        return measured

    # Not on the two around it: entering `no_grad` costs more than a step on which nothing is due.
    @torch.no_grad()
    def _look_before(self, with_global: bool) -> dict[str, float]:
        self._started = time.perf_counter()
        measured = self._gradient_norms(with_global)
        self._before = [_sample(parameter) for parameter in self._parameters]
        return measured

    def after_update(self) -> dict[str, float]:
        return {} if self._before is None else self._look_after(self._before)

    @torch.no_grad()
    def _look_after(
        self, before: list[tuple[torch.Tensor, torch.Tensor, float]]
    ) -> dict[str, float]:
        weight_norms = torch.stack(torch._foreach_norm(self._parameters))
        measured = {"train/weight_norm": float(torch.linalg.vector_norm(weight_norms))}
        ratio = _update_ratio(before, weight_norms)
        if ratio is not None:
            measured["train/update_ratio"] = ratio
        self._before = None
        if self._parameters[0].is_cuda:
            measured["train/gpu_memory_peak_gib"] = torch.cuda.max_memory_allocated() / GIB
        self._norms_cadence.paid(time.perf_counter() - self._started, self._step_time_s)
        return measured

    def times(self, step_time_s: float, data_time_s: float) -> dict[str, float]:
        if not self._enabled:
            return {}
        smoothing = SMOOTHING if self._step_time_s else 0.0
        self._step_time_s = smoothing * self._step_time_s + (1 - smoothing) * step_time_s
        return {
            "train/step_time_s": step_time_s,
            "train/data_time_s": data_time_s,
            "train/steps_per_s": 1 / max(self._step_time_s, 1e-9),
        }

    def rate(self, unit: str | None, count: int) -> dict[str, float]:
        """After `times`: how many the model sees a second, smoothed like the steps."""
        if not self._enabled or unit is None:
            return {}
        return {f"train/{unit}_per_s": count / max(self._step_time_s, 1e-9)}

    def _gradient_norms(self, with_global: bool) -> dict[str, float]:
        measured: dict[str, float] = {}
        if with_global:
            gradients = [one.grad for one in self._parameters if one.grad is not None]
            norms = torch.stack(torch._foreach_norm(gradients))
            measured["train/gradient_norm"] = float(torch.linalg.vector_norm(norms))
        layers = list(self._layers.values())
        for place, layer in (("first", layers[:1]), ("last", layers[-1:])):
            for one in layer:
                if one.grad is not None:
                    measured[f"train/gradient_norm/{place}"] = float(
                        torch.linalg.vector_norm(one.grad)
                    )
        return measured

    @torch.no_grad()
    def _by_layer(self) -> dict[str, float]:
        started = time.perf_counter()
        layers = {name: self._layers[name] for name in self._told}
        layers = {name: one for name, one in layers.items() if one.grad is not None}
        measured: dict[str, float] = {}
        if layers:
            weights = torch.stack(torch._foreach_norm(list(layers.values()))).tolist()
            gradients = [one.grad for one in layers.values() if one.grad is not None]
            lengths = torch.stack(torch._foreach_norm(gradients)).tolist()
            for name, weight, gradient in zip(layers, weights, lengths, strict=True):
                measured[f"layers/{name}/weight_norm"] = weight
                measured[f"layers/{name}/gradient_norm"] = gradient
        self._layers_cadence.paid(time.perf_counter() - started, self._step_time_s)
        return measured

    # -- units that never answer -------------------------------------------------------------------

    def units_are_due(self) -> bool:
        return self._enabled and self._units_cadence.is_due()

    @contextmanager
    def watching_units(self) -> Iterator[None]:
        """Around a forward pass of the fixed probe batch, in evaluation mode; `dead_units` tells what was seen."""
        if not self._enabled:
            yield
            return
        watch = UnitWatch(self._model)
        started = time.perf_counter()
        try:
            with watch.watching():
                yield
        finally:
            self._dead = watch.shares
            self._units_cadence.paid(time.perf_counter() - started, self._step_time_s)

    def dead_units(self) -> dict[str, float]:
        """Share of units that answered nothing to the whole batch: the worst layer, and each."""
        shares = {name: float(share) for name, share in self._dead.items()}
        self._dead = {}
        if not shares:
            return {}
        measured = {
            f"layers/{_layer_name(name)}/dead_units": share for name, share in shares.items()
        }
        return {"train/dead_units": max(shares.values()), **measured}


def _sample(parameter: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """A view of some weights, their present values, and how many weights each of them stands for."""
    flat = parameter.detach()
    if flat.is_contiguous():
        flat = flat.view(-1)
    elif flat.dim() == 4 and flat.is_contiguous(memory_format=torch.channels_last):
        # As it lies in memory: a view, where flattening would copy.
        flat = flat.permute(0, 2, 3, 1).view(-1)
    while flat.dim() > 1:
        # An odd layout: its first column must do.
        flat = flat.select(-1, 0)
    stride = max(1, flat.numel() // MAX_SAMPLE)
    view = flat[::stride]
    return view, view.clone(), parameter.numel() / max(1, view.numel())


def _update_ratio(
    before: Sequence[tuple[torch.Tensor, torch.Tensor, float]], norms: torch.Tensor
) -> float | None:
    """Length of the whole update over length of all weights, both over tensors that have a size."""
    moved = torch._foreach_sub([view for view, *_ in before], [old for _, old, _ in before])
    lengths = torch.stack(torch._foreach_norm(moved))
    squares = (
        lengths.double() ** 2 * torch.tensor([each for *_, each in before]).to(lengths.device)
    ).tolist()
    weights = (norms.double() ** 2).tolist()
    counted = [
        (update, weight)
        for update, weight in zip(squares, weights, strict=True)
        if weight >= MIN_NORM**2
    ]
    total = sum(weight for _, weight in counted)
    return math.sqrt(sum(update for update, _ in counted) / total) if total > 0 else None


def gradients_of(model: nn.Module) -> list[torch.Tensor]:
    return [one.grad for one in model.parameters() if one.grad is not None]


def _layer_name(parameter_name: str) -> str:
    return parameter_name.removesuffix(".weight").replace("/", "_") or "model"


def _spread(names: list[str], most: int) -> list[str]:
    """At most so many, evenly over all, the first and the last among them."""
    if len(names) <= most:
        return names
    return [names[round(number * (len(names) - 1) / (most - 1))] for number in range(most)]
