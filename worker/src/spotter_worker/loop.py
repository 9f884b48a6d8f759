"""Owns the story of a training run, top to bottom: prepare, train, look, save, test.

Commands take effect between two steps. Everything that decides the numbers is in the training, the
checkpoint and this file; the tracker, the probes and the commands only watch.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn.utils import clip_grad_norm_, get_total_norm

from .averaging import AveragedWeights
from .checkpoint import LoadedCheckpoint
from .commands import Command, CommandPoll
from .compiling import compiled
from .distributed import Peers
from .evaluating import evaluating
from .evaluation import Evaluation, evaluate
from .forking import Ahead, Fork, progress_of_fork
from .keeping import Keeper, Trained
from .norm_momentum import follow_the_weights
from .optimizers import build_optimizer
from .parking import Parking
from .precision import Precision
from .probes import Probes, gradients_of
from .progress import Progress, Ranking
from .randomness import untouched_randomness
from .report import Reporter
from .steering import Steering
from .step_scores import StepScores
from .task import EvalBatches, Task

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
    # Only this attempt has ended.
    goes_on: bool = False


class Loop:
    def __init__(
        self,
        task: Task,
        reporter: Reporter,
        commands: CommandPoll,
        run_dir: Path,
        probes_enabled: bool = True,
        peers: Peers | None = None,
        reverted: Collection[int] = (),
        pause_release_s: float | None = None,
    ) -> None:
        """`reverted`: changes of earlier attempts that are not to be made again, by their commands. `pause_release_s`: a
        paused run frees its device's memory after so long; None: never.
        """
        config = task.config
        self._task = task
        self._peers = peers or Peers()
        # What is trained may be wrapped; what is evaluated, saved and probed is the model itself.
        self._model = compiled(self._peers.share_model(task), config)
        self._optimizer = build_optimizer(config, task.model)
        self._precision = Precision(config.precision, task.device)
        self._averaged = (
            AveragedWeights(task.model, config.ema_decay) if config.ema_decay is not None else None
        )
        self.progress = Progress()
        self._ranking = Ranking(config, {"train", "val", *task.extra_evaluations()})
        self._reporter = reporter
        self._commands = commands
        trained = Trained(task, self._optimizer, self._precision, self._averaged)
        self._keeper = Keeper(trained, self._ranking, reporter, self._peers, run_dir)
        self._steering = Steering(trained, self._keeper, reporter, self._peers, run_dir, reverted)
        self._parking, self._pause_release_s = Parking(trained), pause_release_s
        # Of a model in pieces one process sees too little; the norm of all gradients is taken by all together.
        watches = probes_enabled and self._peers.is_first and not self._peers.is_sharded
        self._probes = Probes(task.model, watches)
        momentum = follow_the_weights(task.model, self.total_steps)
        if momentum is not None:
            task.derived["batch_norm_momentum"] = momentum
        self._first_step = 0
        self._training_time_s, self._epoch_time_s = 0.0, 0.0
        self._progress_sent_at = 0.0

    @property
    def steps_per_epoch(self) -> int:
        return self._steering.course.steps_per_epoch

    @property
    def total_steps(self) -> int:
        return self._steering.course.total_steps

    @property
    def total_epochs(self) -> int:
        return self._steering.course.total_epochs

    def run(self) -> RunEnd:
        task, progress = self._task, self.progress
        model, optimizer, precision = self._model, self._optimizer, self._precision
        model.train()
        if progress.step == 0:
            self._begin()
        while not self._is_over():
            epoch_batches, accumulate = task.train_batches, task.config.accumulate_steps
            steps = self._peers.steps(epoch_batches, progress.epoch, progress.batch, accumulate)
            self._epoch_time_s = 0.0
            # A change of the batch size makes the rest of the epoch anew.
            while not self._is_over() and task.train_batches is epoch_batches:
                started, config = time.perf_counter(), task.config
                batches = next(steps, None)
                if batches is None:
                    break
                data_ready = time.perf_counter()

                # Gradients of all the step's batches add up to those of one large batch.
                course = self._steering.course
                learning_rate = course.learning_rate(progress.step + 1, progress.drops)
                for parameters in optimizer.param_groups:
                    parameters["lr"] = learning_rate
                optimizer.zero_grad(set_to_none=True)
                seen = StepScores()
                for part in self._peers.parts(batches, task.count):
                    with self._peers.gradients(model, part):
                        with precision.autocast():
                            scores = task.train_scores(model, part.batch)
                        precision.backward(scores.loss, part.share)
                    seen.add(scores, part)
                precision.unscale(optimizer)

                measured = self._probes.before_update(with_global=config.gradient_clip is None)
                if config.gradient_clip is not None:
                    norm = clip_grad_norm_(task.model.parameters(), config.gradient_clip)
                    measured["train/gradient_norm"] = self._peers.whole_number(norm)
                elif self._peers.is_sharded:
                    norm = get_total_norm(gradients_of(task.model))
                    measured["train/gradient_norm"] = self._peers.whole_number(norm)
                precision.step(optimizer)
                measured |= self._probes.after_update()
                progress.step += 1
                progress.batch += batches.num
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
                        **self._probes.rate(task.rate_unit, seen.count),
                    },
                )
                self._report_progress("training")

                self._look_and_save()
                self._steering.repeat(progress, self._save_checkpoint)
                command = self._peers.from_first(self._commands.next_command())
                if command is not None and self._obey(command):
                    return self._finish("stopped")
        return self._finish("finished")

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
        due = due or self._keeper.is_due(progress.step)
        if due:
            self._save_checkpoint("last" if last else None)
        self._training_time_s += time.perf_counter() - started
        if epoch_ended or evaluation_due:
            under_way = progress.epoch + (0 if epoch_ended else 1)
            of_total = (min(under_way, self.total_epochs), self.total_epochs)
            # The last evaluation's values are those of its own step.
            found = progress.metrics if evaluation_due else {}
            self._reporter.epoch_completed(progress, found, due, of_total, self._epoch_time_s)

    def _obey(self, command: Command) -> bool:
        """Carries out one command; true when the run is to stop."""
        step = self.progress.step
        match command.action:
            case "abandon":
                raise AbandonedError
            case "stop":
                self._save_checkpoint()
                self._reporter.command_done(command.id, step)
                return True
            case "checkpoint":
                self._save_checkpoint()
                self._reporter.command_done(command.id, step)
            case "pause":
                self._reporter.command_done(command.id, step)
                return self._pause()
            case "set":
                self._steering.set(command, self.progress, self._save_checkpoint)
            case "revert":
                self._steering.go_back(command, step)
            case "preempt":
                self._steering.give_way(command, step, self._save_checkpoint)
            case "withdrawn":
                why = "nobody urgent waits any more: this run trains on"
                self._reporter.command_refused(command.id, step, why)
            case "stay":
                # What it takes back was answered before it, or has ended the run.
                self._reporter.command_done(command.id, step)
            case "resume":
                self._reporter.command_refused(command.id, step, "the run is not paused")
            case other:
                self._reporter.command_refused(command.id, step, f"this worker knows no {other!r}")
        return False

    def _pause(self) -> bool:
        step = self.progress.step
        self._reporter.paused(step, True)
        self._report_progress("paused", now=True)
        quiet_since = time.monotonic()
        while True:
            heard = self._commands.wait_command(PAUSE_POLL_S) if self._peers.is_first else None
            command = self._peers.from_first(heard)
            if command is None:
                self._park_if_long(time.monotonic() - quiet_since)
                continue
            self._parking.come_back()
            quiet_since = time.monotonic()
            if command.action == "resume":
                self._reporter.command_done(command.id, step)
                self._reporter.paused(step, False)
                self._report_progress("training", now=True)
                return False
            if command.action == "pause":
                self._reporter.command_refused(command.id, step, "the run is paused already")
            elif self._obey(command):
                return True

    def _park_if_long(self, quiet_s: float) -> None:
        release_s = self._pause_release_s
        if release_s is None or self._parking.is_away or self._peers.is_sharded:
            return
        # The first process's clock is everyone's.
        if not self._peers.from_first(quiet_s >= release_s):
            return
        # Should the process die meanwhile, the run goes on from here all the same.
        self._save_checkpoint()
        self._reporter.parked(self.progress.step, self._parking.leave())

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
            found |= task.joint_metrics(found)
            seen = max(1, progress.num_seen)
            trained = {f"train/{name}": value / seen for name, value in progress.sums.items()}
            progress.metrics = {**trained, **found}
            progress.sums, progress.num_seen = {}, 0
            progress.evaluated_step = progress.step
            standing = self._ranking.stand(progress.metrics, progress.step, progress.epoch)
            if self._ranking.is_better(standing, progress.best):
                progress.best, progress.best_metrics = standing, progress.metrics
                progress.evaluations_without_gain = progress.evaluations_since_drop = 0
                self._keeper.remember_best(progress.metrics)
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

    def _begin(self) -> None:
        """What the task measures before anything is learnt."""
        told = self._task.begin(self._means)
        if told:
            self._reporter.points(0, told)

    def _means(self, model: torch.nn.Module, batches: EvalBatches) -> dict[str, float]:
        return evaluate(self._task, model, batches, self._precision, self._peers).means

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
        # A text's length is each process's own affair, a forward pass of a model in pieces is everyone's.
        if not self._peers.is_first or self._peers.is_sharded:
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

    # -- saving ------------------------------------------------------------------------------------

    def _save_checkpoint(self, label: str | None = None) -> None:
        if not self._keeper.is_saved(self.progress.step):
            self._report_progress("saving", now=True)
            self._keeper.save(self.progress, label)

    def resume(self, checkpoint: Path) -> LoadedCheckpoint | None:
        """Goes on from the wanted checkpoint, or the newest sound one before it; None: there is none."""
        found = self._keeper.resume(checkpoint)
        if found is None:
            return None
        loaded, self.progress = found
        self._first_step = loaded.step
        self._steering.restore(self.progress)
        self._steering.repeat(self.progress, self._save_checkpoint)
        return loaded

    def fork(self, fork: Fork) -> None:
        """Begins where another run stood, with what the fork keeps of it; nothing is trained unless that is so."""
        contents = self._keeper.begin_fork(fork)
        self.progress = progress = progress_of_fork(fork, contents)
        course = self._steering.begin_fork(progress)
        self._first_step = progress.step
        rate = course.learning_rate(progress.step + 1, progress.drops)
        ahead = Ahead(course.schedule, rate, course.total_steps)
        self._keeper.check_fork(fork, contents, progress, ahead)

    def _finish(self, state: str) -> RunEnd:
        progress = self.progress
        if state == "finished" and progress.step < self.total_steps and self._peers.is_first:
            self._reporter.stopped_early(progress, self._task.config.early_stopping_patience)
        metrics = self._keeper.export(progress, lambda phase: self._report_progress(phase, True))
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
                "lr_schedule": self._task.config.schedule,
                "phase": phase,
            }
        )
