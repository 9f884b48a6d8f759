"""The loop: commands at step boundaries, resuming bit for bit, and that watching changes nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from runs import Run

from spotter_worker.loop import AbandonedError

# Later epochs are worse than the third.
TOO_FAST = {"epochs": 4, "learning_rate": 0.8, "schedule": "constant", "optimizer": "sgd"}
# Everything that has a memory or draws random numbers is in it.
DEMANDING = {"epochs": 3, "dropout": 0.3, "augment": "standard", "mirror": True, "batch_size": 128}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_stopping_and_resuming_mid_epoch_equals_never_having_stopped(
    tmp_path: Path, optimizer: str
) -> None:
    config = {**DEMANDING, "optimizer": optimizer, "gradient_clip": 0.5}
    whole = Run(tmp_path / "whole", config)
    whole.go()

    first = Run(tmp_path / "cut", config).command_at(14, "stop")
    assert first.go().state == "stopped"
    # What the process did in between must not matter.
    torch.rand(100)
    second = Run(tmp_path / "cut", config, resume_from="checkpoints/step-00000014")
    assert second.resumed is not None and second.resumed.step == 14
    assert second.go().state == "finished"

    # Stopping tested the weights of that moment: that point is not part of the training.
    before = [point for point in first.tracker.numbers() if not point[0].startswith("test/")]
    assert before + second.tracker.numbers() == whole.tracker.numbers()
    assert second.weights() == whole.weights()


def test_resuming_after_an_epoch_goes_on_with_the_next(tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole", DEMANDING)
    whole.go()
    again = Run(tmp_path / "whole", DEMANDING, resume_from="checkpoints/step-00000022")
    again.go()
    expected = [point for point in whole.tracker.numbers() if point[1] > 22]
    assert again.tracker.numbers() == expected


def test_losses_are_the_same_bits_with_probes_on_and_off(tmp_path: Path) -> None:
    config = {**DEMANDING, "gradient_clip": None}
    watched = Run(tmp_path / "on", config)
    watched.go()
    unwatched = Run(tmp_path / "off", config, probes_enabled=False)
    unwatched.go()
    assert watched.tracker.series("train/gradient_norm")
    assert watched.tracker.series("train/weight_norm")
    assert not unwatched.tracker.series("train/gradient_norm")
    assert watched.tracker.numbers() == unwatched.tracker.numbers()
    assert watched.weights() == unwatched.weights()


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path: Path) -> None:
    numbers = []
    for name, seed in (("first", 5), ("second", 5), ("third", 6)):
        run = Run(tmp_path / name, {"epochs": 1, "seed": seed})
        run.go()
        numbers.append(run.tracker.numbers())
    assert numbers[0] == numbers[1]
    assert numbers[0] != numbers[2]


def test_pause_holds_the_run_until_resume(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1}).command_at(3, "pause", "pause", "checkpoint", "resume")
    assert run.go().state == "finished"
    assert [event["paused"] for event in run.tracker.of("run-paused")] == [True, False]
    acks = [(e["command_id"], e["outcome"], e["step"]) for e in run.tracker.of("command-acked")]
    assert acks == [(1, "done", 3), (2, "refused", 3), (3, "done", 3), (4, "done", 3)]
    phases = [event["phase"] for event in run.tracker.of("run-progress")]
    assert "paused" in phases
    assert (tmp_path / "checkpoints/step-00000003/manifest.json").exists()


def test_stop_while_paused_saves_and_ends(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1}).command_at(2, "pause", "stop")
    assert run.go().state == "stopped"
    assert (tmp_path / "weights/model.safetensors").exists()


def test_a_resume_without_a_pause_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1}).command_at(1, "resume")
    run.go()
    [ack] = run.tracker.of("command-acked")
    assert (ack["outcome"], ack["message"]) == ("refused", "the run is not paused")


def test_an_abandoned_run_leaves_at_the_next_step(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1}).command_at(2, "abandon")
    with pytest.raises(AbandonedError):
        run.go()
    assert run.tracker.series("train/loss")[-1][0] == 2


def test_the_weights_that_are_kept_are_those_of_the_best_epoch(tmp_path: Path) -> None:
    # The learning rate is far too high in the end: later epochs are worse.
    run = Run(tmp_path, TOO_FAST)
    end = run.go()
    best = max(value for _, value in run.tracker.series("val/accuracy"))
    assert end.metrics["val/accuracy"] == best
    [last] = [e for e in run.tracker.of("epoch-completed") if e["epoch"] == 4]
    assert last["best"]["value"] == best
    assert last["best"]["metric"] == "val/accuracy"
    [weights] = [e for e in run.tracker.of("file-saved") if e["kind"] == "weights"]
    assert weights["step"] == last["best"]["step"]
    told = {name for name in end.metrics if name.startswith("val/")}
    assert len(told) > 1
    for name in told:
        assert end.metrics[name] == dict(run.tracker.series(name))[last["best"]["step"]], name
    # What training gave in the same epoch, and not in the last one.
    [best_epoch] = [e for e in run.tracker.of("epoch-completed") if e["step"] == weights["step"]]
    assert best_epoch["step"] < last["step"]
    for name in ("train/loss", "train/accuracy"):
        assert end.metrics[name] == best_epoch["metrics"][name] != last["metrics"][name]
    card = json.loads((tmp_path / "weights" / "model.json").read_text())
    assert card["metrics"] == end.metrics


def test_metrics_of_the_kept_weights_survive_a_resume_also_from_a_checkpoint_that_knew_less(
    tmp_path: Path,
) -> None:
    whole = Run(tmp_path, TOO_FAST)
    end = whole.go()
    best, last = whole.loop.progress.best, f"checkpoints/step-{whole.loop.progress.step:08d}"
    assert best is not None and best["step"] < whole.loop.progress.step
    again = Run(tmp_path, TOO_FAST, resume_from=last)
    assert again.go().metrics == end.metrics

    kept = again.loop.progress.best_metrics
    older = {name: value for name, value in kept.items() if not name.startswith("train/")}
    for known in (older, {}):
        before = Run(tmp_path, TOO_FAST, resume_from=last)
        before.loop.progress.best_metrics = known
        told = before.go().metrics
        assert told.items() <= end.metrics.items()
        assert "train/loss" not in told and told["val/loss"] == best["loss"]


def test_all_metrics_of_the_kept_weights_are_of_one_evaluation(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the quick brown fox jumps over the lazy dog\n" * 60, "utf-8")
    sizes = {"layers": 1, "heads": 2, "width": 16, "context": 16, "batch_size": 4}
    pace = {"max_steps": 12, "eval_every_steps": 3, "learning_rate": 0.5, "schedule": "constant"}
    config = {"data": {"path": "text.txt"}, **sizes, **pace}
    end = Run(tmp_path, config, places={"data": text}, recipe="text-lm").go()
    assert end.metrics["val/perplexity"] == pytest.approx(math.exp(end.metrics["val/loss"]))


def test_a_loss_that_is_not_a_number_is_told_as_such(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        {
            "epochs": 1,
            "learning_rate": 10,
            "optimizer": "sgd",
            "gradient_clip": None,
            "warmup_epochs": 0,
            "momentum": 0.999,
        },
    )
    with torch.no_grad():
        next(run.task.model.parameters()).fill_(float("nan"))
    run.go()
    losses = [value for _, value in run.tracker.series("train/loss")]
    assert any(value != value for value in losses)
    [completed] = run.tracker.of("epoch-completed")
    assert completed["metrics"]["train/loss"] == "NaN"


@pytest.mark.parametrize("data_workers", [0, 2])
def test_a_folder_of_photographs_is_learnt_by_the_resnet(tmp_path: Path, data_workers: int) -> None:
    generator = torch.Generator().manual_seed(1)
    for name, colour in (("rose", (200, 40, 60)), ("leaf", (50, 180, 60))):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(24):
            shift = torch.randint(-40, 40, (3,), generator=generator).tolist()
            shade = tuple(one + other for one, other in zip(colour, shift, strict=True))
            path = tmp_path / "photos" / name / f"{number}.jpg"
            Image.new("RGB", (40, 30), shade).save(path)
    config = {
        "data": {"path": "photos"},
        "model": "resnet18",
        "image_size": 16,
        "epochs": 4,
        "batch_size": 8,
        "mirror": True,
        "data_workers": data_workers,
    }
    run = Run(tmp_path / "run", config, places={"data": tmp_path / "photos"})
    assert run.go().metrics["test/accuracy"] == 1.0
    assert run.task.classes == ["leaf", "rose"]


def test_progress_names_everything_that_the_live_doors_show(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1})
    run.go()
    last = [e for e in run.tracker.of("run-progress") if e["phase"] == "evaluating"][-1]
    assert last["total_epochs"] == 1
    assert last["batch"] == last["batches"] == last["total_steps"]
    assert last["steps_per_s"] > 0
    assert last["eta_s"] == 0
    assert last["lr_schedule"] == "cosine"
