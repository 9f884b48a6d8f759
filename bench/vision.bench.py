"""Bench: what the vision recipe reaches. `npm run bench -- vision [folder with MNIST's t10k IDX files]`

Digits: the default config, seeds 0, 1, 2 (weights, order and split alike), bar: mean test accuracy ≥ 98 %.
MNIST: 10,000 images, 8,000 to train and 2,000 to validate, 12 epochs, seeds 0, 1, 2; bar: mean validation accuracy
≥ 98.8 %, each run within 5 minutes. Without the argument MNIST is left out, and that is said.
Two threads; no warm-up; the times are of the whole run without loading Python's libraries.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from training.in_process import train

SEEDS = (0, 1, 2)
NUM_THREADS = 2
CHILD_FLAG = "--as-child"
DIGITS_BAR, MNIST_BAR, MNIST_LIMIT_S = 0.98, 0.988, 300.0


def measure(
    name: str, config: dict[str, Any], places: dict[str, Path], metric: str, bar: float
) -> tuple[bool, float]:
    values, times = [], []
    for seed in SEEDS:
        metrics, seconds = train("vision", {**config, "seed": seed, "split_seed": seed}, places)
        values.append(metrics[metric])
        times.append(seconds)
        print(f"{name}, seed {seed}: {metric} {metrics[metric]:.4f} in {seconds:.1f} s", flush=True)
    mean = statistics.mean(values)
    print(
        f"{name}: mean {metric} {mean:.4f} (bar: {bar}), slowest run {max(times):.1f} s", flush=True
    )
    return mean >= bar, max(times)


def main() -> int:
    import torch

    torch.set_num_threads(NUM_THREADS)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, torch {torch.__version__}"
    )
    passed, _ = measure("digits", {}, {}, "test/accuracy", DIGITS_BAR)
    arguments = [argument for argument in sys.argv[1:] if argument != CHILD_FLAG]
    if not arguments:
        print("MNIST is left out: no folder with its IDX files was named")
        return 0 if passed else 1
    config = {"data": {"path": arguments[0]}, "epochs": 12}
    config |= {"validation_fraction": 0.2, "test_fraction": 0}
    good, slowest = measure(
        "MNIST", config, {"data": Path(arguments[0])}, "val/accuracy", MNIST_BAR
    )
    return 0 if passed and good and slowest <= MNIST_LIMIT_S else 1


def run_as_a_worker() -> int:
    """The thread settings count only if they stand before torch loads, so this starts itself anew."""
    from spotter_worker.settings import worker_environment

    command = [sys.executable, __file__, CHILD_FLAG, *sys.argv[1:]]
    return subprocess.run(command, env=worker_environment(NUM_THREADS), check=False).returncode


if __name__ == "__main__":
    sys.exit(main() if CHILD_FLAG in sys.argv else run_as_a_worker())
