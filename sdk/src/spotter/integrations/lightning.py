"""Owns the logger and the callback for Lightning, by either of its names.

    trainer = Trainer(logger=SpotterLogger(), callbacks=[SpotterCallback()])

The logger tells metrics, hyperparameters and checkpoints; the callback hears what is asked of the run.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import spotter
from spotter.script_run import Run
from spotter.values import to_config

from .joining import Joined


def _library() -> str:
    """The name by which the script has imported it; classes of the one are none of the other."""
    both = ("lightning.pytorch", "pytorch_lightning")
    imported = [name for name in both if name in sys.modules]
    installed = [name for name in both if importlib.util.find_spec(name.partition(".")[0])]
    return (imported or installed or list(both))[0]


_NAME = _library()
_callbacks = importlib.import_module(f"{_NAME}.callbacks")
_loggers = importlib.import_module(f"{_NAME}.loggers.logger")
_rank_zero_only = importlib.import_module(f"{_NAME}.utilities").rank_zero_only


class SpotterLogger(_loggers.Logger):  # type: ignore[misc, name-defined]
    """Metrics keep their names. Takes the arguments of `spotter.init()`."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = options
        self._joined: Joined | None = None
        self._told: set[str] = set()
        # With the name, the folder of the trainer's own checkpoints: another one each time.
        self._version = time.strftime("%Y%m%d-%H%M%S")

    @property
    def name(self) -> str:
        return str(self._options.get("name") or "spotter")

    @property
    def version(self) -> str:
        return self._version

    @property
    @_loggers.rank_zero_experiment  # type: ignore[untyped-decorator]
    def experiment(self) -> Run:
        """The run; begins it."""
        self._begin()
        assert spotter.run is not None
        return spotter.run

    @_rank_zero_only  # type: ignore[untyped-decorator]
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        self._begin().tell_config(to_config(params))

    @_rank_zero_only  # type: ignore[untyped-decorator]
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._begin()
        spotter.log(metrics, step=step)

    @_rank_zero_only  # type: ignore[untyped-decorator]
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        # Under the run that this logger has begun, or joined: the newest file, once.
        path = checkpoint_callback.last_model_path or checkpoint_callback.best_model_path
        step = getattr(checkpoint_callback, "_last_global_step_saved", 0)
        if path and f"{path} {step}" not in self._told and Path(path).exists():
            self._told.add(f"{path} {step}")
            spotter.checkpoint(path, step=step)

    @_rank_zero_only  # type: ignore[untyped-decorator]
    def finalize(self, status: str) -> None:
        if self._joined is not None:
            ended = "stopped" if spotter.should_stop() else "finished"
            self._joined.end(ended if status in ("success", "finished") else "failed")
            self._joined = None

    def _begin(self) -> Joined:
        if self._joined is None:
            self._joined = Joined(self._options)
            self._joined.begin()
        return self._joined


class SpotterCallback(_callbacks.Callback):  # type: ignore[misc, name-defined]
    """Ends the training when the run should stop, and saves when a checkpoint is asked for."""

    def on_train_batch_end(self, trainer: Any, *_: Any, **__: Any) -> None:
        if spotter.should_stop():
            trainer.should_stop = True
        if spotter.should_checkpoint():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "asked-for.ckpt"
                trainer.save_checkpoint(file)
                spotter.checkpoint(file, step=trainer.global_step)
