"""Bench: what our loop costs beside the bare PyTorch loop. `npm run bench -- loop [seconds a family]`

Four families (vision on digits, audio on generated tones, text-lm on Python's own source text, concept on generated
pictures), each with a step of 5 ms or more on one thread of a core of 2024. Every point of every step goes over HTTP
to a receiving server in another process. Blocks of 10 steps alternate between our loop and a bare one with the same
model, batches, optimiser and clipping; the first 2 turns are warm-up; medians over turns.
Bar: time inside tracker and probes at most 1 % of the bare step time, for each family; by the clock, or of processor
time where the machine is busy with other things. Beside it our step time over the bare one, and what noise alone makes
of two blocks of the bare loop (A/A).
"""

from __future__ import annotations

import math
import multiprocessing
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import wave
from pathlib import Path
from typing import Any

from training.turns import take_turns

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("worker/src", "sdk/src", "worker/tests")]

CHILD_FLAG = "--as-child"
BLOCK_STEPS = 10
SECONDS = 30.0
BAR = 0.01
MIN_STEP_S = 0.005
FAMILIES: dict[str, dict[str, Any]] = {
    "vision": {"batch_size": 32},
    "audio": {"batch_size": 16, "data": {"path": "tones"}},
    "text-lm": {"sample_tokens": 0},
    "concept": {"num_images": 200, "batch_size": 8},
}


def serve(home: str, ready: Any) -> None:
    from receiver import Receiver

    Receiver(Path(home)).start()
    ready.set()
    threading.Event().wait()


def write_tones(folder: Path) -> None:
    """Twelve recordings of half a second in each of four classes."""
    for label in range(4):
        (folder / f"tone-{label}").mkdir(parents=True)
        for number in range(12):
            pitch = 200 * (label + 1) + 5 * number
            values = [
                int(12_000 * math.sin(2 * math.pi * pitch * moment / 8000))
                for moment in range(4000)
            ]
            with wave.open(str(folder / f"tone-{label}/{number}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(struct.pack(f"<{len(values)}h", *values))


def measure(
    recipe: str, home: Path, places: dict[str, Path], seconds: float, is_busy: bool
) -> bool:
    from receiver import TOKEN

    from spotter.wire.api import ServerClient
    from spotter_worker.tracker import Tracker

    run_dir = home / recipe
    run_dir.mkdir()
    tracker = Tracker(ServerClient(home, TOKEN), run_dir / "spool", 1, 1, lambda _code: None)
    tracker.start()
    before = tracker_threads_s()
    turns = take_turns(recipe, FAMILIES[recipe], places, tracker, run_dir, BLOCK_STEPS, seconds)
    threads_s = (tracker_threads_s() - before) / (len(turns.ours) + 2) / BLOCK_STEPS
    tracker.finish(10)
    step_s, inside_s = turns.step_s(), statistics.median(turns.inside)
    share = inside_s / step_s
    cpu_share = statistics.median(turns.inside_cpu) / statistics.median(turns.bare_cpu)
    print(
        f"{recipe}: {step_s * 1e3:.2f} ms a bare step; inside tracker and probes {inside_s * 1e6:.0f} µs = "
        f"{share:.2%} (bar: {BAR:.0%}), of processor time {cpu_share:.2%}; "
        f"the tracker's threads beside it {threads_s * 1e6:.0f} µs\n"
        f"  our step / bare step {turns.slower():+.2%} by the clock (A/A {turns.noise():+.2%}), "
        f"{turns.slower_cpu():+.2%} of processor time; {len(turns.ours)} turns",
        flush=True,
    )
    if step_s < MIN_STEP_S:
        print("  the step is shorter than 5 ms here, so the bar does not apply")
        return True
    # On a machine that does other things the clock counts these too.
    return min(share, cpu_share) <= BAR if is_busy else share <= BAR


def tracker_threads_s() -> float:
    names = ("scribe", "courier-worker")
    idents = [one.ident for one in threading.enumerate() if one.name in names]
    return sum(
        time.clock_gettime(time.pthread_getcpuclockid(ident))
        for ident in idents
        if ident is not None
    )


def main() -> int:
    import torch

    torch.set_num_threads(1)
    arguments = [argument for argument in sys.argv[1:] if argument != CHILD_FLAG]
    seconds = float(arguments[0]) if arguments else SECONDS
    load, num_cores = os.getloadavg()[0], os.cpu_count() or 1
    is_busy = load >= num_cores
    said = ": too busy for the clock, the bar is on processor time" if is_busy else ""
    print(f"{num_cores} cores, load {load:.1f} at the start{said}")
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_tones(home / "tones")
        ready = context.Event()
        server = context.Process(target=serve, args=(folder, ready), daemon=True)
        server.start()
        ready.wait()
        places = {"audio": {"data": home / "tones"}}
        good = [
            measure(recipe, home, places.get(recipe, {}), seconds, is_busy) for recipe in FAMILIES
        ]
        server.kill()
    return 0 if all(good) else 1


def run_as_a_worker() -> int:
    """The thread settings count only if they stand before torch loads, so this starts itself anew."""
    from spotter_worker.settings import worker_environment

    command = [sys.executable, __file__, CHILD_FLAG, *sys.argv[1:]]
    return subprocess.run(command, env=worker_environment(1), check=False).returncode


if __name__ == "__main__":
    sys.exit(main() if CHILD_FLAG in sys.argv else run_as_a_worker())
