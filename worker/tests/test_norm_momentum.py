"""The averages that a network is judged by follow its weights, also where a training has few steps."""

from __future__ import annotations

from pathlib import Path

import numpy
import torch
from PIL import Image
from runs import Run
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from spotter_worker.data.digits_file import read_digits_table
from spotter_worker.norm_momentum import follow_the_weights

SHORT = {"data": {"path": "x"}, "image_size": 32, "width": 16, "batch_size": 64, "epochs": 6}


def write_digits(folder: Path, num_each: int) -> None:
    """A few hundred real pictures, one folder a class."""
    table = read_digits_table()
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
        rows = table[table[:, 64] == digit][:num_each]
        for number, row in enumerate(rows):
            pixels = (row[:64].reshape(8, 8) * (255 / 16)).round().astype(numpy.uint8)
            Image.fromarray(pixels).resize((32, 32), Image.Resampling.BILINEAR).save(
                folder / str(digit) / f"{number}.png"
            )


def norms(model: nn.Module) -> list[float | None]:
    return [one.momentum for one in model.modules() if isinstance(one, _BatchNorm)]


def test_the_share_of_a_batch_rises_only_where_steps_are_few() -> None:
    shares = {}
    for steps in (1, 20, 40, 100, 5000):
        model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
        said = follow_the_weights(model, steps)
        (shares[steps],) = norms(model)
        assert (said is None) == (shares[steps] == 0.1)
    assert shares == {1: 0.5, 20: 0.5, 40: 0.25, 100: 0.1, 5000: 0.1}
    assert follow_the_weights(nn.Linear(2, 2), 5) is None


def test_a_few_hundred_images_are_judged_by_what_was_learnt(tmp_path: Path) -> None:
    write_digits(tmp_path / "data", 40)
    places = {"data": tmp_path / "data"}
    run = Run(tmp_path / "run", SHORT, places=places)
    assert run.loop.total_steps == 30
    assert run.task.derived["batch_norm_momentum"].startswith("0.33: with 30 steps")
    run.go()
    usual = Run(tmp_path / "usual", SHORT, places=places)
    for module in usual.task.model.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = 0.1
    usual.go()
    # What is learnt is the same; what is said of it is not.
    assert run.tracker.series("train/loss") == usual.tracker.series("train/loss")
    said, said_usually = (
        [value for _, value in one.tracker.series("val/accuracy")] for one in (run, usual)
    )
    assert said[-1] > 0.6
    # Epoch by epoch it lags behind, and the fewer steps were made, the farther.
    assert sum(said) / len(said) > sum(said_usually) / len(said_usually) + 0.1


def test_a_short_run_that_was_cut_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    write_digits(tmp_path / "data", 40)
    places = {"data": tmp_path / "data"}
    whole = Run(tmp_path / "whole", SHORT, places=places)
    whole.go()
    Run(tmp_path / "cut", SHORT, places=places).command_at(13, "stop").go()
    torch.rand(100)
    cut = Run(tmp_path / "cut", SHORT, "checkpoints/step-00000013", places=places)
    assert norms(cut.task.model) == norms(whole.task.model)
    cut.go()
    assert cut.weights() == whole.weights()
    after = [point for point in whole.tracker.numbers() if point[1] > 13]
    assert cut.tracker.numbers() == after
