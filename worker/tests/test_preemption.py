"""A run that gives way to a more urgent one goes on as if it had never been interrupted, to the last bit."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
import torch
from gang import run_gang
from runs import Run

from spotter_worker import keeping
from spotter_worker.commands import Command
from spotter_worker.distributed import Peers
from spotter_worker.steering import GoesOnLaterError

GOLDEN = Path(__file__).parents[2] / "packages/contract/golden/worker"
# Everything that has a memory or draws random numbers is in it; 12 steps an epoch.
DEMANDING = {
    **{"epochs": 3, "dropout": 0.3, "augment": "standard", "mirror": True, "batch_size": 128},
    "ema_decay": 0.9,
}


def gives_way(run: Run, step: int) -> Run:
    run.tell_at(step, Command(5, "preempt"))
    with pytest.raises(GoesOnLaterError):
        run.go()
    return run


def test_a_run_that_gives_way_in_the_middle_of_an_epoch_equals_its_undisturbed_twin(
    tmp_path: Path,
) -> None:
    twin = Run(tmp_path / "twin", DEMANDING)
    twin.go()
    first = gives_way(Run(tmp_path / "run", DEMANDING), 7)
    [ack] = first.tracker.of("command-acked")
    assert (ack["command_id"], ack["outcome"], ack["step"]) == (5, "done", 7)
    assert ack["checkpoint"] == "checkpoints/step-00000007"
    # Nothing was tested or kept: that is for the attempt that ends the run.
    assert not (tmp_path / "run/weights").exists()

    torch.rand(100)
    second = gives_way(Run(tmp_path / "run", DEMANDING, resume_from=ack["checkpoint"]), 19)
    last = Run(tmp_path / "run", DEMANDING, resume_from="checkpoints/step-00000019")
    assert last.go().state == "finished"
    numbers = [*first.tracker.numbers(), *second.tracker.numbers(), *last.tracker.numbers()]
    assert numbers == twin.tracker.numbers()
    assert last.weights() == twin.weights()


def test_changes_made_before_are_in_force_afterwards(tmp_path: Path) -> None:
    twin = Run(tmp_path / "twin", DEMANDING).set_at(4, 1, learning_rate=1e-4)
    twin.go()
    first = Run(tmp_path / "run", DEMANDING).set_at(4, 1, learning_rate=1e-4)
    gives_way(first, 9)
    again = Run(tmp_path / "run", DEMANDING, resume_from="checkpoints/step-00000009")
    again.go()
    assert again.tracker.numbers() == [p for p in twin.tracker.numbers() if p[1] > 9]
    assert again.weights() == twin.weights()


def test_two_processes_give_way_together(tmp_path: Path) -> None:
    run_gang(give_way_together, str(tmp_path))
    assert (tmp_path / "run/checkpoints/step-00000003/manifest.json").exists()


def give_way_together(peers: Peers, folder: str) -> None:
    config = {**DEMANDING, "processes": 2, "ema_decay": None}
    gives_way(Run(Path(folder) / "run", config, peers=peers), 3)


def test_without_room_for_a_checkpoint_it_refuses_and_trains_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, {"epochs": 1, "checkpoint_every_epochs": 5})
    save, full = keeping.CheckpointFolder.save, [True]

    def refuse(*arguments: object) -> object:
        if full.pop() if full else False:
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping.CheckpointFolder, "save", refuse)
    run.tell_at(3, Command(5, "preempt"))
    assert run.go().state == "finished"
    [ack] = run.tracker.of("command-acked")
    assert ack["outcome"] == "refused"
    assert "no checkpoint could be written first" in ack["message"]


def test_a_request_that_is_taken_back_before_it_was_obeyed_changes_nothing(tmp_path: Path) -> None:
    twin = Run(tmp_path / "twin", DEMANDING)
    twin.go()
    run = Run(tmp_path / "run", DEMANDING)
    # As after a long step: both have come meanwhile.
    run.commands.hear([Command(5, "preempt"), Command(6, "stay")])
    assert run.go().state == "finished"
    told = [(ack["command_id"], ack["outcome"]) for ack in run.tracker.of("command-acked")]
    assert told == [(5, "refused"), (6, "done")]
    assert run.tracker.numbers() == twin.tracker.numbers()
    assert run.weights() == twin.weights()


def test_one_that_is_taken_back_too_late_is_obeyed_and_so_is_a_later_one(tmp_path: Path) -> None:
    run = Run(tmp_path / "late", {"epochs": 1})
    run.commands.hear([Command(5, "preempt")])
    assert run.commands.next_command() == Command(5, "preempt")
    run.commands.hear([Command(6, "stay"), Command(7, "preempt")])
    assert run.commands.next_command() == Command(6, "stay")
    assert run.commands.next_command() == Command(7, "preempt")


def test_two_processes_stay_together(tmp_path: Path) -> None:
    run_gang(stay_together, str(tmp_path))
    assert (tmp_path / "run/weights/model.safetensors").exists()


def stay_together(peers: Peers, folder: str) -> None:
    config = {**DEMANDING, "epochs": 1, "processes": 2, "ema_decay": None}
    run = Run(Path(folder) / "run", config, peers=peers)
    if peers.is_first:
        run.commands.hear([Command(5, "preempt"), Command(6, "stay")])
    assert run.go().state == "finished"


def test_the_end_of_such_an_attempt_says_that_the_run_goes_on(tmp_path: Path) -> None:
    run = Run(tmp_path, {"epochs": 1})
    run.loop._reporter.ended("stopped", {}, goes_on=True)
    run.loop._reporter.ended("stopped", {})
    told = run.tracker.of("run-ended")
    assert [event.get("goes_on") for event in told] == [True, None]


def test_its_last_words_have_the_golden_fields(tmp_path: Path) -> None:
    run = gives_way(Run(tmp_path, {"epochs": 1}), 3)
    run.loop._reporter.ended("stopped", {}, goes_on=True)
    golden = json.loads((GOLDEN / "EventBatch.gives-way.json").read_text())
    for event in golden["events"]:
        [said] = run.tracker.of(event["type"])
        assert {"time", *said} == set(event)
