"""Learning on: replay, elastic weights, a teacher, growing heads; what is forgotten is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from runs import Run

OLD, NEW = [str(digit) for digit in range(5)], [str(digit) for digit in range(5, 10)]
FIRST = {"class_subset": OLD, "epochs": 3, "augment": "none"}
SECOND: dict[str, Any] = {
    "class_subset": NEW,
    "init_from": {"path": "old"},
    "old_data": {"builtin": "digits"},
    "old_class_subset": OLD,
    "epochs": 2,
    "augment": "none",
    "best_metric": "val/accuracy_both",
}
TAUGHT = {"distill_from": {"path": "old"}}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    Run(folder, FIRST).go()
    return folder / "weights"


def places(old: Path) -> dict[str, Path]:
    return {"init_from": old, "distill_from": old}


def test_the_head_grows_and_forgetting_is_told(tmp_path: Path, old: Path) -> None:
    run = Run(tmp_path, {**SECOND, **TAUGHT}, places=places(old))
    assert run.task.classes == OLD + NEW
    metrics = run.go().metrics
    before, after = (
        metrics["continual/old_accuracy_before"],
        metrics["continual/old_accuracy_after"],
    )
    assert before > 0.9
    assert after == metrics["test_old/accuracy"] > 0.5
    assert metrics["continual/forgetting"] == pytest.approx(before - after)
    both = (metrics["val/accuracy"] + metrics["val_old/accuracy"]) / 2
    assert metrics["val/accuracy_both"] == pytest.approx(both)
    assert run.tracker.series("val_old/accuracy")[0][0] == 0
    assert run.tracker.series("train/distillation")
    assert "50%" in run.task.derived["replay"]
    # Pre-flight sees what is replayed too.
    assert len(list(run.task.examples("train"))) == run.task.sizes.train


@pytest.mark.parametrize("data_workers", [0, 2])
@pytest.mark.parametrize(
    "more",
    [
        {**TAUGHT, "replay_examples": 50, "mixup": 0.2, "ema_decay": 0.9},
        {"ewc_lambda": 100.0, "replay_share": 0.0},
    ],
    ids=["replay and teacher", "elastic weights"],
)
def test_resuming_in_the_middle_equals_never_having_stopped(
    tmp_path: Path, old: Path, more: dict[str, Any], data_workers: int
) -> None:
    config = {**SECOND, **more, "data_workers": data_workers, "augment": "light", "batch_size": 96}
    whole = Run(tmp_path / "whole", config, places=places(old))
    whole.go()
    at = whole.loop.steps_per_epoch + 2
    first = Run(tmp_path / "cut", config, places=places(old)).command_at(at, "stop")
    first.go()
    second = Run(tmp_path / "cut", config, f"checkpoints/step-{at:08d}", places=places(old))
    end = second.go()
    tested = ("test", "continual/")
    before = [point for point in first.tracker.numbers() if not point[0].startswith(tested)]
    assert before + second.tracker.numbers() == whole.tracker.numbers()
    assert second.weights() == whole.weights()
    assert "continual/forgetting" in end.metrics


def test_probes_change_no_bit_of_it(tmp_path: Path, old: Path) -> None:
    config = {**SECOND, **TAUGHT, "ewc_lambda": 100.0, "max_steps": 6}
    losses = []
    for probes in (True, False):
        run = Run(tmp_path / str(probes), config, probes_enabled=probes, places=places(old))
        run.go()
        losses.append(run.tracker.numbers())
    assert losses[0] == losses[1]


def test_elastic_weights_hold_what_the_old_data_needs(tmp_path: Path, old: Path) -> None:
    free = Run(tmp_path / "free", {**SECOND, "replay_share": 0.0}, places=places(old))
    held = Run(
        tmp_path / "held", {**SECOND, "replay_share": 0.0, "ewc_lambda": 1e4}, places=places(old)
    )
    start = {name: one.detach().clone() for name, one in free.task.model.named_parameters()}
    free.go()
    held.go()
    fisher = {
        name.removeprefix("fisher."): one
        for name, one in held.task.state().tensors.items()
        if name.startswith("fisher.")
    }
    # Rows of classes that the old model did not have are free.
    assert fisher["head.weight"][5:].abs().sum() == 0 < fisher["head.weight"][:5].sum()

    def moved(run: Run) -> float:
        return sum(
            float((fisher[name] * (one.detach() - start[name]).square()).sum())
            for name, one in run.task.model.named_parameters()
        )

    assert moved(held) < moved(free)


def test_a_smaller_student_learns_from_a_teacher(tmp_path: Path, old: Path) -> None:
    config = {"class_subset": OLD, "width": 4, "epochs": 5, "learning_rate": 0.02, **TAUGHT}
    run = Run(tmp_path, config, places={"distill_from": old})
    assert run.task.classes == OLD
    assert run.go().metrics["test/accuracy"] > 0.6
    (_, first), *_, (_, last) = run.tracker.series("train/distillation")
    assert last < first


def test_a_kept_share_of_the_old_data_is_fair_and_chosen_by_seed(tmp_path: Path, old: Path) -> None:
    def labels(seed: int) -> list[int]:
        run = Run(
            tmp_path, {**SECOND, "replay_examples": 23, "seed": seed}, places={"init_from": old}
        )
        seen = [y[-32:] for _, y in run.task.train_batches.epoch(0)]
        assert all(len(y) == 32 and int(y.max()) < 5 for y in seen)
        return sorted(torch.cat(seen).bincount().tolist())

    counts = labels(1)
    assert len(counts) == 5 and counts[-1] <= 2 * counts[0]
    assert labels(1) == counts


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"class_subset": ["7", "seven"]}, "class_subset names 'seven', which is no class"),
        ({"ewc_lambda": 1.0}, "needs init_from and old_data"),
        ({"mutual_students": 2, "init_from": {"path": "old"}}, "do not go with init_from"),
        ({"mutual_students": 2, "mutual_widths": [8]}, "1 widths for 2 students"),
        ({**SECOND, "image_size": 16, "distill_from": {"path": "old"}}, "prepared in another way"),
        ({"class_subset": ["7"]}, "one class, '7'"),
        ({**SECOND, "batch_size": 1}, "needs at least 2"),
        ({"init_from": {"hub": "a/b"}}, "must name one source: model_version, path"),
        ({"distill_from": {"hub": "a/b"}}, "must name one source: model_version, path"),
    ],
)
def test_what_does_not_go_together_is_refused_before_training(
    tmp_path: Path, old: Path, config: dict[str, Any], words: str
) -> None:
    known = {} if "hub" in str(config) else places(old)
    with pytest.raises(ValueError, match=words):
        Run(tmp_path, config, places=known)


def test_a_run_does_not_go_on_with_another_teacher(tmp_path: Path, old: Path) -> None:
    config = {**SECOND, **TAUGHT, "max_steps": 4}
    Run(tmp_path / "run", config, places=places(old)).command_at(2, "stop").go()
    Run(tmp_path / "other", {**FIRST, "max_steps": 1, "epochs": 1}).go()
    changed = {**places(old), "distill_from": tmp_path / "other/weights"}
    with pytest.raises(ValueError, match="teacher's weights have changed"):
        Run(tmp_path / "run", config, "checkpoints/step-00000002", places=changed)


def test_students_learn_together_and_the_best_is_kept(tmp_path: Path) -> None:
    config = {"mutual_students": 3, "mutual_widths": [4, 8, 12], "dropout": 0.3}
    whole = Run(tmp_path / "whole", config)
    metrics = whole.go().metrics
    students = [metrics[f"val/student_{number}/accuracy"] for number in (1, 2, 3)]
    assert len(set(students)) > 1
    card = (tmp_path / "whole/weights/model.json").read_text()
    assert whole.loop.progress.best is not None
    assert '"mutual_students": 3' in card and metrics["test/accuracy"] > 0.6
    at = whole.loop.steps_per_epoch + 3
    first = Run(tmp_path / "cut", config).command_at(at, "stop")
    first.go()
    second = Run(tmp_path / "cut", config, f"checkpoints/step-{at:08d}")
    second.go()
    before = [point for point in first.tracker.numbers() if not point[0].startswith("test")]
    assert before + second.tracker.numbers() == whole.tracker.numbers()
    assert second.weights() == whole.weights()
