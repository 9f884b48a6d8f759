"""Owns the story of a training run, top to bottom: prepare, train, look, save, test.

Commands take effect between two steps. Everything that decides the numbers is in the training, the
checkpoint and this file; the tracker, the probes and the commands only watch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from .checkpoint import CheckpointFolder, LoadedCheckpoint
from .commands import Command, CommandPoll
from .optimizers import build_optimizer
from .probes import Probes
from .recipe_config import Primary
from .report import Reporter
from .schedule import build_schedule
from .task import EvalBatches, Scores, Task
from .weights import CARD_NAME, WEIGHTS_NAME, load_weights, save_weights, write_card

PROGRESS_INTERVAL_S = 0.5
PAUSE_POLL_S = 1.0


class AbandonedError(Exception):
    """The server has given this job to another attempt, or closed it: leave without a word."""


@dataclass
class Progress:
    """Where the run stands; what a checkpoint must know beside the tensors."""

    step: int = 0
    # Finished epochs, and finished batches of the present one.
    epoch: int = 0
    batch: int = 0
    # Sums over the present epoch: `loss`, `accuracy`, …, and how many examples (or tokens) they are over.
    sums: dict[str, float] = field(default_factory=dict)
    num_seen: int = 0
    # Best so far: `{metric, value, loss, step, epoch}`; and the best among those with a checkpoint.
    best: dict[str, Any] | None = None
    best_checkpoint: dict[str, Any] | None = None


@dataclass
class RunEnd:
    state: str
    metrics: dict[str, float] = field(default_factory=dict)


class Loop:
    def __init__(
        self,
        task: Task,
        reporter: Reporter,
        commands: CommandPoll,
        run_dir: Path,
        probes_enabled: bool = True,
    ) -> None:
        self._task = task
        self._optimizer = build_optimizer(task.config, task.model)
        self._schedule = build_schedule(
            task.config, task.train_batches.num_batches, self.total_steps
        )
        self._reporter = reporter
        self._commands = commands
        self._run_dir = run_dir
        self._checkpoints = CheckpointFolder(run_dir / "checkpoints", task.config.keep_checkpoints)
        self._probes = Probes(task.model.parameters(), probes_enabled)
        self._best_state: dict[str, torch.Tensor] | None = None
        self._first_step = 0
        self._training_time_s = 0.0
        self._progress_sent_at = 0.0
        self._last_metrics: dict[str, float] = {}
        self.progress = Progress()

    @property
    def total_steps(self) -> int:
        return self._task.config.epochs * self._task.train_batches.num_batches

    def resume(self, checkpoint: Path) -> LoadedCheckpoint | None:
        loaded = self._checkpoints.load_newest(self._task, self._optimizer, checkpoint)
        if loaded is not None:
            self.progress = Progress(**loaded.progress)
            self._best_state = loaded.best_state
            self._first_step = loaded.step
        return loaded

    def run(self) -> RunEnd:
        task, progress, config = self._task, self.progress, self._task.config
        model, optimizer = task.model, self._optimizer
        while progress.epoch < config.epochs:
            model.train()
            batches = task.train_batches.epoch(progress.epoch, progress.batch)
            epoch_started = time.perf_counter()
            while True:
                started = time.perf_counter()
                batch = next(batches, None)
                if batch is None:
                    break
                data_ready = time.perf_counter()

                learning_rate = self._schedule.learning_rate(progress.step + 1)
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate
                scores = task.train_scores(model, batch)
                optimizer.zero_grad(set_to_none=True)
                scores.loss.backward()  # type: ignore[no-untyped-call]
                gradient_norm = None
                if config.gradient_clip is not None:
                    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip)
                    gradient_norm = float(norm)
                norms = self._probes.norms(gradient_norm)
                optimizer.step()

                means = _take(progress, scores)
                progress.step += 1
                progress.batch += 1
                ended = time.perf_counter()
                self._training_time_s += ended - started
                self._reporter.points(
                    progress.step,
                    {
                        **{f"train/{name}": value for name, value in means.items()},
                        "train/learning_rate": learning_rate,
                        "train/epoch": progress.epoch + 1,
                        **norms,
                        **self._probes.times(ended - started, data_ready - started),
                    },
                )
                self._report_progress("training")

                command = self._commands.next_command()
                if command is not None and self._obey(command):
                    return self._finish("stopped")

            self._finish_epoch(time.perf_counter() - epoch_started)
        return self._finish("finished")

    # -- between steps -----------------------------------------------------------------------------

    def _obey(self, command: Command) -> bool:
        """Carries out one command; true when the run is to stop."""
        step = self.progress.step
        match command.action:
            case "abandon":
                raise AbandonedError
            case "stop":
                self._save_checkpoint(label=None)
                self._reporter.command_done(command.id, step)
                return True
            case "checkpoint":
                self._save_checkpoint(label=None)
                self._reporter.command_done(command.id, step)
            case "pause":
                self._reporter.command_done(command.id, step)
                return self._pause()
            case "resume":
                self._reporter.command_refused(command.id, step, "the run is not paused")
            case other:
                self._reporter.command_refused(command.id, step, f"this worker knows no {other!r}")
        return False

    def _pause(self) -> bool:
        step = self.progress.step
        self._reporter.paused(step, True)
        self._report_progress("paused", now=True)
        while True:
            command = self._commands.wait_command(PAUSE_POLL_S)
            if command is None:
                continue
            if command.action == "resume":
                self._reporter.command_done(command.id, step)
                self._reporter.paused(step, False)
                self._report_progress("training", now=True)
                return False
            if command.action == "pause":
                self._reporter.command_refused(command.id, step, "the run is paused already")
            elif self._obey(command):
                return True

    def _finish_epoch(self, train_time_s: float) -> None:
        task, progress = self._task, self.progress
        self._report_progress("evaluating", now=True)
        started = time.perf_counter()
        validation = self._evaluate(task.model, task.validation)
        progress.epoch += 1
        progress.batch = 0
        seen = max(1, progress.num_seen)
        evaluated = {f"val/{name}": value for name, value in validation.items()}
        for set_name, batches in task.extra_evaluations().items():
            found = self._evaluate(task.model, batches)
            evaluated |= {f"{set_name}/{name}": value for name, value in found.items()}
        metrics = {f"train/{name}": value / seen for name, value in progress.sums.items()}
        metrics |= evaluated
        progress.sums, progress.num_seen = {}, 0
        self._reporter.points(progress.step, evaluated)
        self._last_metrics = metrics
        metric, _ = self._primary
        standing = {
            "metric": metric,
            "value": metrics[metric],
            "loss": metrics["val/loss"],
            "step": progress.step,
            "epoch": progress.epoch,
        }
        if self._is_better(standing, progress.best):
            progress.best = standing
            self._best_state = self._copy_weights()
        last = progress.epoch == task.config.epochs
        due = progress.epoch % task.config.checkpoint_every_epochs == 0 or last
        if due:
            label = "last" if last else None
            if self._is_better(standing, progress.best_checkpoint):
                progress.best_checkpoint, label = standing, "best"
            self._save_checkpoint(label)
        self._training_time_s += time.perf_counter() - started
        self._reporter.epoch_completed(progress, metrics, due, task.config.epochs, train_time_s)

    @property
    def _primary(self) -> Primary:
        return self._task.config.PRIMARY

    def _is_better(self, one: dict[str, Any], other: dict[str, Any] | None) -> bool:
        # Small validation sets tie often; the surer of two equals is better.
        if other is None:
            return True
        sign = 1 if self._primary.higher_is_better else -1
        mine, theirs = sign * one["value"], sign * other["value"]
        return bool((mine, -one["loss"]) > (theirs, -other["loss"]))

    def _copy_weights(self) -> dict[str, torch.Tensor]:
        state = self._task.model.state_dict()
        return {
            name: tensor.detach().to("cpu", copy=True).contiguous()
            for name, tensor in state.items()
        }

    @torch.inference_mode()
    def _evaluate(self, model: torch.nn.Module, batches: EvalBatches) -> dict[str, float]:
        """Means over all examples of the set: `loss`, `accuracy`, …"""
        model.eval()
        sums: dict[str, torch.Tensor] = {}
        counts: dict[str, int] = {}
        for batch in batches:
            found = self._task.eval_sums(model, batch)
            for name, value in found.sums.items():
                counts[name] = counts.get(name, 0) + found.counts.get(name, found.count)
                # In double, on the CPU: a million small losses in float32 would lose digits.
                sums[name] = sums.get(name, 0.0) + value.double().cpu()
        model.train()
        return {name: float(value) / max(1, counts[name]) for name, value in sums.items()}

    def _save_checkpoint(self, label: str | None) -> None:
        progress = self.progress
        self._report_progress("saving", now=True)
        saved = self._checkpoints.save(
            self._task, self._optimizer, progress.step, dict(vars(progress)), self._best_state
        )
        best = progress.best_checkpoint
        path = saved.path.relative_to(self._run_dir).as_posix()
        self._reporter.file_saved(
            "checkpoint",
            path,
            saved.size,
            saved.manifest_sha256,
            progress,
            self._last_metrics,
            label,
        )
        for gone in self._checkpoints.prune(best["step"] if best else None):
            self._reporter.file_removed(gone.relative_to(self._run_dir).as_posix())

    # -- the end -----------------------------------------------------------------------------------

    def _finish(self, state: str) -> RunEnd:
        """Exports the best weights, loads them back from disk, and tests what was loaded."""
        task, progress = self._task, self.progress
        self._report_progress("saving", now=True)
        folder = self._run_dir / "weights"
        metrics = dict(self._last_metrics)
        if progress.best is not None:
            metrics[progress.best["metric"]] = progress.best["value"]
            metrics["val/loss"] = progress.best["loss"]
        facts = {"step": progress.step, "best": progress.best, "metrics": metrics}
        state_dict = self._best_state or task.model.state_dict()
        card = save_weights(folder, task, state_dict, facts)
        if len(task.test) > 0:
            self._report_progress("testing", now=True)
            model = load_weights(folder).model.to(task.device)
            tested = self._evaluate(model, task.test)
            tested = {f"test/{name}": value for name, value in tested.items()}
            metrics |= tested
            self._reporter.points(progress.step, tested)
            write_card(folder, {**card, "metrics": metrics})
        self._reporter.weights_saved(folder / WEIGHTS_NAME, card, progress, metrics)
        self._reporter.card_saved(folder / CARD_NAME, progress)
        return RunEnd(state, metrics)

    def _report_progress(self, phase: str, now: bool = False) -> None:
        moment = time.monotonic()
        if not now and moment - self._progress_sent_at < PROGRESS_INTERVAL_S:
            return
        self._progress_sent_at = moment
        progress = self.progress
        done = progress.step - self._first_step
        steps_per_s = done / self._training_time_s if done else None
        remaining = self.total_steps - progress.step
        self._reporter.progress(
            {
                "step": progress.step,
                "total_steps": self.total_steps,
                "epoch": min(progress.epoch + 1, self._task.config.epochs),
                "total_epochs": self._task.config.epochs,
                "batch": progress.batch,
                "batches": self._task.train_batches.num_batches,
                "eta_s": remaining / steps_per_s if steps_per_s else None,
                "steps_per_s": steps_per_s,
                "lr_schedule": self._schedule.kind,
                "phase": phase,
            }
        )


def _take(progress: Progress, scores: Scores) -> dict[str, float]:
    """Adds a batch to the sums of the epoch; returns the batch's own means."""
    loss = scores.loss.item()
    sums = {name: float(value) for name, value in scores.sums.items()}
    for name, value in {"loss": loss * scores.count, **sums}.items():
        progress.sums[name] = progress.sums.get(name, 0.0) + value
    progress.num_seen += scores.count
    return {"loss": loss, **{name: value / scores.count for name, value in sums.items()}}
