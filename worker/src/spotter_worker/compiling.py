"""Owns the switches that change how PyTorch computes: `compile` and `deterministic`."""

from __future__ import annotations

import shutil
from typing import cast

import torch
from torch import nn

from .recipe_configs import LoopConfig
from .settings import compiler_setting, make_cublas_repeatable

COMPILERS = ("c++", "g++", "clang++")


def set_determinism(config: LoopConfig) -> None:
    """Before the first tensor is on the GPU."""
    if config.deterministic:
        make_cublas_repeatable()
        torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(config.deterministic)


def compiled(model: nn.Module, config: LoopConfig) -> nn.Module:
    """The model as torch.compile makes it, or as it is."""
    if not config.compile:
        return model
    wanted = [name for name in (compiler_setting(), *COMPILERS) if name]
    if not any(shutil.which(name) for name in wanted):
        raise ValueError(
            "compile needs a C++ compiler and this machine has none; install g++ or clang++, or switch compile off"
        )
    return cast(nn.Module, torch.compile(model))
