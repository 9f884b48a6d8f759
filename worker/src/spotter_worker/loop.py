"""Owns the story of a training run, top to bottom: prepare, train, look, save, test.

Commands take effect between two steps. Everything that decides the numbers is in the training, the
checkpoint and this file; the tracker, the probes and the commands only watch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch

from .averaging import AveragedWeights
from .checkpoint import CheckpointFolder, Contents, LoadedCheckpoint
from .commands import Command, CommandPoll
from .compiling import compiled
from .distributed import Peers
from .evaluation import Evaluation, evaluate, evaluating
from .optimizers import build_optimizer
from .precision import Precision
from .probes import Probes
from .progress import Progress, Ranking
from .randomness import random_states, restore_random_states, untouched_randomness
from .report import Reporter
from .schedule import build_schedule
from .step_scores import StepScores
from .task import Batch, EvalBatches, Task
from .weights import CARD_NAME, WEIGHTS_NAME, load_weights, save_weights, write_card

PROGRESS_INTERVAL_S = 0.5
PAUSE_POLL_S = 1.0
# Classes whose share among the predictions is told one by one.
MAX_TOLD_CLASSES = 20


class AbandonedError(Exception):
    """The server has given this job to another attempt, or closed it: leave without a word."""


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
        peers: Peers | None = None,
    ) -> None:
        config = task.config
        self._task = task
        self._peers = peers or Peers()
        # What is trained may be wrapped; what is evaluated, saved and probed is the model itself.
        self._model = compiled(self._peers.share_model(task.model, task.device), config)
        self._optimizer = build_optimizer(config, task.model)
        self._precision = Precision(config.precision, task.device)
        self._averaged = (
            AveragedWeights(task.model, config.ema_decay) if config.ema_decay is not None else None
        )
        self._schedule = build_schedule(config, self.steps_per_epoch, self.total_steps)
        self._ranking = Ranking(config, {"train", "val", *task.extra_evaluations()})
        self._reporter = reporter
        self._commands = commands
        self._run_dir = run_dir
        self._checkpoints = CheckpointFolder(
            run_dir / "checkpoints", config.keep_checkpoints, config.checkpoint_budget_mb
        )
        self._probes = Probes(task.model, probes_enabled and self._peers.is_first)
        self._best_state: dict[str, torch.Tensor] | None = None
        self._first_step = 0
        self._saved_step = -1
        self._saved_at = time.monotonic()
        self._training_time_s, self._epoch_time_s = 0.0, 0.0
        self._progress_sent_at = 0.0
        self.progress = Progress()

    @property
    def steps_per_epoch(self) -> int:
        batches_a_step = self._task.config.accumulate_steps * self._peers.size
        return math.ceil(self._task.train_batches.num_batches / batches_a_step)

    @property
    def total_steps(self) -> int:
        steps = self._task.config.epochs * self.steps_per_epoch
        return min(steps, self._task.config.max_steps or steps)

    @property
    def total_epochs(self) -> int:
        return math.ceil(self.total_steps / self.steps_per_epoch)

    def run(self) -> RunEnd:
        task, progress, config = self._task, self.progress, self._task.config
        model, optimizer, precision = self._model, self._optimizer, self._precision
        model.train()
        while not self._is_over():
            groups = self._groups()
            self._epoch_time_s = 0.0
            while not self._is_over():
                started = time.perf_counter()
                group = next(groups, None)
                if group is None:
                    break
                data_ready = time.perf_counter()

                # Gradients of all the step's batches add up to those of one large batch.
                learning_rate = self._schedule.learning_rate(progress.step + 1, progress.drops)
                for parameters in optimizer.param_groups:
                    parameters["lr"] = learning_rate
                optimizer.zero_grad(set_to_none=True)
                seen = StepScores()
                for part in self._peers.parts(group, task.count):
                    with self._peers.gradients(model, part):
                        with precision.autocast():
                            scores = task.train_scores(model, part.batch)
                        precision.backward(scores.loss, part.share)
                    seen.add(scores, part)
                precision.unscale(optimizer)

                measured = self._probes.before_update(with_global=config.gradient_clip is None)
                if config.gradient_clip is not None:
                    norm = torch.nn.utils.clip_grad_norm_(
                        task.model.parameters(), config.gradient_clip
                    )
                    measured["train/gradient_norm"] = float(norm)
                precision.step(optimizer)
                measured |= self._probes.after_update()
                progress.step += 1
                progress.batch += len(group)
                if self._averaged is not None:
                    self._averaged.update(progress.step)

                means = seen.take(self._peers, progress)
                ended = time.perf_counter()
                self._training_time_s += ended - started
                self._epoch_time_s += ended - started
                self._reporter.points(
                    progress.step,
                    {
                        **{f"train/{name}": value for name, value in means.items()},
                        "train/learning_rate": learning_rate,
                        "train/epoch": progress.epoch + 1,
                        **measured,
                        **precision.points(),
                        **self._probes.times(ended - started, data_ready - started),
                    },
                )
                self._report_progress("training")

                self._look_and_save()
                command = self._peers.from_first(self._commands.next_command())
                if command is not None and self._obey(command):
                    return self._finish("stopped")
        return self._finish("finished")

    def _groups(self) -> Iterator[list[Batch]]:
        """What each step takes, from where the run stands to the epoch's end; the last may be short."""
        batches = self._task.train_batches.epoch(self.progress.epoch, self.progress.batch)
        size = self._task.config.accumulate_steps * self._peers.size
        while group := list(islice(batches, size)):
            yield group

    def _is_over(self) -> bool:
        progress, patience = self.progress, self._task.config.early_stopping_patience
        stands_still = patience is not None and progress.evaluations_without_gain >= patience
        return progress.step >= self.total_steps or stands_still

    # -- between steps -----------------------------------------------------------------------------

    def _look_and_save(self) -> None:
        """Evaluation, checkpoint and the end of an epoch, where they are due."""
        progress, config = self.progress, self._task.config
        started = time.perf_counter()
        epoch_ended = progress.batch >= self._task.train_batches.num_batches
        last = progress.step >= self.total_steps
        every = config.eval_every_steps
        evaluation_due = last or (epoch_ended if every is None else progress.step % every == 0)
        if evaluation_due:
            self._report_progress("evaluating", now=True)
        if epoch_ended:
            progress.epoch, progress.batch = progress.epoch + 1, 0
        if evaluation_due:
            self._evaluate()
            last = last or self._is_over()
        elif self._probes.units_are_due():
            self._probe_units()
        due = last or (epoch_ended and progress.epoch % config.checkpoint_every_epochs == 0)
        due = due or self._checkpoint_is_due_between()
        if due:
            self._save_checkpoint("last" if last else None)
        self._training_time_s += time.perf_counter() - started
        if epoch_ended or evaluation_due:
            self._reporter.epoch_completed(
                progress, progress.metrics, due, self.total_epochs, self._epoch_time_s
            )

    def _checkpoint_is_due_between(self) -> bool:
        """By steps, or by the first process's clock."""
        every, minutes = (
            self._task.config.checkpoint_every_steps,
            self._task.config.checkpoint_every_minutes,
        )
        by_steps = every is not None and self.progress.step % every == 0
        if by_steps or minutes is None:
            return by_steps
        return self._peers.from_first(time.monotonic() - self._saved_at >= minutes * 60)

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
            heard = self._commands.wait_command(PAUSE_POLL_S) if self._peers.is_first else None
            command = self._peers.from_first(heard)
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

    # -- looking -----------------------------------------------------------------------------------

    def _evaluate(self) -> None:
        """Measures the model, or its averaged weights; what is best so far is kept."""
        task, progress = self._task, self.progress
        with self._averaged.in_place() if self._averaged is not None else nullcontext():
            watching = self._probes.watching_units()
            evaluation = self._measure(task.validation, watching)
            found = {f"val/{name}": value for name, value in evaluation.means.items()}
            for set_name, batches in task.extra_evaluations().items():
                means = self._measure(batches).means
                found |= {f"{set_name}/{name}": value for name, value in means.items()}
            seen = max(1, progress.num_seen)
            trained = {f"train/{name}": value / seen for name, value in progress.sums.items()}
            progress.metrics = {**trained, **found}
            progress.sums, progress.num_seen = {}, 0
            progress.evaluated_step = progress.step
            standing = self._ranking.stand(progress.metrics, progress.step, progress.epoch)
            if self._ranking.is_better(standing, progress.best):
                progress.best = standing
                progress.evaluations_without_gain = progress.evaluations_since_drop = 0
                self._best_state = self._copy_weights()
            else:
                progress.evaluations_without_gain += 1
                progress.evaluations_since_drop += 1
            if progress.evaluations_since_drop >= task.config.plateau_patience:
                progress.drops += 1
                progress.evaluations_since_drop = 0
            self._reporter.points(
                progress.step,
                {**found, **self._probes.dead_units(), **self._told_classes(evaluation)},
            )
            self._show_sample()

    def _measure(
        self, batches: EvalBatches, first_batch: AbstractContextManager[None] | None = None
    ) -> Evaluation:
        return evaluate(
            self._task, self._task.model, batches, self._precision, self._peers, first_batch
        )

    def _told_classes(self, evaluation: Evaluation) -> dict[str, float]:
        classes, shares = self._task.classes, evaluation.predicted
        if not 0 < len(shares) == len(classes) <= MAX_TOLD_CLASSES:
            return {}
        named = zip(classes, shares, strict=True)
        return {f"predicted/{name.replace('/', '_') or '_'}": share for name, share in named}

    def _show_sample(self) -> None:
        model = self._task.model
        if not self._peers.is_first:
            return
        with evaluating(model), torch.inference_mode(), untouched_randomness(self._task.device):
            text = self._task.sample(model)
        if text is not None:
            self._reporter.sample(self.progress.step, text)

    def _probe_units(self) -> None:
        batch, model = self._task.probe_input(), self._task.model
        if batch is None:
            return
        with evaluating(model), torch.inference_mode(), untouched_randomness(self._task.device):
            with self._probes.watching_units(), self._precision.autocast():
                self._task.eval_sums(model, batch)
        self._reporter.points(self.progress.step, self._probes.dead_units())

    def _copy_weights(self) -> dict[str, torch.Tensor] | None:
        if not self._peers.is_first:
            return None
        state = self._task.model.state_dict()
        return {
            name: tensor.detach().to("cpu", copy=True).contiguous()
            for name, tensor in state.items()
        }

    # -- saving ------------------------------------------------------------------------------------

    def _save_checkpoint(self, label: str | None) -> None:
        progress = self.progress
        if progress.step == self._saved_step:
            return
        self._report_progress("saving", now=True)
        keep_best = self._task.config.keep_best
        if progress.evaluated_step == progress.step and progress.metrics:
            standing = self._ranking.stand(progress.metrics, progress.step, progress.epoch)
            best = self._ranking.best_few([*progress.best_checkpoints, standing], keep_best)
            label = "best" if best[0] is standing else label
            progress.best_checkpoints = best
        random = self._peers.gather(random_states(self._task.device))
        if self._peers.is_first:
            self._write_checkpoint(random, label)
        self._peers.wait()
        self._saved_step, self._saved_at = progress.step, time.monotonic()

    def _write_checkpoint(self, random: list[dict[str, object]], label: str | None) -> None:
        task, progress = self._task, self.progress
        contents = Contents(
            model=task.model.state_dict(),
            optimizer=self._optimizer.state_dict(),
            best=self._best_state,
            averaged=self._averaged.state() if self._averaged is not None else None,
            scaler=self._precision.state(),
            random=random,
            progress=dict(vars(progress)),
            config=task.config.to_json(),
        )
        saved = self._checkpoints.save(progress.step, contents)
        self._reporter.file_saved(
            "checkpoint",
            saved.path.relative_to(self._run_dir).as_posix(),
            saved.size,
            saved.manifest_sha256,
            progress,
            progress.metrics,
            label,
        )
        for gone in self._checkpoints.prune([one["step"] for one in progress.best_checkpoints]):
            self._reporter.file_removed(gone.path.relative_to(self._run_dir).as_posix(), gone.size)

    def resume(self, checkpoint: Path) -> LoadedCheckpoint | None:
        """Puts the wanted checkpoint, or the newest sound one before it, in force."""
        loaded = self._checkpoints.load_newest(checkpoint)
        if loaded is None:
            return None
        contents = loaded.contents
        self._task.model.load_state_dict(contents.model)
        self._optimizer.load_state_dict(contents.optimizer)
        if self._averaged is not None and contents.averaged is not None:
            self._averaged.restore(contents.averaged)
        if contents.scaler:
            self._precision.restore(contents.scaler)
        self._best_state = dict(contents.best) if contents.best is not None else None
        self.progress = Progress(**contents.progress)
        self._first_step = self._saved_step = loaded.step
        # With more processes than before the new ones keep the states they have.
        if self._peers.rank < len(contents.random):
            restore_random_states(contents.random[self._peers.rank], self._task.device)
        return loaded

    # -- the end -----------------------------------------------------------------------------------

    def _finish(self, state: str) -> RunEnd:
        """Exports the best weights, loads them back from disk, and tests what was loaded."""
        task, progress = self._task, self.progress
        if not self._peers.is_first:
            return RunEnd(state)
        if state == "finished" and progress.step < self.total_steps:
            self._reporter.stopped_early(progress, task.config.early_stopping_patience)
        self._report_progress("saving", now=True)
        folder = self._run_dir / "weights"
        metrics = dict(progress.metrics)
        if progress.best is not None:
            metrics[progress.best["metric"]] = progress.best["value"]
            metrics["val/loss"] = progress.best["loss"]
        facts = {"step": progress.step, "best": progress.best, "metrics": metrics}
        state_dict = self._best_state or {
            **task.model.state_dict(),
            **(self._averaged.state() if self._averaged is not None else {}),
        }
        card = save_weights(folder, task, state_dict, facts)
        if len(task.test) > 0:
            self._report_progress("testing", now=True)
            model = load_weights(folder).model.to(task.device)
            tested = evaluate(task, model, task.test, self._precision, Peers()).means
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
                "epoch": min(progress.epoch + 1, self.total_epochs),
                "total_epochs": self.total_epochs,
                "batch": progress.batch,
                "batches": self._task.train_batches.num_batches,
                "eta_s": remaining / steps_per_s if steps_per_s else None,
                "steps_per_s": steps_per_s,
                "lr_schedule": self._schedule.kind,
                "phase": phase,
            }
        )
