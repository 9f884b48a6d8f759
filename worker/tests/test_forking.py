"""Forks: what is kept is the checkpoint's bit for bit, what is changed is in force, and the log says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from runs import Run

from spotter_worker.checkpoint import read_contents
from spotter_worker.forking import Fork, Kept, NotInForceError, read_fork, same_values
from spotter_worker.optimizers import UNCOMPILED

EVERYTHING = {"optimizer": True, "scheduler": True, "rng": True, "data_position": True}
# All that has a memory or draws random numbers.
VISION: dict[str, Any] = {
    "epochs": 3,
    "dropout": 0.3,
    "augment": "standard",
    "batch_size": 128,
    "checkpoint_every_steps": 7,
    "keep_checkpoints": 20,
    "ema_decay": 0.9,
}
TEXT: dict[str, Any] = {
    "data": {"path": "poem.txt"},
    "layers": 2,
    "width": 32,
    "heads": 2,
    "context": 16,
    "batch_size": 8,
    "epochs": 3,
    "max_steps": 30,
    "warmup_steps": 5,
    "learning_rate": 0.01,
    "dropout": 0.1,
    "eval_every_steps": 10,
    "checkpoint_every_steps": 13,
    "sample_tokens": 0,
}
# In the middle of the second epoch (11 steps each).
STEP = 14


@pytest.fixture
def poem(tmp_path: Path) -> dict[str, Path]:
    file = tmp_path / "poem.txt"
    file.write_text("the cat sat on the mat. " * 300, encoding="utf-8")
    return {"data": file, "cache": tmp_path / "cache"}


@pytest.fixture
def parent(tmp_path: Path) -> Run:
    run = Run(tmp_path / "parent", VISION)
    run.go()
    return run


def fork_of(
    parent: Run,
    folder: Path,
    step: int = STEP,
    keep: dict[str, bool] | None = None,
    changes: dict[str, Any] | None = None,
    classes: list[str] | None = None,
    places: dict[str, Path] | None = None,
) -> Run:
    """A run that begins in a checkpoint of another one's, as a job does."""
    before = parent.task.config.to_json()
    # What another process did before must not matter.
    torch.rand(100)
    run = Run(
        folder, {**before, **(changes or {})}, recipe=parent.task.config.RECIPE, places=places
    )
    changed = {key: {"before": before[key], "after": to} for key, to in (changes or {}).items()}
    checkpoint = parent.run_dir / "checkpoints" / f"step-{step:08d}"
    kept = Kept(**{**EVERYTHING, **(keep or {})})
    known = parent.task.classes if classes is None else classes
    run.loop.fork(Fork(3, step, kept, changed, known, checkpoint))
    return run


def later(run: Run, step: int) -> list[tuple[str, int, float]]:
    return [point for point in run.tracker.numbers() if point[1] > step]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_vision_fork_without_a_change_reproduces_its_parent_from_the_middle_of_an_epoch(
    tmp_path: Path, optimizer: str
) -> None:
    parent = Run(tmp_path / "parent", {**VISION, "optimizer": optimizer})
    parent.go()
    fork = fork_of(parent, tmp_path / "fork")
    assert fork.go().state == "finished"
    assert fork.tracker.numbers() == later(parent, STEP)
    assert fork.weights() == parent.weights()


@pytest.mark.parametrize("batching", ["windows", "packed"])
def test_a_language_models_fork_without_a_change_reproduces_its_parent(
    tmp_path: Path, poem: dict[str, Path], batching: str
) -> None:
    config = {**TEXT, "batching": batching}
    parent = Run(tmp_path / "parent", config, places=poem, recipe="text-lm")
    parent.go()
    fork = fork_of(parent, tmp_path / "fork", 13, places=poem)
    fork.go()
    assert fork.tracker.numbers() == later(parent, 13)
    assert fork.weights() == parent.weights()


def test_a_fork_that_is_resumed_goes_on_as_if_it_had_never_stopped(
    parent: Run, tmp_path: Path
) -> None:
    keep, changes = {"scheduler": False}, {"learning_rate": 0.001}
    whole = fork_of(parent, tmp_path / "whole", keep=keep, changes=changes)
    whole.go()
    first = fork_of(parent, tmp_path / "cut", keep=keep, changes=changes).command_at(18, "stop")
    assert first.go().state == "stopped"
    config = whole.task.config.to_json()
    again = Run(tmp_path / "cut", config, resume_from="checkpoints/step-00000018")
    assert again.resumed is not None
    again.go()
    assert again.tracker.numbers() == later(whole, 18)
    assert again.weights() == whole.weights()


