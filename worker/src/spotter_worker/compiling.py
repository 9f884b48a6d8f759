"""Owns the switches that change how PyTorch computes: `compile` and `deterministic`."""

from __future__ import annotations

import inspect
import shutil
from typing import cast

import torch
from torch import nn

from .recipe_configs import LoopConfig
from .settings import compiler_setting, make_cublas_repeatable

COMPILERS = ("c++", "g++", "clang++")
# An optimiser's methods that PyTorch hides from its compiler, besides `step`.
KEPT_FROM_COMPILER = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


def set_determinism(config: LoopConfig) -> None:
    """Before the first tensor is on the GPU."""
    if config.deterministic:
        make_cublas_repeatable()
        torch.backends.cudnn.benchmark = False
    # Only where it changes something: the call loads PyTorch's whole compiler, more than a second of a start.
    if torch.are_deterministic_algorithms_enabled() != config.deterministic:
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


def uncompiled(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The same optimiser for a run that compiles nothing.

    PyTorch's own loads the compiler (900 modules, a second, 60 MiB) only to tell it to leave its methods alone. This one
    has the methods without that.
    """
    plain = {name: inspect.unwrap(getattr(kind, name)) for name in KEPT_FROM_COMPILER}
    plain["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    return cast(type[torch.optim.Optimizer], type(kind.__name__, (kind,), plain))
