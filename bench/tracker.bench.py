"""Bench: what tracker and probes cost a training step. `npm run bench -- tracker [seconds]`

Load: the vision recipe on digits, one thread, batch 16 (a step is 5 ms or a little more on 2 cores of 2024), every point of every step sent
over HTTP to a receiving server in another process. Blocks of 50 steps alternate between watched and unwatched, so
that drift of the machine falls on both alike; the first 4 blocks are warm-up.
Bar: time that the loop spends inside tracker and probes, at most 1 % of the step time. The processor time of the
tracker's two threads, which run beside the loop, is shown too, and so is the sum.
Beside it, as a check that nothing hides: medians of watched and unwatched blocks, with the spread between two halves
of the unwatched ones (A/A), which is what this machine's noise alone makes.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "worker/src"), str(ROOT / "worker/tests")]

BLOCK_STEPS = 50
WARMUP_BLOCKS = 4
BAR = 0.01


def serve(home: str, ready: Any) -> None:
    from receiver import Receiver

    receiver = Receiver(Path(home))
    receiver.start()
    ready.set()
    threading.Event().wait()


class Switch:
    """Stands between loop and tracker: passes on or drops, by blocks, and keeps the time of what it passes on."""

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker
        self.on = False
        self.inside_s = 0.0
        self.num_steps = 0
        self.blocks: list[tuple[bool, float, float]] = []
        self._block_started = time.perf_counter()

    def timed(self, call: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        answer = call(*arguments)
        self.inside_s += time.perf_counter() - started
        return answer

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        if self.on:
            self.timed(self._tracker.log, metrics, step)
        if "train/loss" not in metrics:
            return
        self.num_steps += 1
        if self.num_steps % BLOCK_STEPS == 0:
            now = time.perf_counter()
            self.blocks.append(
                (self.on, (now - self._block_started) / BLOCK_STEPS, self.inside_s / BLOCK_STEPS)
            )
            self.on, self.inside_s = not self.on, 0.0
            self._block_started = time.perf_counter()

    def event(self, event: dict[str, Any]) -> None:
        if self.on:
            self.timed(self._tracker.event, event)


class SwitchedProbes:
    def __init__(self, probes: Any, switch: Switch) -> None:
        self._probes, self._switch = probes, switch

    def before_update(self, with_global: bool) -> dict[str, float]:
        return (
            self._switch.timed(self._probes.before_update, with_global) if self._switch.on else {}
        )

    def after_update(self) -> dict[str, float]:
        return self._switch.timed(self._probes.after_update) if self._switch.on else {}

    def units_are_due(self) -> bool:
        return self._switch.on and self._switch.timed(self._probes.units_are_due)

    def watching_units(self) -> Any:
        return self._probes.watching_units()

    def dead_units(self) -> dict[str, float]:
        return self._switch.timed(self._probes.dead_units)

    def times(self, step_time_s: float, data_time_s: float) -> dict[str, float]:
        if not self._switch.on:
            return {}
        return self._switch.timed(self._probes.times, step_time_s, data_time_s)


def thread_cpu_s(name: str) -> float:
    for thread in threading.enumerate():
        if thread.name == name and thread.ident is not None:
            return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    raise AssertionError(f"no thread {name}")


def train(home: Path, seconds: float) -> tuple[Switch, float]:
    """The blocks, and the processor time of the tracker's threads for one watched step."""
    import torch
    from receiver import TOKEN

    from spotter.wire.api import ServerClient
    from spotter_worker.commands import Command, CommandPoll
    from spotter_worker.loop import Loop
    from spotter_worker.recipe_configs import VisionConfig
    from spotter_worker.recipes.vision import build_task
    from spotter_worker.report import Reporter
    from spotter_worker.tracker import Tracker

    torch.set_num_threads(1)
    client = ServerClient(home, TOKEN)
    tracker = Tracker(client, home / "spool", 1, 1, lambda _code: None)
    tracker.start()
    switch = Switch(tracker)
    config = VisionConfig(epochs=10_000, batch_size=16, checkpoint_every_epochs=10_000)
    task = build_task(config, {})
    commands = CommandPoll(client, 1, 1)
    loop = Loop(task, Reporter(switch, home), commands, home)
    loop._probes = SwitchedProbes(loop._probes, switch)  # type: ignore[assignment]
    names = ("scribe", "courier-worker")
    before = sum(thread_cpu_s(name) for name in names)
    threading.Timer(seconds, lambda: commands.put(Command(0, "stop"))).start()
    output, sys.stdout = sys.stdout, open("/dev/null", "w")
    try:
        loop.run()
    finally:
        sys.stdout = output
    threads_s = sum(thread_cpu_s(name) for name in names) - before
    tracker.finish(10)
    num_watched = sum(on for on, *_ in switch.blocks) * BLOCK_STEPS
    return switch, threads_s / num_watched


def report(switch: Switch, threads_s: float) -> bool:
    blocks = switch.blocks[WARMUP_BLOCKS:]
    watched = [step_s for on, step_s, _ in blocks if on]
    unwatched = [step_s for on, step_s, _ in blocks if not on]
    inside_s = statistics.median(inside for on, _, inside in blocks if on)
    step_s = statistics.median(unwatched)
    share = (inside_s + threads_s) / step_s
    halves = [statistics.median(unwatched[0::2]), statistics.median(unwatched[1::2])]
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (above 2 the times below are other programs' too)"
    )
    print(f"step time, unwatched, median of {len(unwatched)} blocks: {step_s * 1e3:.3f} ms")
    print(f"inside tracker and probes, in the loop:   {inside_s * 1e6:6.1f} µs a step")
    print(f"scribe and courier threads (processor):   {threads_s * 1e6:6.1f} µs a step")
    print(
        f"in the loop: {inside_s / step_s:.2%} of the step time (bar: {BAR:.0%}); with the threads: {share:.2%}"
    )
    print(f"watched / unwatched, medians: {statistics.median(watched) / step_s - 1:+.2%}")
    print(f"A/A, two halves of the unwatched blocks: {halves[1] / halves[0] - 1:+.2%}")
    if step_s < 0.005:
        print("the step is shorter than 5 ms here, so the bar does not apply")
        return True
    return inside_s / step_s <= BAR


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 40.0
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as home:
        ready = context.Event()
        server = context.Process(target=serve, args=(home, ready), daemon=True)
        server.start()
        ready.wait()
        switch, threads_s = train(Path(home), seconds)
        server.kill()
    return 0 if report(switch, threads_s) else 1


if __name__ == "__main__":
    sys.exit(main())
