"""Owns a `command` run: starts somebody's program, passes its news on, carries out what people ask, tells how it ended.

The program belongs to our process group, so that limits, and the end of the attempt, reach all that it starts. Its
output goes straight into the attempt's log files. What the package `spotter` says inside it comes through the relay.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from spotter.files import last_step_of
from spotter.relay import RelayOrders
from spotter.wire.api import ServerClient

from .commands import Command, CommandPoll
from .process import group_cpu_s, group_memory_bytes
from .process_group import MARK, signal_own_group
from .program_news import ProgramNews
from .recipe_configs import CONFIGS, CommandConfig
from .secrecy import redact_error
from .settings import known_secrets, program_environment
from .sysmon import SystemMonitor
from .tracker import Tracks

TICK_S = 0.05
# After SIGTERM a program may save what it wants for so long. One that asks `should_stop()` has it before the signal too.
GRACE_S = 25.0
KILL_EVERY_S = 1.0
MAX_LAST_LINES = 40
LAST_BYTES = 16_384
NVIDIA = Path("/dev/nvidiactl")


def run_command(
    spec: dict[str, Any],
    run_dir: Path,
    attempt_dir: Path,
    client: ServerClient,
    tracker: Tracks,
    commands: CommandPoll,
) -> str:
    """Returns the state that the run ended in."""
    config = CONFIGS["command"].parse(spec["config"])
    assert isinstance(config, CommandConfig)
    resumed_from, last_step = _steps_of(run_dir, spec["resume_from"])
    news = ProgramNews(attempt_dir / "relay", tracker, last_step or 0)
    facts = {
        # The checkpoint holds the state after its step: the point of that step stays, and the next one is new.
        "first_step": 0 if last_step is None else last_step + 1,
        "resumed_from_step": resumed_from,
        "hostname": socket.gethostname(),
        "pid": os.getpid(),
        "device": "cpu" if not NVIDIA.exists() else "gpu",
        "config": config.to_json(),
        "versions": {"python": platform.python_version()},
    }
    news.started(facts)
    program = Program(spec, config, run_dir, attempt_dir, client)
    monitor = SystemMonitor(tracker, lambda: news.step, NVIDIA.exists(), usage=_group_usage)
    monitor.start()
    commands.start()
    try:
        return _watch(program, news, tracker, commands)
    finally:
        monitor.stop()
        for command in commands.stop():
            news.answer(command.id, "refused", "the program has ended")


def _watch(program: Program, news: ProgramNews, tracker: Tracks, commands: CommandPoll) -> str:
    while program.is_alive():
        news.pass_on()
        command = commands.next_command()
        if command is not None and command.action == "abandon":
            program.kill()
            return "abandoned"
        if command is not None:
            _carry_out(command, program, news)
        program.press()
        if command is None:
            time.sleep(TICK_S)
    news.pass_on()
    news.pass_on_rest()
    ending = program.ending(news)
    if ending["error"] is not None:
        ending = {**ending, "error": redact_error(ending["error"], program.secrets)}
    tracker.event({"type": "run-ended", "metrics": {}, **ending})
    return str(ending["state"])


def _carry_out(command: Command, program: Program, news: ProgramNews) -> None:
    if command.action == "stop":
        program.ask_stop()
        news.answer(command.id, "done", None)
    elif command.action in ("pause", "resume"):
        program.pause(command.action == "pause")
        news.paused(command.action == "pause")
        news.answer(command.id, "done", None)
    elif command.action in ("set", "revert"):
        why = "the program holds its own values; Spotter cannot change them"
        news.answer(command.id, "refused", why)
    elif command.action == "preempt":
        news.answer(command.id, "refused", "only the program knows how to go on")
    elif program.orders.is_heard("asks-checkpoint"):
        # Acknowledged by the program itself, once it has called `checkpoint()`.
        program.orders.say(checkpoint=command.id)
    else:
        why = "the program does not ask spotter.should_checkpoint(), so nobody can tell it"
        news.answer(command.id, "refused", why)


class Program:
    """The process that the config's command starts, and all that it starts itself."""

    def __init__(
        self,
        spec: dict[str, Any],
        config: CommandConfig,
        run_dir: Path,
        attempt_dir: Path,
        client: ServerClient,
    ) -> None:
        relay = attempt_dir / "relay"
        self.orders = RelayOrders(relay)
        self._stderr = attempt_dir / "stderr.log"
        self._name = config.command[0]
        self._is_paused = False
        self._stop_asked_at: float | None = None
        self._terminated_at: float | None = None
        self._killed_at = 0.0
        # What it says on its way out may hold what it was given.
        self.secrets = known_secrets(spec["config"])
        environment = program_environment(config.environment, config.cpu_cores)
        environment |= {
            "SPOTTER_RUN": str(spec["job_id"]),
            "SPOTTER_RUN_FOLDER": str(run_dir.absolute()),
            "SPOTTER_RELAY": str(relay.absolute()),
            "SPOTTER_URL": client.address(),
            MARK: str(attempt_dir.absolute()),
        }
        if spec["resume_from"] is not None:
            environment["SPOTTER_RESUME_FROM"] = str((run_dir / spec["resume_from"]).absolute())
        folder = Path(spec["places"].get("working_directory", run_dir / "work"))
        folder.mkdir(parents=True, exist_ok=True)
        minutes = config.time_limit_minutes
        self._time_limit_s = None if minutes is None else 60 * minutes
        self._ran_out_of_time = False
        self._started_at = time.monotonic()
        self._process = _start(config, folder, environment)
        print(f"started {' '.join(config.command)} in {folder}", flush=True)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask_stop(self) -> None:
        self._stop_asked_at = self._stop_asked_at or time.monotonic()
        self.orders.say(stop=True)

    def press(self) -> None:
        """Once asked to stop, or out of time: a word, then SIGTERM, then SIGKILL."""
        now = time.monotonic()
        limit_s = self._time_limit_s
        if self._stop_asked_at is None and limit_s is not None and now - self._started_at > limit_s:
            self._ran_out_of_time = True
            self.ask_stop()
        if self._stop_asked_at is None:
            return
        if self._is_paused:
            # Whoever is stopped by SIGSTOP hears no word.
            self.pause(False)
        waited = now - self._stop_asked_at
        if self._terminated_at is None:
            if waited > GRACE_S or not self.orders.is_heard("asks-stop"):
                self._terminated_at = now
                signal_own_group(signal.SIGTERM)
        elif now - self._terminated_at > GRACE_S and now - self._killed_at > KILL_EVERY_S:
            self._killed_at = now
            signal_own_group(signal.SIGKILL)

    def pause(self, paused: bool) -> None:
        self._is_paused = paused
        signal_own_group(signal.SIGSTOP if paused else signal.SIGCONT)

    def kill(self) -> None:
        signal_own_group(signal.SIGKILL)
        self._process.wait()

    def ending(self, news: ProgramNews) -> dict[str, Any]:
        """State and error of the `run-ended` event: the exit code's word, unless the program itself said more."""
        code = self._process.returncode
        if self._ran_out_of_time:
            return {"state": "failed", "error": self._time_error()}
        if self._stop_asked_at is not None:
            return {"state": "stopped", "error": None}
        if code == 0:
            return news.ending or {"state": "finished", "error": None}
        if news.ending is not None and news.ending["error"] is not None:
            return {**news.ending, "state": "failed"}
        how = f"exit code {code}" if code > 0 else signal.Signals(-code).name
        hint = "Its last lines are below; the log has all of them."
        lines = self._last_lines()
        error = {
            "kind": "program-failed",
            "message": f"{self._name} ended with {how}" + (f": {lines[-1][:300]}" if lines else ""),
            "hint": hint if lines else None,
            "traceback": "\n".join(lines) or None,
        }
        return {"state": "failed", "error": error}

    def _time_error(self) -> dict[str, Any]:
        assert self._time_limit_s is not None
        return {
            "kind": "time-limit",
            "message": f"{self._name} ran longer than its limit of {self._time_limit_s / 60:g} min and was stopped",
            "hint": "If it has saved a checkpoint, resume the run: each attempt has the whole time.",
            "traceback": None,
        }

    def _last_lines(self) -> list[str]:
        try:
            with open(self._stderr, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_BYTES))
                text = file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        return lines[-MAX_LAST_LINES:]