def test_changed_values_are_in_force_and_the_log_says_so(
    parent: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"weight_decay": 0.2, "beta1": 0.8, "learning_rate": 0.001, "dropout": 0.5}
    fork = fork_of(parent, tmp_path / "fork", changes=changes)
    told = capsys.readouterr().out.splitlines()
    groups = fork.loop._optimizer.param_groups
    assert groups[0]["weight_decay"] == 0.2
    assert groups[1]["weight_decay"] == 0.0
    assert all(group["betas"] == (0.8, 0.999) for group in groups)
    assert "fork: of run 3, from its checkpoint of step 14" in told
    assert any(line.startswith("fork: weights: kept, ") for line in told)
    assert any(line.startswith("fork: optimizer: kept, the state of ") for line in told)
    assert "fork: weight_decay 0.01 → 0.2: in force (AdamW's groups)" in told
    assert "fork: beta1 0.9 → 0.8: in force (AdamW's groups)" in told
    assert "fork: learning_rate 0.003 → 0.001: in force (schedule)" in told
    assert "fork: dropout 0.3 → 0.5: in force (layers)" in told
    assert "fork: best so far: begins anew with this fork's own evaluations" in told
    fork.go()
    rates = dict(fork.tracker.series("train/learning_rate"))
    assert min(rates) == STEP + 1
    before = dict(parent.tracker.series("train/learning_rate"))
    assert rates[STEP + 1] == pytest.approx(before[STEP + 1] / 3)


def test_what_is_not_kept_begins_anew(
    parent: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fork = fork_of(parent, tmp_path / "fork", keep=dict.fromkeys(EVERYTHING, False))
    told = capsys.readouterr().out
    assert "fork: optimizer: begins anew" in told
    assert "fork: scheduler: begins anew behind step 14" in told
    assert "fork: rng: begins anew from seed 0" in told
    assert "fork: data position: not kept, epoch 2 begins anew" in told
    assert fork.loop._optimizer.state == {}
    assert (fork.loop.progress.epoch, fork.loop.progress.batch) == (1, 0)
    contents = read_contents(parent.run_dir / "checkpoints/step-00000014")
    assert same_values(contents.model, fork.task.model.state_dict())
    # The epoch is gone through from its beginning: three steps of it twice.
    assert fork.loop.total_steps == parent.loop.total_steps + 3
    fork.go()
    rates = fork.tracker.series("train/learning_rate")
    assert rates[0][0] == STEP + 1
    assert rates[0][1] < rates[4][1]
    assert rates[-1][0] == fork.loop.total_steps


def test_another_batch_size_keeps_the_epochs_that_are_left(parent: Run, tmp_path: Path) -> None:
    changes = {"batch_size": 64}
    fork = fork_of(parent, tmp_path / "fork", keep={"data_position": False}, changes=changes)
    fork.go()
    assert fork.loop.progress.epoch == 3
    assert fork.loop.progress.step == STEP + 2 * fork.loop.steps_per_epoch


def test_another_optimizer_begins_without_the_old_ones_state(parent: Run, tmp_path: Path) -> None:
    changes = {"optimizer": "sgd", "learning_rate": 0.05}
    fork = fork_of(parent, tmp_path / "fork", keep={"optimizer": False}, changes=changes)
    assert fork.go().state == "finished"


def test_averaged_weights_that_begin_with_the_fork_begin_with_the_kept_weights(
    tmp_path: Path,
) -> None:
    parent = Run(tmp_path / "parent", {**VISION, "ema_decay": None})
    parent.go()
    fork = fork_of(parent, tmp_path / "fork", changes={"ema_decay": 0.5})
    averaged = fork.loop._averaged
    assert averaged is not None
    state = fork.task.model.state_dict()
    assert same_values(averaged.state(), {name: state[name] for name in averaged.state()})


def test_a_fork_without_steps_left_says_what_would_give_it_some(
    parent: Run, tmp_path: Path
) -> None:
    last = parent.loop.total_steps
    with pytest.raises(ValueError, match="no steps are left: .* give it more epochs"):
        fork_of(parent, tmp_path / "fork", last)
    longer = fork_of(parent, tmp_path / "longer", last, changes={"epochs": 4})
    longer.go()
    assert longer.loop.progress.step == last + 11


def test_a_torn_checkpoint_another_shape_or_other_classes_are_refused_by_name(
    parent: Run, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="does not fit: .* there and .* here"):
        fork_of(parent, tmp_path / "wide", changes={"width": 12})
    with pytest.raises(ValueError, match="knows the classes cat; this fork's data has 0, 1"):
        fork_of(parent, tmp_path / "cats", classes=["cat"])
    (parent.run_dir / "checkpoints/step-00000014/random.pt").unlink()
    with pytest.raises(ValueError, match=r"run 3 at step 14 cannot be used: random.pt is missing"):
        fork_of(parent, tmp_path / "torn")


def test_a_value_that_is_not_in_force_keeps_the_fork_from_beginning(
    parent: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = UNCOMPILED["adamw"]
    load = kind.load_state_dict

    def freeze(self: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        load(self, state)
        for values in self.state.values():
            values["exp_avg"] = values["exp_avg"] + 1

    monkeypatch.setattr(kind, "load_state_dict", freeze)
    with pytest.raises(NotInForceError, match="optimizer's state differs"):
        fork_of(parent, tmp_path / "fork")


def test_a_spec_names_the_checkpoint_among_the_places(tmp_path: Path) -> None:
    told = {"parent_id": 3, "step": 14, "keep": EVERYTHING, "changed": {}, "classes": []}
    fork = read_fork(told, {"fork_checkpoint": tmp_path})
    assert fork is not None and fork.is_exact and fork.checkpoint == tmp_path
    assert read_fork(None, {}) is None
