"""Bench: what the concept recipe reaches. `npm run bench -- concept [full]`

The default config, and the `mlp` baseline beside it with the same data and steps. Bars, on the test part: relational
questions ≥ 85 %, the others ≥ 97 %, the run within 40 minutes on two quiet cores. `full`: the paper's size instead
(10,000 images of 75 pixels, 60 epochs), with the paper's own Relation Network as a third row: about 40 minutes of
processor time for the default fusion and 6 hours for the Relation Network, or a GPU; no bar on the time.
Two threads; no warm-up; the times are of the whole run without loading Python's libraries.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from training.in_process import train

NUM_THREADS = 2
CHILD_FLAG = "--as-child"
RELATIONAL_BAR, NON_RELATIONAL_BAR, LIMIT_S = 0.85, 0.97, 2400.0
FULL = {"num_images": 10_000, "image_size": 75, "epochs": 60}
# As many layers on each pair as in the paper, and a gentler rate for what is a sum over 625 pairs.
RELATION = {"fusion": "relation", "num_layers": 3, "learning_rate": 0.0005}


def measure(name: str, config: dict[str, Any]) -> tuple[float, float, float]:
    cpu_before = time.process_time()
    metrics, seconds = train("concept", config, {})
    cpu_s = time.process_time() - cpu_before
    relational = metrics["test/accuracy_relational"]
    others = metrics["test/accuracy_nonrelational"]
    print(
        f"{name}: relational {relational:.4f}, others {others:.4f},"
        f" {seconds:.0f} s, {cpu_s:.0f} s of processor time",
        flush=True,
    )
    return relational, others, seconds


def main() -> int:
    import torch

    torch.set_num_threads(NUM_THREADS)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, torch {torch.__version__}"
    )
    is_full = "full" in sys.argv
    config: dict[str, Any] = FULL if is_full else {}
    relational, others, seconds = measure("default", config)
    measure("mlp", {**config, "fusion": "mlp"})
    if is_full:
        measure("relation", {**config, **RELATION})
    good = relational >= RELATIONAL_BAR and others >= NON_RELATIONAL_BAR
    print(f"bars: relational {RELATIONAL_BAR}, others {NON_RELATIONAL_BAR}, {LIMIT_S:.0f} s")
    return 0 if good and (is_full or seconds <= LIMIT_S) else 1


def run_as_a_worker() -> int:
    """The thread settings count only if they stand before torch loads, so this starts itself anew."""
    from spotter_worker.settings import worker_environment

    command = [sys.executable, __file__, CHILD_FLAG, *sys.argv[1:]]
    return subprocess.run(command, env=worker_environment(NUM_THREADS), check=False).returncode


if __name__ == "__main__":
    sys.exit(main() if CHILD_FLAG in sys.argv else run_as_a_worker())
