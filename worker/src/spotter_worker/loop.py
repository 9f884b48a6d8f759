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
from .data.batches import EvalBatches
from .probes import Probes
from .recipes.vision import Training
from .report import Reporter
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
    # Sums over the present epoch.
    loss_sum: float = 0.0
    num_correct: int = 0
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
        training: Training,
        reporter: Reporter,
        commands: CommandPoll,
        run_dir: Path,
        probes_enabled: bool = True,
    ) -> None:
        self._training = training
        self._reporter = reporter
        self._commands = commands
        self._run_dir = run_dir
        self._checkpoints = CheckpointFolder(
            run_dir / "checkpoints", training.config.keep_checkpoints
        )
        self._probes = Probes(training.model.parameters(), probes_enabled)
        self._best_state: dict[str, torch.Tensor] | None = None
        self._first_step = 0
        self._training_time_s = 0.0
        self._progress_sent_at = 0.0
        self._last_metrics: dict[str, float] = {}
        self.progress = Progress()

    @property
    def total_steps(self) -> int:
        return self._training.config.epochs * self._training.train_batches.num_batches

    def resume(self, checkpoint: Path) -> LoadedCheckpoint | None:
        loaded = self._checkpoints.load_newest(self._training, checkpoint)
        if loaded is not None:
            self.progress = Progress(**loaded.progress)
            self._best_state = loaded.best_state
            self._first_step = loaded.step
        return loaded

    def run(self) -> RunEnd:
        training, progress, config = self._training, self.progress, self._training.config
        model, optimizer = training.model, training.optimizer
        while progress.epoch < config.epochs:
            model.train()
            batches = training.train_batches.epoch(progress.epoch, progress.batch)
            epoch_started = time.perf_counter()
            while True:
                started = time.perf_counter()
                pair = next(batches, None)
                if pair is None:
                    break
                images, labels = pair
                data_ready = time.perf_counter()

                learning_rate = training.schedule.learning_rate(progress.step + 1)
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate
                logits = model(images)
                loss = training.loss(logits, labels)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                gradient_norm = None
                if config.gradient_clip is not None:
                    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip)
                    gradient_norm = float(norm)
                norms = self._probes.norms(gradient_norm)
                optimizer.step()

                loss_value = loss.item()
                num_correct = int((logits.detach().argmax(1) == labels).sum())
                progress.step += 1
                progress.batch += 1
                progress.loss_sum += loss_value * len(labels)
                progress.num_correct += num_correct
                progress.num_seen += len(labels)
                ended = time.perf_counter()
                self._training_time_s += ended - started
                self._reporter.points(
                    progress.step,
                    {
                        "train/loss": loss_value,
                        "train/accuracy": num_correct / len(labels),
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
        training, progress = self._training, self.progress
        self._report_progress("evaluating", now=True)
        started = time.perf_counter()
        loss, accuracy = self._evaluate(training.model, training.validation_batches)
        progress.epoch += 1
        progress.batch = 0
        metrics = {
            "train/loss": progress.loss_sum / max(1, progress.num_seen),
            "train/accuracy": progress.num_correct / max(1, progress.num_seen),
            "val/loss": loss,
            "val/accuracy": accuracy,
        }
        progress.loss_sum, progress.num_correct, progress.num_seen = 0.0, 0, 0
        self._reporter.points(progress.step, {"val/loss": loss, "val/accuracy": accuracy})
        self._last_metrics = metrics
        standing = {
            "metric": "val/accuracy",
            "value": accuracy,
            "loss": loss,
            "step": progress.step,
            "epoch": progress.epoch,
        }
        if _is_better(standing, progress.best):
            progress.best = standing
            self._best_state = self._copy_weights()
        last = progress.epoch == training.config.epochs
        due = progress.epoch % training.config.checkpoint_every_epochs == 0 or last
        if due:
            label = "last" if last else None
            if _is_better(standing, progress.best_checkpoint):
                progress.best_checkpoint, label = standing, "best"
            self._save_checkpoint(label)
        self._training_time_s += time.perf_counter() - started
        self._reporter.epoch_completed(progress, metrics, due, training.config.epochs, train_time_s)

    def _copy_weights(self) -> dict[str, torch.Tensor]:
        state = self._training.model.state_dict()
        return {
            name: tensor.detach().to("cpu", copy=True).contiguous()
            for name, tensor in state.items()
        }

    @torch.inference_mode()
    def _evaluate(self, model: torch.nn.Module, batches: EvalBatches) -> tuple[float, float]:
        model.eval()
        loss_sum = torch.zeros((), dtype=torch.float64)
        num_correct = 0
        for images, labels in batches:
            logits = model(images)
            loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
            loss_sum += loss.double().cpu()
            num_correct += int((logits.argmax(1) == labels).sum())
        model.train()
        return float(loss_sum) / len(batches), num_correct / len(batches)

    def _save_checkpoint(self, label: str | None) -> None:
        progress = self.progress
        self._report_progress("saving", now=True)
        saved = self._checkpoints.save(
            self._training, progress.step, dict(vars(progress)), self._best_state
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
        training, progress = self._training, self.progress
        self._report_progress("saving", now=True)
        folder = self._run_dir / "weights"
        metrics = dict(self._last_metrics)
        if progress.best is not None:
            metrics["val/accuracy"] = progress.best["value"]
            metrics["val/loss"] = progress.best["loss"]
        facts = {"step": progress.step, "best": progress.best, "metrics": metrics}
        card = save_weights(
            folder,
            self._best_state or training.model.state_dict(),
            training.architecture,
            training.normalization,
            training.classes,
            training.config.to_json(),
            facts,
        )
        if len(training.test_batches) > 0:
            self._report_progress("testing", now=True)
            model = load_weights(folder).model.to(training.device)
            loss, accuracy = self._evaluate(model, training.test_batches)
            metrics |= {"test/loss": loss, "test/accuracy": accuracy}
            self._reporter.points(progress.step, {"test/loss": loss, "test/accuracy": accuracy})
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
                "epoch": min(progress.epoch + 1, self._training.config.epochs),
                "total_epochs": self._training.config.epochs,
                "batch": progress.batch,
                "batches": self._training.train_batches.num_batches,
                "eta_s": remaining / steps_per_s if steps_per_s else None,
                "steps_per_s": steps_per_s,
                "lr_schedule": self._training.schedule.kind,
                "phase": phase,
            }
        )


def _is_better(one: dict[str, Any], other: dict[str, Any] | None) -> bool:
    # Small validation sets tie often; the surer of two equals is better.
    if other is None:
        return True
    return bool((one["value"], -one["loss"]) > (other["value"], -other["loss"]))
