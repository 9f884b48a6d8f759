"""Owns the story of a pre-flight: build the task, look at it, try it out on copies, say what was seen.

A ValueError (the user's to settle) becomes a line of the verdict; whatever else goes wrong ends the job.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..data.unreadable_file import place_in_data
from ..device import describe_device
from ..failures import describe_failure
from ..randomness import untouched_randomness
from ..recipe_configs import CONFIGS, LoopConfig
from ..recipes import recipe_module
from ..starting import start_from
from ..task import Batch, Places, Task
from ..tracker import Tracks
from .broken_files import find_broken
from .budget import Budget, at_most
from .census import Census, measure_inputs
from .findings import PROBLEM, Finding
from .first_loss import measure_first_loss
from .memory import estimate_memory
from .overfit import overfit_one_batch
from .pace import measure_pace
from .rate_sweep import RateSweep, sweep_rates
from .report import GrowingReport
from .trial import endless_batches

# Reading the data is no check and may take long; nobody should wait for ever.
MAX_BUILD_S = 300.0
NUM_SAMPLES = 8
# Shares of the time that is left when a check begins.
DATA_SHARE, PACE_SHARE, RATE_SHARE = 0.3, 0.15, 0.55
BROKEN_S = 10.0


def preflight(
    recipe: str,
    given: dict[str, Any],
    places: Places,
    budget_s: float,
    tracker: Tracks,
    trials: bool = True,
) -> dict[str, Any]:
    """Tells the report after every check; returns the whole.

    `trials`: the checks that train for a while too, the learning-rate sweep and the one batch by heart.
    """
    report = GrowingReport(tracker, recipe, budget_s)
    report.begin("build")
    task = _build(recipe, given, places, report)
    if task is not None:
        look(task, report, Budget(budget_s), trials)
    report.end()
    return report.to_json()


def look(task: Task, report: GrowingReport, budget: Budget, trials: bool = True) -> None:
    """Leaves the task as it was: what trains it afterwards gets the same numbers."""
    with untouched_randomness(task.device):
        _Checks(task, report, budget).run(trials)


def _build(
    recipe: str, given: dict[str, Any], places: Places, report: GrowingReport
) -> Task | None:
    try:
        with at_most(MAX_BUILD_S, "reading the data"):
            config = CONFIGS[recipe].parse(given)
            assert isinstance(config, LoopConfig)
            task: Task = recipe_module(recipe).build_task(config, places)
            start_from(task, places)
    except ValueError as error:
        report.findings.append(
            Finding(
                "data-or-config-unusable",
                PROBLEM,
                f"The training would fail at once: {error}",
                f"训练会立即失败：{error}",
                "data",
            )
        )
        data = [place for name, place in places.items() if name in given and "data" in name]
        _tell_broken([place for place in data if place.exists()], str(error), report)
        return None
    report.parts |= {
        "device": describe_device(task.device),
        "model": {"name": task.model_name, "parameters": task.num_parameters},
        "derived": task.derived,
    }
    report.done("build")
    return task


def _tell_broken(places: list[Path], first: str, report: GrowingReport) -> None:
    """`first`: what the training would end with, which has its line already."""
    broken = [one for place in places for one in find_broken(place, Budget(BROKEN_S))]
    if len(broken) < 2:
        return
    names = [place_in_data(Path(one["file"])) for one in broken[:5]]
    names += ["…"] if len(broken) > 5 else []
    if first in [one["message"] for one in broken]:
        # One of those that are named here: said once.
        report.findings.pop()
    report.findings.append(
        Finding(
            "files-broken",
            PROBLEM,
            f"The training would fail at once: {len(broken)} files cannot be read: {', '.join(names)}."
            " Repair or remove them.",
            f"训练会立即失败：{len(broken)} 个文件无法读取：{'、'.join(names)}。请修复或移除。",
            "data",
        )
    )
    report.parts["data"] = {
        **{"classes": [], "parts": [], "imbalance": None, "length_unit": None},
        **{"median_length": None, "shortest": [], "longest": [], "inputs": None},
        **{"broken": broken, "is_cut_short": False},
    }


class _Checks:
    """Each check is told before it begins and when it is done."""

    def __init__(self, task: Task, report: GrowingReport, budget: Budget) -> None:
        self._task, self._report, self._budget = task, report, budget
        self._step_s = 0.0
        self._batch: Batch | None = None
        self._rates: RateSweep | None = None

    def run(self, trials: bool) -> None:
        steps: list[tuple[str, Callable[[], None]]] = [
            ("samples", self._show_samples),
            ("data", self._count_data),
            ("initial-loss", self._look_at_first_loss),
            ("memory", self._estimate_memory),
            ("time", self._measure_pace),
        ]
        if trials:
            steps += [("learning-rate", self._sweep_rates), ("overfit", self._overfit)]
        for name, check in steps:
            self._report.begin(name)
            if not self._carry_out(check):
                return
            self._report.done(name)

    def _carry_out(self, check: Callable[[], None]) -> bool:
        """False where nothing further makes sense."""
        try:
            check()
            return True
        # An edge: what a training would fail with is what the person wants to know.
        except (ValueError, MemoryError, RuntimeError) as error:
            failure = describe_failure(error, self._task.config.to_json())
            if failure["kind"] not in ("invalid-input", "out-of-memory"):
                raise
            self._add(_as_finding(failure))
            return False

    def _add(self, *findings: Finding) -> None:
        self._report.findings += findings

    def _show_samples(self) -> None:
        self._batch = next(endless_batches(self._task))
        self._report.parts["samples"] = self._task.preview(NUM_SAMPLES)

    def _count_data(self) -> None:
        inputs = measure_inputs(self._batch)
        census = Census(self._task, self._budget.share(DATA_SHARE))
        self._report.parts["data"] = census.to_json(inputs)
        self._add(*census.findings(inputs))

    def _look_at_first_loss(self) -> None:
        pretrained = self._task.config.init_from is not None
        first = measure_first_loss(self._task, self._budget.share(PACE_SHARE), pretrained)
        self._report.parts["initial_loss"] = first.to_json()
        self._add(first.finding())

    def _estimate_memory(self) -> None:
        estimate = estimate_memory(self._task, self._batch)
        self._step_s = estimate.step_s
        self._report.parts["memory"] = estimate.to_json()
        self._add(estimate.finding(self._task.config.batch_size))

    def _measure_pace(self) -> None:
        pace = measure_pace(self._task, self._budget.share(PACE_SHARE), self._step_s)
        self._step_s = pace.step_s / self._task.config.accumulate_steps
        self._report.parts["time"] = pace.to_json()
        self._add(pace.finding())

    def _sweep_rates(self) -> None:
        self._rates = sweep_rates(self._task, self._budget.share(RATE_SHARE), self._step_s)
        self._report.parts["learning_rate"] = self._rates.to_json()
        self._add(self._rates.finding(self._task.config.learning_rate))

    def _overfit(self) -> None:
        """With the config's own learning rate, or, where that is hopeless, the suggested one."""
        configured = self._task.config.learning_rate
        suggested = self._rates.suggested if self._rates else None
        diverged = self._rates.diverged_at if self._rates else None
        is_hopeless = diverged is not None and configured >= diverged
        learning_rate = suggested if is_hopeless and suggested is not None else configured
        found = overfit_one_batch(
            self._task, self._batch, learning_rate, self._budget, self._step_s
        )
        self._report.parts["overfit"] = found.to_json()
        self._add(found.finding())


def _as_finding(failure: dict[str, Any]) -> Finding:
    message = failure["message"]
    if failure["kind"] == "out-of-memory":
        return Finding(
            "out-of-memory",
            PROBLEM,
            f"One step does not fit in memory: {failure['hint']}",
            "单步即超出内存：请减小批大小或模型。",
            "batch_size",
        )
    return Finding(
        "data-or-config-unusable",
        PROBLEM,
        f"The training would fail: {message}",
        f"训练会失败：{message}",
        "data",
    )
