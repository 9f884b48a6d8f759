"""The compile switch: the same numbers, or a sentence where there is no compiler."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from runs import Run
from torch import nn

from spotter_worker import compiling
from spotter_worker.compiling import COMPILERS, compiled
from spotter_worker.recipe_configs import VisionConfig


def test_without_a_compiler_the_run_does_not_begin(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(compiling.shutil, "which", lambda _name: None)
    with pytest.raises(ValueError, match=r"install g\+\+ or clang\+\+, or switch compile off"):
        Run(tmp_path, {"compile": True})


def test_a_compiled_layer_gives_the_same_losses_and_gradients() -> None:
    if not any(shutil.which(name) for name in COMPILERS):
        # Machines without a compiler have the case above.
        return
    torch.manual_seed(1)
    plain = nn.Linear(4, 2)
    model = compiled(plain, VisionConfig(compile=True))
    inputs = torch.randn(3, 4)
    gradients = []
    for one in (plain, model):
        plain.zero_grad()
        one(inputs).square().mean().backward()
        assert plain.weight.grad is not None
        gradients.append(plain.weight.grad.clone())
    torch.testing.assert_close(*gradients)
