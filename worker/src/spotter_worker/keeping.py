"""Owns what a run leaves on disk: checkpoints by the config's policy, and at the end its best weights, tested."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from .averaging import AveragedWeights
from .checkpoint import CheckpointFolder, Contents, LoadedCheckpoint, RemovedCheckpoint
from .distributed import Peers
from .evaluation import evaluate
from .forking import Ahead, Fork, check_fork, open_fork
from .precision import Precision
from .progress import Progress, Ranking, metrics_of_weights
from .randomness import random_states, restore_random_states
from .report import Reporter
from .task import Task
from .weights import CARD_NAME, WEIGHTS_NAME, load_weights, save_weights, write_card

State = dict[str, torch.Tensor]
# So many of the last changes keep the checkpoints that they can be reverted to.
MAX_REVERTIBLE = 20


@dataclass(frozen=True)
class Trained:
    """Everything that a step changes, beside the progress."""

    task: Task
    optimizer: torch.optim.Optimizer
    precision: Precision
    averaged: AveragedWeights | None


class Keeper:
    def __init__(
        self, trained: Trained, ranking: Ranking, reporter: Reporter, peers: Peers, run_dir: Path
    ) -> None:
        config = trained.task.config
        self._trained, self._ranking = trained, ranking
        self._reporter, self._peers, self._run_dir = reporter, peers, run_dir
        self._checkpoints = CheckpointFolder(
            run_dir / "checkpoints", config.keep_checkpoints, config.checkpoint_budget_mb
        )
        self.best_state: State | None = None
        self._saved_step, self._saved_at = -1, time.monotonic()

    def remember_best(self, metrics: dict[str, float]) -> None:
        """A copy of the weights as they are now (averaged, where those are being evaluated), which gave these metrics."""
        state = self._trained.task.kept_weights(self._whole_state(), metrics)
        if self._peers.is_first:
            self.best_state = {
                name: tensor.detach().to("cpu", copy=True).contiguous()
                for name, tensor in state.items()
            }

    # -- checkpoints -------------------------------------------------------------------------------

    def is_due(self, step: int) -> bool:
        """In the middle of an epoch: by steps, or by the first process's clock."""
        config = self._trained.task.config
        every, minutes = config.checkpoint_every_steps, config.checkpoint_every_minutes
        by_steps = every is not None and step % every == 0
        if by_steps or minutes is None:
            return by_steps
        return self._peers.from_first(time.monotonic() - self._saved_at >= minutes * 60)

    def is_saved(self, step: int) -> bool:
        return step == self._saved_step

    def save(self, progress: Progress, label: str | None) -> None:
        keep_best = self._trained.task.config.keep_best
        if progress.evaluated_step == progress.step and progress.metrics:
            standing = self._ranking.stand(progress.metrics, progress.step, progress.epoch)
            best = self._ranking.best_few([*progress.best_checkpoints, standing], keep_best)
            label = "best" if best[0] is standing else label
            progress.best_checkpoints = best
        contents = self._contents(progress)
        if self._peers.is_first:
            self._write(progress, contents, label)
        self._peers.wait()
        self._saved_step, self._saved_at = progress.step, time.monotonic()

    def _contents(self, progress: Progress) -> Contents:
        trained, peers = self._trained, self._peers
        averaged = None if trained.averaged is None else trained.averaged.state()
        optimizer = trained.optimizer.state_dict()
        if peers.is_sharded:
            from .sharding import whole

            averaged, optimizer = whole(averaged), whole(optimizer)
        return Contents(
            model=self._whole_state(),
            optimizer=optimizer,
            best=self.best_state,
            averaged=averaged,
            scaler=trained.precision.state(),
            random=peers.gather(random_states(trained.task.device)),
            progress=dict(vars(progress)),
            config=trained.task.config.to_json(),
            task=trained.task.state(),
        )

    def _write(self, progress: Progress, contents: Contents, label: str | None) -> None:
        saved = self._checkpoints.save(progress.step, contents)
        path = saved.path.relative_to(self._run_dir).as_posix()
        at = (progress.step, progress.epoch)
        self._reporter.file_saved(
            "checkpoint", path, saved.size, saved.manifest_sha256, at, progress.metrics, label
        )
        best = [one["step"] for one in progress.best_checkpoints]
        # What a change can be reverted to.
        wanted = [one["step"] for one in progress.changes[-MAX_REVERTIBLE:]]
        self._tell_removed(self._checkpoints.prune(best, wanted))

    def _tell_removed(self, removed: list[RemovedCheckpoint]) -> None:
        for gone in removed:
            self._reporter.file_removed(gone.path.relative_to(self._run_dir).as_posix(), gone.size)

    def path_of(self, step: int) -> str:
        """Of the step's checkpoint, relative to the run folder."""
        return self._checkpoints.path(step).relative_to(self._run_dir).as_posix()

    def forget_after(self, step: int) -> None:
        """Removes checkpoints that a reverted change has led to; another resume must not find them."""
        if self._peers.is_first:
            self._tell_removed(self._checkpoints.remove_after(step))

    def resume(self, checkpoint: Path) -> tuple[LoadedCheckpoint, Progress] | None:
        """Puts the wanted checkpoint, or the newest sound one before it, in force."""
        loaded = self._checkpoints.load_newest(checkpoint)
        if loaded is None:
            return None
        contents, trained = loaded.contents, self._trained
        self._fill(contents)
        trained.task.restore(contents.task)
        if contents.scaler:
            trained.precision.restore(contents.scaler)
        self.best_state = dict(contents.best) if contents.best is not None else None
        self._saved_step = loaded.step
        # With more processes than before the new ones keep the states they have.
        if self._peers.rank < len(contents.random):
            restore_random_states(contents.random[self._peers.rank], trained.task.device)
        return loaded, Progress(**contents.progress)

    def begin_fork(self, fork: Fork) -> Contents:
        """Puts another run's checkpoint in force, as far as the fork keeps it."""
        trained = self._trained
        contents = open_fork(fork, trained.task.model.state_dict(), trained.task.classes)
        # Saved with the optimizer's state are its settings; here the fork's own count.
        groups = [{**group} for group in trained.optimizer.param_groups]
        self._fill(contents, with_optimizer=fork.kept.optimizer)
        for group, own in zip(trained.optimizer.param_groups, groups, strict=True):
            group.update({name: value for name, value in own.items() if name != "params"})
        trained.task.restore(contents.task)
        if fork.kept.optimizer and contents.scaler and trained.precision.state():
            trained.precision.restore(contents.scaler)
        if trained.averaged is not None and contents.averaged is None:
            trained.averaged.begin_anew()
        if fork.is_exact and contents.best is not None:
            self.best_state = dict(contents.best)
        if fork.kept.rng and self._peers.rank < len(contents.random):
            restore_random_states(contents.random[self._peers.rank], trained.task.device)
        return contents

    def check_fork(self, fork: Fork, contents: Contents, progress: Progress, ahead: Ahead) -> None:
        optimizer = self._trained.optimizer.state_dict()
        if self._peers.is_sharded:
            from .sharding import whole

            optimizer = whole(optimizer)
        state = self._whole_state()
        check_fork(fork, contents, self._trained, state, optimizer, progress, ahead, self._peers)

    def _fill(self, contents: Contents, with_optimizer: bool = True) -> None:
        trained = self._trained
        if self._peers.is_sharded:
            from .sharding import fill, fill_optimizer

            fill(trained.task.model.state_dict(), contents.model)
            if with_optimizer:
                fill_optimizer(trained.optimizer, contents.optimizer)
            if trained.averaged is not None and contents.averaged is not None:
                fill(trained.averaged.state(), contents.averaged)
            return
        trained.task.model.load_state_dict(contents.model)
        if with_optimizer:
            trained.optimizer.load_state_dict(contents.optimizer)
        if trained.averaged is not None and contents.averaged is not None:
            trained.averaged.restore(contents.averaged)

    # -- the end -----------------------------------------------------------------------------------

    def export(self, progress: Progress, tell_phase: Callable[[str], None]) -> dict[str, float]:
        """Saves the best weights, loads them back from disk, and tests what was loaded; the run's last metrics."""
        task = self._trained.task
        # Without any evaluation the weights as they stand are the best there are.
        state = self.best_state if progress.best is not None else self._state_to_evaluate()
        if not self._peers.is_first:
            return {}
        assert state is not None
        if progress.best is None:
            state = task.kept_weights(state, {})
        tell_phase("saving")
        folder = self._run_dir / "weights"
        metrics = metrics_of_weights(progress)
        facts = {"step": progress.step, "best": progress.best, "metrics": metrics}
        card = save_weights(folder, task, state, facts)
        sets = {"test": task.test, **task.closing_evaluations()}
        sets = {name: batches for name, batches in sets.items() if len(batches) > 0}
        if sets:
            tell_phase("testing")
            model = load_weights(folder).model.to(task.device)
            tested: dict[str, float] = {}
            for set_name, batches in sets.items():
                means = evaluate(task, model, batches, self._trained.precision, Peers()).means
                tested |= {f"{set_name}/{name}": value for name, value in means.items()}
            tested |= task.closing_metrics({**metrics, **tested})
            metrics |= tested
            self._reporter.points(progress.step, tested)
            write_card(folder, {**card, "metrics": metrics})
        self._reporter.weights_saved(folder / WEIGHTS_NAME, card, progress, metrics)
        self._reporter.card_saved(folder / CARD_NAME, progress)
        return metrics

    def _state_to_evaluate(self) -> State:
        averaged = self._trained.averaged
        if averaged is None:
            return self._whole_state()
        with averaged.in_place():
            return {name: tensor.clone() for name, tensor in self._whole_state().items()}

    def _whole_state(self) -> State:
        if self._peers.is_sharded:
            from .sharding import whole_state

            return whole_state(self._trained.task.model)
        return self._trained.task.model.state_dict()
