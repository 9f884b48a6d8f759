"""Bench: learning on without forgetting. `npm run bench -- learning-on`

Digits in two parts: a model learns 0–4 (default config), then goes on with 5–9 in five ways. Mean of seeds 0, 1, 2 (weights,
order and split alike). Accuracy on the test part of the old and of the new digits, among all ten classes; the kept weights
are those best on the new digits' validation part, in every way alike. `forgetting`: accuracy of the old model on the old
digits minus that afterwards. Bars: replay and teacher keep ≥ 90 % on the old digits, where naive continuation falls below
50 %. Besides: three students that learn together, against one alone, on all ten digits (no bar). Two threads; no warm-up.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from training.in_process import train

SEEDS = (0, 1, 2)
NUM_THREADS = 2
CHILD_FLAG = "--as-child"
KEPT_BAR, FORGOTTEN_BAR = 0.90, 0.50
OLD, NEW = [str(digit) for digit in range(5)], [str(digit) for digit in range(5, 10)]
SECOND: dict[str, Any] = {
    "class_subset": NEW,
    "init_from": {"path": "old"},
    "old_data": {"builtin": "digits"},
    "old_class_subset": OLD,
}
REPLAY = {"replay_share": 0.5, "replay_examples": 100}
TEACHER = {"distill_from": {"path": "old"}}
WAYS: dict[str, dict[str, Any]] = {
    "naive": {"replay_share": 0.0},
    "elastic weights": {"replay_share": 0.0, "ewc_lambda": 1e4},
    "teacher": {"replay_share": 0.0, **TEACHER},
    "replay of 100": REPLAY,
    "replay and teacher": {**REPLAY, **TEACHER},
}


def measure(seed: int) -> dict[str, tuple[float, float, float]]:
    """By way: accuracy on old and new digits afterwards, and what was forgotten."""
    shared = {"seed": seed, "split_seed": seed}
    found: dict[str, tuple[float, float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder)
        metrics, _ = train("vision", {**shared, "class_subset": OLD}, {}, keep=old)
        print(f"seed {seed}: 0–4 first, test accuracy {metrics['test/accuracy']:.4f}", flush=True)
        places = {"init_from": old / "weights", "distill_from": old / "weights"}
        for name, way in WAYS.items():
            metrics, seconds = train("vision", {**shared, **SECOND, **way}, places)
            kept = metrics["continual/old_accuracy_after"]
            new, forgotten = metrics["test/accuracy"], metrics["continual/forgetting"]
            print(
                f"seed {seed}, {name}: old {kept:.4f}, new {new:.4f}, forgetting {forgotten:.4f} "
                f"({seconds:.0f} s)",
                flush=True,
            )
            found[name] = (kept, new, forgotten)
    return found


def compare_students() -> None:
    for name, config in (("one alone", {}), ("three students", {"mutual_students": 3})):
        values = [
            train("vision", {**config, "seed": seed, "split_seed": seed}, {})[0]["test/accuracy"]
            for seed in SEEDS
        ]
        print(f"{name}: mean test accuracy {statistics.mean(values):.4f}", flush=True)


def main() -> int:
    import torch

    torch.set_num_threads(NUM_THREADS)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, torch {torch.__version__}"
    )
    started = time.perf_counter()
    runs = [measure(seed) for seed in SEEDS]
    means = {
        name: [statistics.mean(run[name][place] for run in runs) for place in range(3)]
        for name in WAYS
    }
    for name, (kept, new, forgotten) in means.items():
        print(f"mean, {name}: old {kept:.4f}, new {new:.4f}, forgetting {forgotten:.4f}")
    compare_students()
    print(f"all in {time.perf_counter() - started:.0f} s")
    kept, forgotten = means["replay and teacher"][0], means["naive"][0]
    print(
        f"bars: replay and teacher {kept:.4f} ≥ {KEPT_BAR}; naive {forgotten:.4f} < {FORGOTTEN_BAR}"
    )
    return 0 if kept >= KEPT_BAR and forgotten < FORGOTTEN_BAR else 1


def run_as_a_worker() -> int:
    """The thread settings count only if they stand before torch loads, so this starts itself anew."""
    from spotter_worker.settings import worker_environment

    command = [sys.executable, __file__, CHILD_FLAG, *sys.argv[1:]]
    return subprocess.run(command, env=worker_environment(NUM_THREADS), check=False).returncode


if __name__ == "__main__":
    sys.exit(main() if CHILD_FLAG in sys.argv else run_as_a_worker())
