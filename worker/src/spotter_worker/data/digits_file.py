"""Owns where scikit-learn keeps the digits, so that reading them does not import scikit-learn."""

from __future__ import annotations

import csv
import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy


def read_digits_table() -> numpy.ndarray:
    """1,797 rows of 64 grey levels (0–16) and the digit."""
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise ValueError("the built-in digits need the package scikit-learn")
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = [[int(float(cell)) for cell in row] for row in csv.reader(file)]
    return numpy.array(rows, dtype=numpy.uint8)
