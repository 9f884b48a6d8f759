"""Owns how points become one `metric-points` event: a column each of steps, times and values.

Written by hand instead of by json.dumps: the steps and times of metrics that were logged together are
said once and used for each, which saves two thirds of the work. It runs beside the training.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping


class PointColumns:
    def __init__(self, name_is_good: Callable[[str], bool]) -> None:
        self._name_is_good = name_is_good
        self._values: dict[str, list[float]] = {}
        # Per metric, the numbers of the rows that it has values in.
        self._rows: dict[str, list[int]] = {}
        self._steps: list[int] = []
        self._times: list[float] = []

    def add(self, step: int, time: float, points: Mapping[str, float]) -> None:
        """One row: the points of one `log()`."""
        row = len(self._steps)
        self._steps.append(step)
        self._times.append(time)
        for name, value in points.items():
            values = self._values.get(name)
            if values is None:
                if not self._name_is_good(name):
                    continue
                values = self._values[name] = []
                self._rows[name] = []
            values.append(value)
            self._rows[name].append(row)

    def is_empty(self) -> bool:
        return not self._values

    def take_event(self) -> str:
        """The event as JSON; afterwards there are no rows."""
        parts = []
        last_rows: list[int] | None = None
        steps_and_times = ""
        for name, values in self._values.items():
            rows = self._rows[name]
            if rows != last_rows:
                last_rows = rows
                steps = ",".join([str(self._steps[row]) for row in rows])
                times = ",".join([repr(self._times[row]) for row in rows])
                steps_and_times = f'{{"step":[{steps}],"time":[{times}],"value":['
            parts.append(f"{json.dumps(name)}:{steps_and_times}{_join_values(values)}]}}")
        self._values, self._rows, self._steps, self._times = {}, {}, [], []
        return '{"type":"metric-points","series":{' + ",".join(parts) + "}}"


def encode_value(value: float) -> float | str:
    """A metric value on the wire: JSON has no NaN."""
    number = float(value)
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _join_values(values: list[float]) -> str:
    # A sum with something non-finite in it is not finite either; one look for the whole column.
    if math.isfinite(sum(values)):
        return ",".join([repr(value) for value in values])
    return ",".join([json.dumps(encode_value(value)) for value in values])
