"""Live changes: in force from the next step on, kept through a crash bit for bit, and undone bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from gang import run_gang
from runs import Run

from spotter_worker import disk_room
from spotter_worker.commands import Command
from spotter_worker.distributed import Peers
from spotter_worker.live_values import assert_in_force, changeable_names
from spotter_worker.loop import AbandonedError
from spotter_worker.steering import GoesOnLaterError

# Everything that has a memory or draws random numbers is in it; 12 steps an epoch.
DEMANDING = {"epochs": 3, "dropout": 0.3, "augment": "standard", "mirror": True, "batch_size": 128}
CHANGES: list[dict[str, Any]] = [
    {"learning_rate": 1e-4, "weight_decay": 0.2},
    {"beta1": 0.5, "beta2": 0.9, "gradient_clip": None},
    {"gradient_clip": 0.05, "dropout": 0.6, "label_smoothing": 0.2},
    {"batch_size": 50},
    {"epochs": 2},
    {"max_steps": 21, "eval_every_steps": 4},
]


def abandon(run: Run) -> Run:
    """As after `kill -9`: what is on disk is all that is left."""
    with pytest.raises(AbandonedError):
        run.go()
    return run


@pytest.mark.parametrize("values", CHANGES, ids=lambda values: " ".join(values))
def test_a_run_killed_after_a_change_goes_on_as_if_it_had_not_been_killed(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    whole = Run(tmp_path / "whole", DEMANDING).set_at(7, **values)
    whole.go()
    [ack] = whole.tracker.of("command-acked")
    assert (ack["outcome"], ack["step"], ack["change"]["after"]) == ("done", 7, values)

    # Before the next checkpoint: only the journal knows of the change.
    cut = Run(tmp_path / "cut", DEMANDING).set_at(7, **values).command_at(9, "abandon")
    abandon(cut)
    torch.rand(100)
    again = Run(tmp_path / "cut", DEMANDING, resume_from="checkpoints/step-00000007")
    again.go()
    assert again.tracker.numbers() == [p for p in whole.tracker.numbers() if p[1] > 7]
    assert again.weights() == whole.weights()

    # With a checkpoint of after the change.
    later = Run(tmp_path / "later", DEMANDING).set_at(7, **values)
    later.tell_at(10, Command(2, "checkpoint")).tell_at(11, Command(3, "abandon"))
    abandon(later)
    again = Run(tmp_path / "later", DEMANDING, resume_from="checkpoints/step-00000010")
    again.go()
    assert again.tracker.numbers() == [p for p in whole.tracker.numbers() if p[1] > 10]
    assert again.weights() == whole.weights()


def test_a_run_that_has_lost_the_checkpoint_repeats_the_change_at_its_step(tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole", DEMANDING).set_at(15, learning_rate=1e-4)
    whole.go()
    cut = Run(tmp_path / "cut", {**DEMANDING, "checkpoint_every_epochs": 1})
    abandon(cut.set_at(15, learning_rate=1e-4).command_at(17, "abandon"))
    (tmp_path / "cut/checkpoints/step-00000015/manifest.json").unlink()
    again = Run(tmp_path / "cut", DEMANDING, resume_from="checkpoints/step-00000015")
    assert again.resumed is not None
    first = again.resumed.step
    assert 0 < first < 15
    again.go()
    assert again.tracker.numbers() == [p for p in whole.tracker.numbers() if p[1] > first]
    [ack] = again.tracker.of("command-acked")
    assert (ack["outcome"], ack["step"]) == ("done", 15)


def test_reverting_gives_the_run_that_was_never_changed(tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole", DEMANDING)
    whole.go()
    run = Run(tmp_path / "run", DEMANDING).set_at(7, 11, learning_rate=0.5, batch_size=40)
    run.tell_at(9, Command(12, "set", {"dropout": 0.0}))
    run.tell_at(20, Command(13, "revert", checkpoint="checkpoints/step-00000007"))
    with pytest.raises(GoesOnLaterError):
        run.go()
    assert run.tracker.of("command-acked")[-1]["outcome"] == "done"

    again = Run(
        tmp_path / "run",
        DEMANDING,
        resume_from="checkpoints/step-00000007",
        reverted=[11, 12],
    )
    assert sorted(path.name for path in (tmp_path / "run/checkpoints").iterdir()) == [
        "step-00000007"
    ]
    again.go()
    assert again.tracker.numbers() == [p for p in whole.tracker.numbers() if p[1] > 7]
    assert again.weights() == whole.weights()
    assert json.loads((tmp_path / "run/changes.json").read_text()) == []


def test_of_two_changes_the_second_can_be_reverted_alone(tmp_path: Path) -> None:
    one = Run(tmp_path / "one", DEMANDING).set_at(7, 1, learning_rate=1e-3)
    one.go()
    run = Run(tmp_path / "run", DEMANDING).set_at(7, 1, learning_rate=1e-3)
    # The next boundary of the same step: while it is paused.
    run.set_at(9, 2, weight_decay=0.9)
    run.tell_at(12, Command(3, "revert", checkpoint="checkpoints/step-00000009"))
    with pytest.raises(GoesOnLaterError):
        run.go()
    again = Run(tmp_path / "run", DEMANDING, resume_from="checkpoints/step-00000009", reverted=[2])
    again.go()
    assert again.tracker.numbers() == [p for p in one.tracker.numbers() if p[1] > 9]
    assert again.weights() == one.weights()


def test_a_damaged_checkpoint_is_not_gone_back_to_and_the_run_goes_on(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1}).set_at(3, 1, learning_rate=1e-3)

    def damage_and_revert(step: int) -> None:
        if step == 5:
            (tmp_path / "checkpoints/step-00000003/optimizer.pt").unlink()
            run.commands.put(Command(2, "revert", checkpoint="checkpoints/step-00000003"))
        elif step == 3:
            run.commands.put(Command(1, "set", {"learning_rate": 1e-3}))

    run.tracker.after_step = damage_and_revert
    assert run.go().state == "finished"
    ack = run.tracker.of("command-acked")[-1]
    assert ack["outcome"] == "refused"
    assert "optimizer.pt is missing" in ack["message"]


def test_changes_work_while_the_run_is_paused(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1})
    run.tell_at(
        3,
        Command(1, "pause"),
        Command(2, "set", {"learning_rate": 1e-4}),
        Command(3, "set", {"gradient_clip": 0.5}),
        Command(4, "resume"),
    )
    assert run.go().state == "finished"
    assert [(e["outcome"], e["step"]) for e in run.tracker.of("command-acked")] == [("done", 3)] * 4
    assert dict(run.tracker.series("train/learning_rate"))[4] <= 1e-4


@pytest.mark.parametrize(
    ("config", "values", "words"),
    [
        ({}, {"learning_rate": 11}, "config.learning_rate is 11; it must be between 0 and 10"),
        ({}, {"learning_rate": float("nan")}, "must be between 0 and 10"),
        ({}, {"momentum": 0.5}, "adamw has no momentum; what can be changed: learning_rate"),
        ({"optimizer": "sgd"}, {"beta1": 0.5}, "sgd has no beta1"),
        ({}, {"width": 64}, "'width' cannot be changed while this run trains"),
        ({}, {"epochs": 1, "max_steps": 4}, "under these values it has 4"),
        ({}, {"dropout": 0.1}, "nothing would change: dropout is 0.1 already"),
        ({"schedule": "step"}, {"batch_size": 64}, "which another batch size would move"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    tmp_path: Path, config: dict[str, Any], values: dict[str, Any], words: str
) -> None:
    base = {"epochs": 2, "dropout": 0.1, **config}
    untouched = Run(tmp_path / "untouched", base)
    untouched.go()
    run = Run(tmp_path / "run", base).set_at(4, **values)
    run.go()
    [ack] = run.tracker.of("command-acked")
    assert ack["outcome"] == "refused"
    assert words in ack["message"]
    assert not (tmp_path / "run/checkpoints/step-00000004").exists()
    assert run.tracker.numbers() == untouched.tracker.numbers()


def test_without_room_for_the_checkpoint_nothing_is_changed(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    run = Run(tmp_path, {"epochs": 1, "max_steps": 4}).set_at(2, learning_rate=1e-4)
    room = disk_room.RESERVE_BYTES

    def give(step: int) -> None:
        monkeypatch.setattr(disk_room, "RESERVE_BYTES", 2**62 if step == 2 else room)
        if step == 2:
            run.commands.put(Command(1, "set", {"learning_rate": 1e-4}))

    run.tracker.after_step = give
    assert run.go().state == "finished"
    [ack] = run.tracker.of("command-acked")
    assert "no checkpoint could be written first" in ack["message"]
    assert dict(run.tracker.series("train/learning_rate"))[3] > 1e-4


def test_the_values_are_where_the_next_step_reads_them(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1, "optimizer": "sgd", "momentum": 0})
    run.set_at(3, momentum=0.8, weight_decay=0.3, dropout=0.7)
    run.go()
    optimizer, task = run.loop._optimizer, run.task
    assert [(g["momentum"], g["nesterov"], g["weight_decay"]) for g in optimizer.param_groups] == [
        (0.8, True, 0.3),
        (0.8, True, 0.0),
    ]
    assert_in_force(task.config, task, optimizer)
    optimizer.param_groups[0]["weight_decay"] = 0.1
    with pytest.raises(AssertionError, match="weight_decay is 0.1, not 0.3"):
        assert_in_force(task.config, task, optimizer)
    assert "momentum" in changeable_names(task.config, task.model)
    assert "beta1" not in changeable_names(task.config, task.model)


def test_a_changed_batch_size_loses_no_example(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 2, "batch_size": 100, "augment": "none"}).set_at(
        5, batch_size=30
    )
    run.go()
    # 500 of the epoch's examples were seen; the rest, and one whole epoch, come in batches of 30.
    num_train = run.task.sizes.train
    per_epoch = run.task.train_batches.num_batches
    assert per_epoch == -(-num_train // 30)
    assert run.loop.progress.step == 5 + (per_epoch - 500 // 30) + per_epoch


@pytest.mark.parametrize("recipe", ["text-lm", "concept"])
def test_other_recipes_change_their_batches_and_dropout_too(tmp_path: Path, recipe: str) -> None:
    config: dict[str, Any] = {"batch_size": 8, "max_steps": 6, "epochs": 1}
    if recipe == "text-lm":
        config |= {"width": 32, "layers": 1, "heads": 2, "context": 16, "sample_tokens": 0}
        config |= {"validation_tokens": 400}
    else:
        config |= {"num_images": 120, "width": 32}
    run = Run(tmp_path, config, recipe=recipe).set_at(3, batch_size=5, dropout=0.4)
    run.go()
    [ack] = run.tracker.of("command-acked")
    assert ack["outcome"] == "done", ack["message"]
    assert ack["change"]["before"]["batch_size"] == 8
    assert run.loop.progress.step == 6


def train_together(peers: Peers, run_dir: str) -> tuple[bytes, list[dict[str, Any]]]:
    config = {"epochs": 1, "batch_size": 32, "dropout": 0.2, "augment": "none"}
    run = Run(Path(run_dir), config, peers=peers)
    if peers.is_first:
        run.set_at(4, learning_rate=1e-3, batch_size=20, beta1=0.8)
    run.go()
    state = run.task.model.state_dict()
    digest = b"".join(tensor.numpy().tobytes() for tensor in state.values())
    return digest, run.tracker.of("command-acked")


def test_several_processes_change_at_the_same_step(tmp_path: Path) -> None:
    (first, told), (second, same) = run_gang(train_together, str(tmp_path))
    assert first == second
    assert [ack["outcome"] for ack in told] == ["done"]
    # Every process has done the same; only the first one's tracker reaches a server.
    assert told[0]["change"] == same[0]["change"]
