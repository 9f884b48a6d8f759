"""Bench: what the audio recipe reaches. `npm run bench -- audio <folder or zip of spoken digits>`

The Free Spoken Digit Dataset's 2,500 recordings (a folder a digit), 20 % held out as validation, the default config,
seeds 0, 1, 2 (weights, order and split alike). Bar: mean accuracy on the held-out part ≥ 97 %.
Two threads; no warm-up; the times are of the whole run, decoding and all, without loading Python's libraries.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from training.in_process import train

SEEDS = (0, 1, 2)
NUM_THREADS = 2
CHILD_FLAG = "--as-child"
BAR = 0.97


def main() -> int:
    import torch

    torch.set_num_threads(NUM_THREADS)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, torch {torch.__version__}"
    )
    arguments = [argument for argument in sys.argv[1:] if argument != CHILD_FLAG]
    if not arguments:
        print("The spoken digits are left out: no folder or zip of them was named")
        return 0
    given = Path(arguments[0])
    with tempfile.TemporaryDirectory() as unpacked:
        if given.suffix == ".zip":
            with zipfile.ZipFile(given) as archive:
                archive.extractall(unpacked)
        return measure(Path(unpacked) if given.suffix == ".zip" else given)


def measure(folder: Path) -> int:
    values = []
    for seed in SEEDS:
        config = {"data": {"path": str(folder)}, "validation_fraction": 0.2, "test_fraction": 0}
        config |= {"seed": seed, "split_seed": seed}
        metrics, seconds = train("audio", config, {"data": folder})
        values.append(metrics["val/accuracy"])
        print(f"seed {seed}: val/accuracy {values[-1]:.4f} in {seconds:.0f} s", flush=True)
    mean = statistics.mean(values)
    print(f"spoken digits: mean val/accuracy {mean:.4f} (bar: {BAR})")
    return 0 if mean >= BAR else 1


def run_as_a_worker() -> int:
    """The thread settings count only if they stand before torch loads, so this starts itself anew."""
    from spotter_worker.settings import worker_environment

    command = [sys.executable, __file__, CHILD_FLAG, *sys.argv[1:]]
    return subprocess.run(command, env=worker_environment(NUM_THREADS), check=False).returncode


if __name__ == "__main__":
    sys.exit(main() if CHILD_FLAG in sys.argv else run_as_a_worker())
