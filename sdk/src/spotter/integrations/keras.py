"""Owns the callback for Keras 3, on whichever backend it runs: TensorFlow, PyTorch or JAX.

    model.fit(..., callbacks=[SpotterCallback()])

Between epochs the values are those that Keras shows: means since the epoch's beginning.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras

import spotter

from .joining import Joined


class SpotterCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Metrics, stop and checkpoint requests. Takes the arguments of `spotter.init()`, and how often to log.

    `save_every_epochs` saves the whole model as a checkpoint; the last ones are kept.
    """

    def __init__(
        self, log_every_steps: int = 1, save_every_epochs: int | None = None, **options: Any
    ) -> None:
        super().__init__()
        self._log_every_steps = max(1, log_every_steps)
        self._save_every_epochs = save_every_epochs
        self._joined = Joined(options)
        self._step = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._step = 0
        epochs, steps = self.params.get("epochs"), self.params.get("steps")
        optimizer = getattr(self.model, "optimizer", None)
        self._joined.begin(
            name=self.model.name,
            config={
                "epochs": epochs,
                "steps_per_epoch": steps,
                "backend": keras.backend.backend(),
                "parameters": self.model.count_params() if self.model.built else None,
                "optimizer": None if optimizer is None else optimizer.get_config(),
            },
            total_steps=epochs * steps if epochs and steps else None,
            total_epochs=epochs,
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._step += 1
        if self._step % self._log_every_steps == 0:
            spotter.log(_named(logs or {}), step=self._step)
        if spotter.should_stop():
            self.model.stop_training = True
        if spotter.should_checkpoint():
            self._save()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        named = {**_named(logs or {}), "epoch": epoch + 1}
        if rate is not None and "train/learning_rate" not in named:
            named["train/learning_rate"] = float(keras.ops.convert_to_numpy(rate))
        spotter.log(named, step=self._step)
        if self._save_every_epochs is not None and (epoch + 1) % self._save_every_epochs == 0:
            self._save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._joined.end("stopped" if spotter.should_stop() else "finished")

    def _save(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{self.model.name}.keras"
            self.model.save(file)
            spotter.checkpoint(file, step=self._step)


def _named(logs: dict[str, Any]) -> dict[str, Any]:
    """`val_loss` → `val/loss`, `loss` → `train/loss`: names that every run's charts share."""
    return {
        f"val/{name[4:]}" if name.startswith("val_") else f"train/{name}": value
        for name, value in logs.items()
    }
