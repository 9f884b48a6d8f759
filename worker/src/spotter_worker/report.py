"""Owns how the loop's news become the contract's events and the log's lines."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path
from typing import Any

import numpy
import torch

from spotter.wire.columns import encode_value

from .code_revision import code_revision
from .counted import counted
from .device import describe_device
from .live_change import LiveChange
from .progress import Progress
from .task import Task
from .tracker import Tracks
from .weights import file_sha256


class Reporter:
    def __init__(self, tracker: Tracks, run_dir: Path) -> None:
        self._tracker, self._run_dir = tracker, run_dir

    def preparing(self, step: int = 0) -> None:
        unknown = ("total_steps", "total_epochs", "batches", "eta_s", "steps_per_s", "lr_schedule")
        fields = {"step": step, "epoch": 0, "batch": 0, "phase": "preparing"}
        self.progress({**fields, **dict.fromkeys(unknown)})

    def started(
        self,
        task: Task,
        total_steps: int,
        total_epochs: int,
        resumed_from: int | None,
        progress: Progress | None = None,
    ) -> None:
        """`progress`: where it goes on, unless it begins at the beginning."""
        standing = None if progress is None or resumed_from is None else _standing(progress)
        self._tracker.event(
            {
                "type": "run-started",
                "first_step": 0 if resumed_from is None else resumed_from + 1,
                "resumed_from_step": resumed_from,
                "total_steps": total_steps,
                "total_epochs": total_epochs,
                "device": describe_device(task.device),
                "hostname": socket.gethostname(),
                "pid": os.getpid(),
                "model": {
                    "name": task.model_name,
                    "parameters": task.num_parameters,
                },
                "data": {
                    "train": task.sizes.train,
                    "validation": task.sizes.validation,
                    "test": task.sizes.test,
                    "classes": task.classes,
                },
                "config": task.config.to_json(),
                "derived": task.derived,
                "versions": {
                    "python": platform.python_version(),
                    "torch": torch.__version__,
                    "numpy": numpy.__version__,
                    "code": code_revision(),
                },
                # Servers of before 2026-11-22 do not know the word.
                **({} if standing is None else {"standing": standing}),
            }
        )
        print(
            f"{task.model_name}, {task.num_parameters:,} parameters, on "
            f"{describe_device(task.device)}; {task.sizes.train:,} {task.sizes.unit} to train, "
            f"{task.sizes.validation:,} to validate, {task.sizes.test:,} to test"
            + (f"; {len(task.classes)} classes" if task.classes else ""),
            flush=True,
        )
        for name, reason in task.derived.items():
            print(f"  {name}: {reason}", flush=True)
        if resumed_from is not None:
            print(f"goes on from the checkpoint of step {resumed_from}", flush=True)

    def points(self, step: int, metrics: dict[str, float]) -> None:
        self._tracker.log(metrics, step)

    def progress(self, fields: dict[str, Any]) -> None:
        self._tracker.event({"type": "run-progress", **fields})

    def epoch_completed(
        self,
        progress: Progress,
        metrics: dict[str, float],
        checkpoint_saved: bool,
        of_total: tuple[int, int],
        train_time_s: float,
    ) -> None:
        """`of_total`: the epoch that was trained in, from 1, and how many there are. In its middle none is completed;
        where evaluations come by steps, an epoch may end without one and without `metrics`.
        """
        epoch, total_epochs = of_total
        self._tracker.event(
            {
                "type": "epoch-completed",
                "epoch": progress.epoch,
                "step": progress.step,
                "metrics": _encode(metrics),
                "checkpoint_saved": checkpoint_saved,
                "best": _told_best(progress),
            }
        )
        if not metrics:
            return
        told = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        print(
            f"epoch {epoch}/{total_epochs} step {progress.step}: {told} ({train_time_s:.1f} s)",
            flush=True,
        )

    def sample(self, step: int, text: str) -> None:
        for line in text.splitlines():
            print(f"sample at step {step} | {line}", flush=True)

    def stopped_early(self, progress: Progress, patience: int | None) -> None:
        best = progress.best
        assert best is not None
        print(
            f"stopped early at step {progress.step}: {best['metric']} has not been better than at step "
            f"{best['step']} for {counted(patience or 0, 'evaluation')}",
            flush=True,
        )

    def file_saved(
        self,
        kind: str,
        path: str,
        size: int,
        sha256: str,
        at: tuple[int, int],
        metrics: dict[str, float],
        label: str | None,
    ) -> None:
        """`at`: the step and the epoch that the content is of."""
        step, epoch = at
        self._tracker.event(
            {
                "type": "file-saved",
                "kind": kind,
                "path": path,
                "size": size,
                "sha256": sha256,
                "step": step,
                "epoch": epoch,
                "metrics": _encode(metrics),
                "label": label,
            }
        )

    def weights_saved(
        self, path: Path, card: dict[str, Any], progress: Progress, metrics: dict[str, float]
    ) -> None:
        relative = path.relative_to(self._run_dir).as_posix()
        self.file_saved(
            "weights", relative, card["size"], card["sha256"], _kept_at(progress), metrics, "final"
        )
        print(f"weights: {path} (SHA-256 {card['sha256'][:12]}…)", flush=True)
        if "test/accuracy" in metrics:
            print(f"test accuracy {metrics['test/accuracy']:.4f}", flush=True)

    def card_saved(self, path: Path, progress: Progress) -> None:
        relative = path.relative_to(self._run_dir).as_posix()
        size, sha256 = path.stat().st_size, file_sha256(path)
        self.file_saved("config", relative, size, sha256, _kept_at(progress), {}, "final")

    def file_removed(self, path: str, size: int) -> None:
        self._tracker.event({"type": "file-removed", "path": path, "size": size})
        print(f"removed {path}: {size / 1e6:.1f} MB are free again", flush=True)

    def paused(self, step: int, paused: bool) -> None:
        self._tracker.event({"type": "run-paused", "step": step, "paused": paused})
        print(f"{'paused' if paused else 'resumed'} at step {step}", flush=True)

    def parked(self, step: int, freed: int) -> None:
        print(
            f"paused at step {step}: {freed / 1e6:.1f} MB of the device's memory are free until it goes on",
            flush=True,
        )

    def command_done(self, command_id: int, step: int) -> None:
        self._ack(command_id, step, "done", None)

    def change_done(self, change: LiveChange) -> None:
        self._ack(change.id, change.step, "done", change.sentence(), change.result())

    def changed(self, change: LiveChange, is_again: bool) -> None:
        word = "set as before" if is_again else "set"
        print(f"{word} at step {change.step}: {change.sentence()}; in force, checked", flush=True)

    def going_back(self, command_id: int, step: int, checkpoint: str) -> None:
        self._ack(command_id, step, "done", f"goes back to {checkpoint}")
        print(f"reverts at step {step}: goes back to {checkpoint}", flush=True)

    def gives_way(self, command_id: int, step: int, checkpoint: str) -> None:
        self._ack(
            command_id, step, "done", f"goes on later from {checkpoint}", checkpoint=checkpoint
        )
        print(f"gives way at step {step}: goes on later from {checkpoint}", flush=True)

    def command_refused(self, command_id: int, step: int, why: str) -> None:
        self._ack(command_id, step, "refused", why)

    def ended(
        self,
        state: str,
        metrics: dict[str, float],
        error: dict[str, Any] | None = None,
        goes_on: bool = False,
    ) -> None:
        told = {"state": state, "metrics": _encode(metrics), "error": error}
        # Servers of before 2026-11-21 do not know the word.
        later = {"goes_on": True} if goes_on else {}
        self._tracker.event({"type": "run-ended", **told, **later})

    def _ack(
        self,
        command_id: int,
        step: int,
        outcome: str,
        message: str | None,
        change: dict[str, Any] | None = None,
        checkpoint: str | None = None,
    ) -> None:
        # 0: the command came from a signal; nobody waits for an answer.
        if command_id > 0:
            self._tracker.event(
                {
                    "type": "command-acked",
                    "command_id": command_id,
                    "outcome": outcome,
                    "message": message,
                    "step": step,
                    "change": change,
                    **({} if checkpoint is None else {"checkpoint": checkpoint}),
                }
            )


def _encode(metrics: dict[str, float]) -> dict[str, float | str]:
    return {name: encode_value(value) for name, value in metrics.items()}


def _told_best(progress: Progress) -> dict[str, Any] | None:
    best = progress.best
    if best is None:
        return None
    value = encode_value(best["value"])
    return {"metric": best["metric"], "value": value, "step": best["step"]}


def _standing(progress: Progress) -> dict[str, Any]:
    """Of a fork that differs from its parent nothing is known yet, though it still holds the parent's last values."""
    best = _told_best(progress)
    return {"best": best, "metrics": {} if best is None else _encode(progress.metrics)}


def _kept_at(progress: Progress) -> tuple[int, int]:
    """The weights that are kept are the best evaluation's, not the last step's."""
    best = progress.best
    return (progress.step, progress.epoch) if best is None else (best["step"], best["epoch"])
