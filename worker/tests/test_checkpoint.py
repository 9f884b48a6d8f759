"""Checkpoints: complete, hashed, pruned, and never half trusted."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from runs import Run

from spotter_worker import checkpoint
from spotter_worker.checkpoint import find_damage

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
    usage = namedtuple("usage", "total used free")(10**12, 10**12, 10**6)
    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(OSError, match="MiB are free"):
        Run(tmp_path, CONFIG).go()
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_what_a_crash_left_half_written_is_cleared_away(trained: Run) -> None:
    path = newest(trained)
    left_over = path.with_name(f".{path.name}.tmp")
    shutil.copytree(path, left_over)
    (left_over / "manifest.json").unlink()
    again = Run(trained.run_dir, {**CONFIG, "epochs": 4})
    again.go()
    assert not left_over.exists()
    assert find_damage(path) is None


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])
