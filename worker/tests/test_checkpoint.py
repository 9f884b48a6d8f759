"""Checkpoints: complete, hashed, pruned, and never half trusted."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from runs import Run

from spotter_worker import checkpoint, disk_room, weights
from spotter_worker.checkpoint import find_damage
from spotter_worker.failures import describe_failure

CONFIG = {"epochs": 4, "batch_size": 256, "keep_checkpoints": 2}


@pytest.fixture
def trained(tmp_path: Path) -> Run:
    run = Run(tmp_path, {**CONFIG, "keep_checkpoints": 10})
    run.go()
    return run


def newest(run: Run) -> Path:
    return max((run.run_dir / "checkpoints").iterdir())


def test_all_parts_are_there_and_hashed(trained: Run) -> None:
    path = newest(trained)
    manifest = json.loads((path / "manifest.json").read_text())
    assert set(manifest["files"]) == {
        "model.safetensors",
        "best.safetensors",
        "optimizer.pt",
        "random.pt",
        "progress.json",
        "scaler.json",
        "config.json",
    }
    assert find_damage(path) is None


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: (path / "manifest.json").unlink(), "manifest cannot be read"),
        (lambda path: (path / "manifest.json").write_text("{"), "manifest cannot be read"),
        (lambda path: (path / "optimizer.pt").unlink(), "optimizer.pt is missing"),
        (lambda path: flip_a_byte(path / "model.safetensors"), "model.safetensors differs"),
        (lambda path: cut(path / "random.pt"), "random.pt differs"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(  # type: ignore[no-untyped-def]
    trained: Run, damage, words: str, capsys
) -> None:
    path = newest(trained)
    damage(path)
    assert words in str(find_damage(path))
    again = Run(trained.run_dir, CONFIG, resume_from=f"checkpoints/{path.name}")
    assert again.resumed is not None
    assert again.resumed.step < int(path.name.removeprefix("step-"))
    assert words in capsys.readouterr().err


def test_without_any_sound_checkpoint_the_run_begins_anew(trained: Run) -> None:
    for path in (trained.run_dir / "checkpoints").iterdir():
        (path / "manifest.json").unlink()
    again = Run(trained.run_dir, CONFIG, resume_from="checkpoints/step-00000020")
    assert again.resumed is None
    assert again.loop.progress.step == 0


def test_the_last_few_and_the_best_stay(tmp_path: Path) -> None:
    run = Run(tmp_path, {**CONFIG, "epochs": 8, "learning_rate": 0.05, "schedule": "constant"})
    run.go()
    steps = sorted(
        int(path.name.removeprefix("step-")) for path in (tmp_path / "checkpoints").iterdir()
    )
    assert run.loop.progress.best is not None
    expected = {run.loop.progress.best["step"], *(run.loop.total_steps * n // 8 for n in (7, 8))}
    assert steps == sorted(expected)
    removed = [event["path"] for event in run.tracker.of("file-removed")]
    saved = [e["path"] for e in run.tracker.of("file-saved") if e["kind"] == "checkpoint"]
    assert sorted(removed + [f"checkpoints/step-{step:08d}" for step in steps]) == sorted(saved)


def test_no_checkpoint_is_begun_on_a_nearly_full_disk(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    report_free(monkeypatch, lambda: 10**6)
    with pytest.raises(OSError, match="MiB are free"):
        Run(tmp_path, CONFIG).go()
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_disk_that_fills_up_while_a_checkpoint_is_written_leaves_nothing_half(
    trained: Run, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    room = [10**12]

    def fill_up(*_: object) -> None:
        room[0] = 0
        # As safetensors says it.
        raise RuntimeError("Error while serializing: I/O error")

    report_free(monkeypatch, lambda: room[0])
    monkeypatch.setattr(checkpoint, "save_file", fill_up)
    before = set((trained.run_dir / "checkpoints").iterdir())
    with pytest.raises(OSError, match="became full while a checkpoint was written") as caught:
        trained.loop._keeper.save(replace(trained.loop.progress, step=99), None)
    assert describe_failure(caught.value, {})["kind"] == "disk-full"
    assert set((trained.run_dir / "checkpoints").iterdir()) == before


def test_a_disk_without_room_for_the_weights_leaves_none(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(weights, "require_room", no_room)
    with pytest.raises(OSError, match="MiB are free"):
        Run(tmp_path, CONFIG).go()
    assert list((tmp_path / "weights").iterdir()) == []


def no_room(folder: Path, size: int, what: str) -> None:
    disk_room.require_room(folder, size + 2**60, what)


def test_want_of_memory_ends_in_a_clear_message_without_weights(tmp_path: Path) -> None:
    run = Run(tmp_path, CONFIG)
    scores = run.task.train_scores

    def take_too_much(model: torch.nn.Module, batch: object) -> object:
        if run.loop.progress.step == 2:
            torch.empty(2**50)
        return scores(model, batch)

    run.task.train_scores = take_too_much  # type: ignore[assignment, method-assign]
    with pytest.raises(RuntimeError) as caught:
        run.go()
    told = describe_failure(caught.value, {"batch_size": 256})
    assert told["kind"] == "out-of-memory"
    assert "256 → 128" in told["hint"]
    assert not (tmp_path / "weights").exists()


def test_checkpoints_come_by_the_clock(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        {"max_steps": 4, "checkpoint_every_minutes": 1e-9, "keep_checkpoints": 9, "batch_size": 64},
    )
    run.go()
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == [f"step-{step:08d}" for step in (1, 2, 3, 4)]


def test_what_a_crash_left_half_written_is_cleared_away(trained: Run) -> None:
    path = newest(trained)
    left_over = path.with_name(f".{path.name}.tmp")
    shutil.copytree(path, left_over)
    (left_over / "manifest.json").unlink()
    again = Run(trained.run_dir, {**CONFIG, "epochs": 4})
    again.go()
    assert not left_over.exists()
    assert find_damage(path) is None


def report_free(monkeypatch, free) -> None:  # type: ignore[no-untyped-def]
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(disk_room.shutil, "disk_usage", lambda _path: usage(10**12, 10**12, free()))


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])
