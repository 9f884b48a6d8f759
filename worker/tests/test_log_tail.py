"""Following a log file: whole lines, levels, rotation without loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from spotter_worker import log_tail
from spotter_worker.log_tail import MAX_BEHIND_BYTES, MAX_LINES_PER_LOOK, LogTail


def texts(lines: list[dict[str, object]]) -> list[object]:
    return [line["text"] for line in lines]


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path = tmp_path / "stdout.log"
    path.write_text("whole\nhal")
    tail = LogTail(path, "stdout", 0)
    assert texts(tail.read_lines(at_end=False)) == ["whole"]
    with open(path, "a") as file:
        file.write("f\n")
    assert texts(tail.read_lines(at_end=False)) == ["half"]


def test_at_the_end_half_a_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "stdout.log"
    path.write_bytes(b"last words \xff\0")
    assert texts(LogTail(path, "stdout", 0).read_lines(at_end=True)) == ["last words ��"]


def test_a_progress_bar_shows_its_last_state(tmp_path: Path) -> None:
    path = tmp_path / "stderr.log"
    path.write_text("10 %\r50 %\r100 %\n")
    assert texts(LogTail(path, "stderr", 0).read_lines(at_end=False)) == ["100 %"]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("epoch 1", "info"),
        ("ValueError: no", "error"),
        ("Traceback (most recent call last):", "error"),
        ("ERROR hint: smaller", "error"),
        ("UserWarning: old", "warning"),
        ("WARNING tracker: away", "warning"),
        ("DEBUG x", "debug"),
    ],
)
def test_the_level_is_read_off_the_line(tmp_path: Path, text: str, level: str) -> None:
    path = tmp_path / "stderr.log"
    path.write_text(text + "\n")
    assert LogTail(path, "stderr", 0).read_lines(at_end=False)[0]["level"] == level


def test_rotation_keeps_every_line_and_a_copy(
    tmp_path: Path,
    monkeypatch,  # type: ignore[no-untyped-def]
) -> None:
    monkeypatch.setattr(log_tail, "ROTATE_BYTES", 100)
    path = tmp_path / "stdout.log"
    tail = LogTail(path, "stdout", 0)
    seen: list[object] = []
    # The worker's descriptor: opened once, appending.
    with open(path, "a", buffering=1) as worker:
        for number in range(100):
            worker.write(f"line {number}\n")
            seen += texts(tail.read_lines(at_end=False))
            tail.rotate()
    assert seen == [f"line {number}" for number in range(100)]
    assert path.stat().st_size < 100
    assert (tmp_path / "stdout.log.1").exists()


def test_a_file_that_was_rotated_behind_its_back_is_read_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "stdout.log"
    path.write_text("new\n")
    assert texts(LogTail(path, "stdout", 5000).read_lines(at_end=False)) == ["new"]


def test_a_flood_is_cut_and_the_file_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "stdout.log"
    tail = LogTail(path, "stdout", 0)
    with open(path, "ab", buffering=0) as worker:
        worker.write(b"y\n" * (MAX_BEHIND_BYTES // 2))
        assert tail.leave_out(MAX_BEHIND_BYTES) == []
        assert len(tail.read_lines(at_end=False)) == MAX_LINES_PER_LOOK
        worker.write(b"x" * 2_000_000 + b"\nlast\n")
        lines = tail.leave_out(MAX_BEHIND_BYTES)
        assert str(lines[0]["text"]).startswith("WARNING 6.1 MB of output are left out here")
        assert (lines[0]["level"], lines[-1]["text"]) == ("warning", "last")
        assert path.stat().st_size == 0
        # The program goes on with the descriptor that it has.
        worker.write(b"and on\n")
    assert texts(tail.read_lines(at_end=False)) == ["and on"]


def test_a_burst_of_lines_is_read_in_several_looks_and_whole_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "stdout.log"
    path.write_text("".join(f"line {number}\n" for number in range(3 * MAX_LINES_PER_LOOK)))
    tail = LogTail(path, "stdout", 0)
    first = texts(tail.read_lines(at_end=False))
    assert first == [f"line {number}" for number in range(MAX_LINES_PER_LOOK)]
    assert len(tail.read_lines(at_end=True)) == 2 * MAX_LINES_PER_LOOK
