"""The compile switch: the same numbers, or a sentence where there is no compiler."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from runs import Run
from torch import nn

from spotter_worker import compiling
from spotter_worker.compiling import COMPILERS, compiled
from spotter_worker.optimizers import KINDS, build_optimizer
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


@pytest.mark.parametrize("name", sorted(KINDS))
def test_an_optimizer_without_the_compiler_takes_the_same_steps(name: str) -> None:
    torch.manual_seed(1)
    plain = nn.Linear(4, 2)
    models = [plain, copy.deepcopy(plain)]
    wishes = [VisionConfig(optimizer=name, compile=is_compiled) for is_compiled in (True, False)]
    both = [build_optimizer(one, model) for one, model in zip(wishes, models, strict=True)]
    assert isinstance(both[1], KINDS[name])
    for number in range(5):
        inputs = torch.randn(3, 4)
        for model, optimizer in zip(models, both, strict=True):
            optimizer.zero_grad()
            model(inputs).square().mean().backward()
            optimizer.step()
        if number == 2:
            both[1].load_state_dict(copy.deepcopy(both[0].state_dict()))
    assert all(torch.equal(*pair) for pair in zip(*(m.parameters() for m in models), strict=True))
    assert str(both[0].state_dict()) == str(both[1].state_dict())


def test_a_training_that_compiles_nothing_never_loads_the_compiler() -> None:
    program = """
import sys, tempfile
from pathlib import Path
from runs import Run
from spotter_worker.compiling import set_determinism
run = Run(Path(tempfile.mkdtemp()), {"epochs": 1})
set_determinism(run.task.config)
assert run.loop.run().state == "finished"
loaded = [name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in sys.modules]
assert loaded == [], loaded
"""
    subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
