"""Printing onto a disk that is full, and the last word of a worker there."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest

from spotter_worker import __main__ as worker_main
from spotter_worker.patient_output import PatientOutput


class Disk(io.StringIO):
    number: int | None = None

    def write(self, text: str) -> int:
        if self.number is not None:
            raise OSError(self.number, "no")
        return super().write(text)


def test_lines_are_lost_and_counted_while_the_disk_is_full_and_nothing_is_raised() -> None:
    disk = Disk()
    output = PatientOutput(disk)
    print("before", file=output)
    disk.number = errno.ENOSPC
    print("lost", file=output, flush=True)
    print("lost too", file=output, flush=True)
    disk.number = None
    print("after", file=output, flush=True)
    assert disk.getvalue() == ("before\nWARNING 2 lines are lost: the disk was full\nafter\n")


def test_any_other_failure_is_raised() -> None:
    disk = Disk()
    disk.number = errno.EIO
    with pytest.raises(OSError, match="no"):
        print("x", file=PatientOutput(disk))


def test_a_last_word_waits_until_the_disk_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_main, "RETRY_S", 0.0)
    tries = []

    def write() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError(errno.ENOSPC, "full")

    worker_main._until_written(write, tmp_path)
    assert len(tries) == 3


def test_nobody_waits_where_the_attempt_is_gone(tmp_path: Path) -> None:
    def write() -> None:
        raise OSError(errno.ENOENT, "gone")

    with pytest.raises(OSError, match="gone"):
        worker_main._until_written(write, tmp_path / "removed")