def _start(
    config: CommandConfig, folder: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    program = config.command[0]
    cores = _hold_to_cores(config.cpu_cores)
    # As a shell in that folder would find it: names on the path, paths from the folder.
    found = program if "/" in program else shutil.which(program, path=environment.get("PATH"))
    try:
        if found is None:
            raise FileNotFoundError(program)
        return subprocess.Popen(
            [found, *config.command[1:]], cwd=folder, env=environment, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise ValueError(f"there is no program {program!r} (looked from {folder})") from None
    except (PermissionError, OSError, ValueError) as error:
        raise ValueError(f"the program {program!r} cannot be started: {error}") from error
    finally:
        if cores is not None:
            os.sched_setaffinity(0, cores)


def _hold_to_cores(num_cores: int | None) -> set[int] | None:
    """Ties this thread, and what it starts, to so many cores; returns what it had before."""
    if num_cores is None or not hasattr(os, "sched_setaffinity"):
        return None
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:num_cores]))
    return before


def _group_usage() -> tuple[float, int]:
    group = os.getpgrp()
    return group_cpu_s(group), group_memory_bytes(group)


def _steps_of(run_dir: Path, checkpoint: str | None) -> tuple[int | None, int | None]:
    """A checkpoint's own step, and that of the last point before it: another one where a script counts otherwise."""
    if checkpoint is None:
        return None, None
    # `checkpoints/step-00000120` → 120.
    digits = checkpoint.rsplit("-", 1)[-1]
    if not digits.isdecimal():
        print(f"WARNING {checkpoint} does not tell its step", file=sys.stderr)
        return 0, None
    last_step = last_step_of(run_dir / checkpoint)
    return int(digits), int(digits) if last_step is None else last_step
