"""Owns how long a step takes, and from that how long the training will."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from typing import Any

import torch

from ..counted import counted
from ..evaluating import evaluating
from ..task import Task
from .budget import Budget
from .findings import OK, Finding, duration
from .trial import Trial, endless_batches

MAX_STEPS = 12


@dataclass(frozen=True)
class Pace:
    step_s: float
    evaluation_s: float
    total_steps: int
    steps_per_epoch: int
    num_evaluations: int
    # Threads that the measurement had on the CPU; a training may have more. None on a GPU.
    num_cores: int | None

    @property
    def total_s(self) -> float:
        return self.total_steps * self.step_s + self.num_evaluations * self.evaluation_s

    def to_json(self) -> dict[str, Any]:
        told = {name: value for name, value in self.__dict__.items() if name != "num_cores"}
        return {**told, "total_s": self.total_s}

    def _cores(self) -> tuple[str, str]:
        if self.num_cores is None:
            return "", ""
        threads = "one CPU thread" if self.num_cores == 1 else f"{self.num_cores} CPU threads"
        return f", measured on {threads}", f"（按 {self.num_cores} 个 CPU 线程测得）"

    def finding(self) -> Finding:
        whole, whole_zh = duration(self.total_s)
        step, step_zh = duration(self.step_s)
        cores, cores_zh = self._cores()
        return Finding(
            "time",
            OK,
            f"Time: about {whole} for {counted(self.total_steps, 'step')} of {step} and "
            f"{counted(self.num_evaluations, 'evaluation')}"
            f"{cores}.",
            f"时间：约 {whole_zh}，共 {self.total_steps:,} 步（每步 {step_zh}）与 {self.num_evaluations:,} 次评估"
            f"{cores_zh}。",
        )


def measure_pace(task: Task, budget: Budget, first_step_s: float) -> Pace:
    """`first_step_s`: of the step that measured the memory, where there is no time for more."""
    config = task.config
    step_s = first_step_s
    if not budget.is_spent:
        trial, batches = Trial(task), endless_batches(task)
        # The first step allocates and warms up.
        trial.timed_step(batches)
        times = [trial.timed_step(batches)]
        while len(times) < MAX_STEPS and not budget.is_spent:
            times.append(trial.timed_step(batches))
        step_s = statistics.median(times)
    batches_a_step = config.accumulate_steps * config.processes
    steps_per_epoch = math.ceil(task.train_batches.num_batches / batches_a_step)
    steps = config.epochs * steps_per_epoch
    total_steps = min(steps, config.max_steps or steps)
    every = config.eval_every_steps
    # The end is evaluated in any case.
    evaluations = (
        math.ceil(total_steps / steps_per_epoch)
        if every is None
        else math.ceil(total_steps / every)
    )
    evaluation_s = _evaluation_s(task)
    return Pace(
        step_s * config.accumulate_steps,
        evaluation_s,
        total_steps,
        steps_per_epoch,
        evaluations,
        torch.get_num_threads() if task.device.type == "cpu" else None,
    )


@torch.inference_mode()
def _evaluation_s(task: Task) -> float:
    """Of the whole validation part, by its first batch."""
    started = time.perf_counter()
    first = next(iter(task.validation), None)
    if first is None:
        return 0.0
    with evaluating(task.model):
        count = task.eval_sums(task.model, first).count
    seconds = time.perf_counter() - started
    return seconds * len(task.validation) / max(1, count)
