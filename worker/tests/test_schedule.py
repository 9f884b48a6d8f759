"""Learning rates: each schedule's shape, its ends, and which warm-up counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spotter_worker.recipe_configs import VisionConfig
from spotter_worker.schedule import Schedule, build_schedule

GOLDEN = Path(__file__).parents[2] / "packages/contract/golden/forks"
SCHEDULES = (
    "cosine",
    "step",
    "constant",
    "linear",
    "one-cycle",
    "plateau",
    "warmup-stable-decay",
)


def build(steps: int = 100, **config: object) -> Schedule:
    return build_schedule(
        VisionConfig.parse({"learning_rate": 1.0, "warmup_epochs": 0, **config}), 10, steps
    )


@pytest.mark.parametrize(
    ("kind", "first", "middle", "last"),
    [
        ("constant", 1.0, 1.0, 1.0),
        ("linear", 1.0, 0.55, 0.109),
        ("cosine", 1.0, 0.55, 0.1),
        ("warmup-stable-decay", 1.0, 1.0, 0.1),
    ],
)
def test_each_begins_at_the_peak_and_ends_where_it_should(
    kind: str, first: float, middle: float, last: float
) -> None:
    schedule = build(schedule=kind, min_learning_rate_share=0.1)
    found = [schedule.learning_rate(step) for step in (1, 51, 100)]
    assert found == pytest.approx([first, middle, last], abs=2e-3)


def test_warmup_steps_count_instead_of_warmup_epochs() -> None:
    by_epochs = build(schedule="constant", warmup_epochs=2)
    by_steps = build(schedule="constant", warmup_epochs=2, warmup_steps=4)
    assert by_epochs.learning_rate(5) == 0.25
    assert by_steps.learning_rate(1) == 0.25
    assert by_steps.learning_rate(5) == 1.0


def test_the_step_schedule_drops_every_few_epochs() -> None:
    schedule = build(schedule="step", step_every_epochs=3, step_factor=0.5)
    assert [schedule.learning_rate(step) for step in (30, 31, 61)] == [1.0, 0.5, 0.25]


def test_a_plateau_drops_as_often_as_it_is_told_down_to_the_floor() -> None:
    schedule = build(schedule="plateau", step_factor=0.5, min_learning_rate_share=0.2)
    assert [schedule.learning_rate(50, drops) for drops in (0, 1, 2, 3)] == [1.0, 0.5, 0.25, 0.2]


def test_one_cycle_rises_once_and_falls_once() -> None:
    rates = [build(schedule="one-cycle").learning_rate(step) for step in range(1, 101)]
    assert rates[0] == pytest.approx(1 / 25)
    assert rates.index(max(rates)) == 29 and max(rates) == pytest.approx(1.0)
    assert rates[:30] == sorted(rates[:30])
    assert rates[29:] == sorted(rates[29:], reverse=True)
    assert rates[-1] == pytest.approx(1e-4 / 25)


def test_the_golden_rates_that_the_server_tells_beforehand() -> None:
    cases = json.loads((GOLDEN / "LearningRates.every-schedule.json").read_text())["cases"]
    assert {one["config"]["schedule"] for one in cases} == set(SCHEDULES)
    for one in cases:
        config = VisionConfig.parse(one["config"])
        schedule = build_schedule(config, one["steps_per_epoch"], one["total_steps"])
        for step, rate in one["rates"]:
            assert schedule.learning_rate(step, one["drops"]) == pytest.approx(rate, rel=1e-12)
