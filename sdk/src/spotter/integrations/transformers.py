"""Owns the callback for Hugging Face's Trainer.

trainer = Trainer(..., callbacks=[SpotterCallback()])
trainer.train(resume_from_checkpoint=spotter.resumed_from())
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

import spotter

from .joining import Joined

# Secrets, and what says nothing about the training.
LEFT_OUT = ("token", "logging_dir", "report_to")
# `train_loss` comes once, at the end: the mean over all of it, no point of the curve.
RENAMED = {"grad_norm": "gradient_norm", "train_loss": "mean_loss"}


class SpotterCallback(TrainerCallback):  # type: ignore[misc]
    """Metrics, checkpoints, stop and checkpoint requests. Takes the arguments of `spotter.init()`."""

    def __init__(self, **options: Any) -> None:
        self._joined = Joined(options)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        name = getattr(args, "run_name", None) or Path(args.output_dir or "trainer").name
        self._joined.begin(
            name=name,
            config=_config(args, more.get("model")),
            total_steps=state.max_steps,
            total_epochs=math.ceil(args.num_train_epochs) if args.max_steps <= 0 else None,
        )

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        if state.is_world_process_zero:
            spotter.log(_named(logs or {}), step=state.global_step)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> TrainerControl:
        if state.is_world_process_zero:
            if spotter.should_stop():
                control.should_training_stop = True
            if spotter.should_checkpoint():
                control.should_save = True
        return control

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        folder = Path(args.output_dir or ".") / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero and folder.exists():
            spotter.checkpoint(folder, step=state.global_step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        if state.is_world_process_zero:
            self._joined.end("stopped" if spotter.should_stop() else "finished")


def _named(logs: dict[str, Any]) -> dict[str, Any]:
    """`eval_loss` → `val/loss`, `loss` → `train/loss`: names that every run's charts share."""
    named: dict[str, Any] = {}
    for name, value in logs.items():
        if name == "epoch":
            named[name] = value
            continue
        part, plain = ("val", name[5:]) if name.startswith("eval_") else ("train", name)
        named[f"{part}/{RENAMED.get(plain, plain.removeprefix('train_'))}"] = value
    return named


def _config(args: TrainingArguments, model: Any) -> dict[str, Any]:
    given: dict[str, Any] = args.to_dict()  # type: ignore[no-untyped-call]
    told = {
        name: value for name, value in given.items() if not any(part in name for part in LEFT_OUT)
    }
    model_config = getattr(model, "config", None)
    return {**told, **({"model": model_config.to_dict()} if model_config is not None else {})}
