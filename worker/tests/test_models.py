"""The networks: shapes they take, schedules, optimiser groups."""

from __future__ import annotations

import pytest
import torch

from spotter_worker.models.vision import Architecture, build_model, count_parameters
from spotter_worker.optimizers import build_optimizer
from spotter_worker.recipe_configs import VisionConfig
from spotter_worker.schedule import Schedule


@pytest.mark.parametrize("name", ["cnn", "resnet18"])
@pytest.mark.parametrize(("size", "channels"), [(8, 1), (9, 3), (28, 1), (64, 3), (130, 3)])
def test_pictures_of_every_size_pass_through(name: str, size: int, channels: int) -> None:
    model = build_model(Architecture(name, 8, 0.1, channels, size, 5))
    assert model(torch.rand(2, channels, size, size)).shape == (2, 5)


def test_the_full_resnet18_has_its_known_size() -> None:
    # As torchvision counts it, with 1,000 classes.
    num_parameters = count_parameters(build_model(Architecture("resnet18", 64, 0.0, 3, 224, 1000)))
    assert num_parameters == 11_689_512


def test_biases_and_norms_are_not_decayed() -> None:
    model = build_model(Architecture("cnn", 8, 0.0, 1, 8, 3))
    optimizer = build_optimizer(VisionConfig.parse({"weight_decay": 0.5}), model)
    decayed, free = optimizer.param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.5, 0.0)
    assert all(parameter.dim() > 1 for parameter in decayed["params"])
    assert len(decayed["params"]) + len(free["params"]) == len(list(model.parameters()))


def rates(kind: str, warmup: int = 0) -> list[float]:
    schedule = Schedule(kind, 1.0, 100, warmup, 30, 0.1)
    return [schedule.learning_rate(step) for step in range(1, 101)]


def test_warm_up_rises_to_the_peak() -> None:
    assert rates("constant", warmup=10)[:11] == pytest.approx([n / 10 for n in range(1, 11)] + [1])


def test_cosine_falls_smoothly_to_almost_nothing() -> None:
    values = rates("cosine", warmup=10)
    assert values[10] == 1.0
    assert values[55] == pytest.approx(0.5)
    assert values == sorted(values[:10]) + sorted(values[10:], reverse=True)
    assert values[-1] < 0.001


def test_step_falls_by_its_factor_every_so_often() -> None:
    values = rates("step")
    assert [values[29], values[30], values[60]] == pytest.approx([1, 0.1, 0.01])
