"""Two processes that train one model: commands, resuming, whose batches are whose, and models in pieces."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from gang import run_gang, try_gang
from runs import Run

from spotter_worker.distributed import Peers
from spotter_worker.failures import describe_failure

# A last step in which one process has nothing, gradients added up, and noise.
CONFIG = {
    "width": 4,
    "batch_size": 100,
    "max_steps": 7,
    "accumulate_steps": 2,
    "dropout": 0.2,
    "augment": "none",
    "checkpoint_every_epochs": 100,
    "ema_decay": 0.9,
}
QUIET = {**CONFIG, "dropout": 0.0}


def train(
    peers: Peers,
    run_dir: Path,
    config: dict[str, Any],
    stop_at: int | None = None,
    resume_from: str | None = None,
) -> tuple[str, list[tuple[str, int, float]]]:
    run = Run(run_dir, config, resume_from, peers=peers)
    if stop_at is not None and peers.is_first:
        run.command_at(stop_at, "pause", "checkpoint", "resume", "stop")
    state = run.go().state
    # Stopping tests the weights of that moment: that point is not part of the training.
    numbers = run.tracker.numbers()
    numbers += [point for point in run.tracker.points if point[0] == "train/gradient_norm"]
    return state, [point for point in numbers if not point[0].startswith("test/")]


@pytest.mark.parametrize("strategy", ["ddp", "fsdp2"])
def test_two_processes_stop_and_resume_in_mid_epoch_as_if_they_never_had(
    tmp_path: Path, strategy: str
) -> None:
    config = {**CONFIG, "strategy": strategy}
    [(_, whole), _] = run_gang(train, tmp_path / "whole", config)
    cut = tmp_path / "cut"
    [(state, first), (other_state, _)] = run_gang(train, cut, config, 2)
    assert (state, other_state) == ("stopped", "stopped")
    # The checkpoint that was asked for, and that of the stop one step later.
    assert len(list((cut / "checkpoints").iterdir())) == 2
    [(state, second), _] = run_gang(train, cut, config, None, "checkpoints/step-00000003")
    assert state == "finished"
    assert sorted(first + second) == sorted(whole)


def test_a_model_in_pieces_gives_the_losses_of_one_process_with_the_doubled_batch(
    tmp_path: Path,
) -> None:
    pieces = {**QUIET, "strategy": "fsdp2", "max_steps": 4, "accumulate_steps": 1}
    pieces |= {"gradient_clip": None}
    [(_, numbers), _] = run_gang(train, tmp_path / "two", pieces)
    one = Run(tmp_path / "one", {**pieces, "strategy": "ddp", "batch_size": 200})
    one.go()
    expected = one.tracker.series("train/loss")
    found = [(step, value) for name, step, value in numbers if name == "train/loss"]
    assert [step for step, _ in found] == [step for step, _ in expected]
    assert [loss for _, loss in found] == pytest.approx([loss for _, loss in expected], rel=1e-3)
    [(_, norm), *_] = one.tracker.series("train/gradient_norm")
    [first_norm, *_] = [value for name, _, value in numbers if name == "train/gradient_norm"]
    assert first_norm == pytest.approx(norm, rel=1e-3)
    # One process reads what two have written.
    checkpoint = "checkpoints/step-00000004"
    again = Run(tmp_path / "two", {**QUIET, "max_steps": 6}, resume_from=checkpoint)
    assert again.go().state == "finished"


def lose_the_second(peers: Peers, run_dir: Path) -> dict[str, Any]:
    run = Run(run_dir, {**CONFIG, "checkpoint_every_steps": 2}, peers=peers)

    def kill_at(step: int) -> None:
        if step == 3 and not peers.is_first:
            os.kill(os.getpid(), signal.SIGKILL)

    run.tracker.after_step = kill_at
    try:
        run.go()
    except RuntimeError as error:
        return describe_failure(error, {})
    raise AssertionError("nobody noticed")


def test_a_process_that_dies_ends_the_run_with_a_sentence_and_it_can_be_resumed(
    tmp_path: Path,
) -> None:
    [(_, failure), (lost, _)] = try_gang(lose_the_second, tmp_path)
    assert lost == "gone"
    assert failure["kind"] == "peer-lost"
    assert failure["message"].startswith("Another process that trains this model")
    assert "resume the run" in failure["hint"]
    resumed = run_gang(train, tmp_path, CONFIG, None, "checkpoints/step-00000002")
    assert [state for state, _ in resumed] == ["finished", "finished"]


def test_one_process_has_nothing_to_cut_a_model_over(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is one"):
        Run(tmp_path, {"strategy": "fsdp2"})


class IdleLayer(torch.nn.Module):
    """A network with a layer that nothing comes out of."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner, self.idle = inner, torch.nn.Linear(3, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.inner(images)
        return found


def train_with_an_idle_layer(peers: Peers, run_dir: Path) -> tuple[str, str]:
    from spotter_worker.recipes import vision

    build = vision.build_task

    def build_with_idle(config: Any, places: Any) -> Any:
        task = build(config, places)
        task.model = IdleLayer(task.model)
        return task

    vision.build_task = build_with_idle
    run = Run(run_dir, {**QUIET, "max_steps": 3}, peers=peers)
    metrics_before = run.task.model.idle.weight.clone()
    # The card cannot build this network again, so the weights stay unsaved.
    run.loop._keeper.export = lambda *_: {}  # type: ignore[method-assign]
    state = run.go().state
    assert torch.equal(run.task.model.idle.weight, metrics_before)
    return state, run.task.derived["idle_parameters"]


def test_parameters_without_a_gradient_are_named_and_do_not_stop_the_others(tmp_path: Path) -> None:
    for state, said in run_gang(train_with_an_idle_layer, tmp_path):
        assert state == "finished"
        assert said.startswith("idle.weight, idle.bias: ")


class Letters:
    """Batches that are letters, each worth its place in the alphabet; tells which were made."""

    def __init__(self, letters: str) -> None:
        self._letters, self.num_batches = letters, len(letters)
        self.made: list[str] = []

    def epoch(self, _epoch: int, first_batch: int = 0, every: int = 1) -> Iterator[str]:
        for letter in self._letters[first_batch::every]:
            self.made.append(letter)
            yield letter


def take_letters(peers: Peers) -> tuple[list[str], list[list[tuple[str, float, bool]]]]:
    batches = Letters("abcde")
    steps = []
    for step in peers.steps(batches, 0, 0, accumulate=2):
        parts = peers.parts(step, lambda letter: ord(letter) - ord("a") + 1)
        steps.append([(part.batch, part.share / peers.size, part.is_last) for part in parts])
    return batches.made, steps


def test_each_process_makes_and_takes_its_own_batches_and_shares_add_up() -> None:
    [(first_made, first), (second_made, second)] = run_gang(take_letters)
    assert first == [[("a", 0.1, False), ("c", 0.3, True)], [("e", 1.0, True)]]
    # In the last step the second process has nothing and keeps step with that step's first batch.
    assert second == [[("b", 0.2, False), ("d", 0.4, True)], [("e", 0.0, True)]]
    assert (first_made, second_made) == (["a", "c", "e"], ["b", "d", "e"])
