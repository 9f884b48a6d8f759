"""The spool on disk: numbers, repeats, torn ends."""

from __future__ import annotations

import json
from pathlib import Path

from spotter.wire import spool as spool_module
from spotter.wire.spool import Spool


def drain(spool: Spool) -> list[int]:
    found = []
    while (line := spool.next_unsent(0)) is not None:
        assert json.loads(line.data)["seq"] == line.seq
        found.append(line.seq)
        spool.ack(line.seq)
    return found


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    first = Spool(tmp_path, "worker")
    assert [first.append('["a"]'), first.append('["b"]')] == [1, 2]
    first.ack(1)
    first.close()
    second = Spool(tmp_path, "worker")
    assert second.append('["c"]') == 3
    assert drain(second) == [2, 3]


def test_without_a_last_state_the_server_gets_repeats_and_no_gap(tmp_path: Path) -> None:
    first = Spool(tmp_path, "worker")
    for _ in range(3):
        first.append("[]")
    drain(first)
    # Killed: close() never ran. The state on disk may lag behind, never run ahead.
    second = Spool(tmp_path, "worker")
    assert second.append("[]") == 4
    numbers = drain(second)
    assert numbers == list(range(numbers[0], 5))


def test_a_torn_last_line_is_cut_off_and_its_number_used_again(tmp_path: Path) -> None:
    first = Spool(tmp_path, "worker")
    first.append('["whole"]')
    first.close()
    with open(tmp_path / "worker.jsonl", "ab") as file:
        file.write(b'{"seq":2,"mark":{},"eve')
    second = Spool(tmp_path, "worker")
    assert second.append('["again"]') == 2
    assert drain(second) == [1, 2]


def test_a_backlog_beyond_memory_is_read_back_from_disk(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(spool_module, "MEMORY_BYTES", 200)
    spool = Spool(tmp_path, "worker")
    for number in range(50):
        spool.append(json.dumps([number]))
    assert drain(spool) == list(range(1, 51))


def test_the_file_is_emptied_once_all_is_received_and_the_numbers_stay(
    tmp_path: Path,
    monkeypatch,  # type: ignore[no-untyped-def]
) -> None:
    monkeypatch.setattr(spool_module, "COMPACT_BYTES", 100)
    spool = Spool(tmp_path, "worker")
    spool.append(json.dumps(["x" * 200]), {"stdout": 17})
    drain(spool)
    assert (tmp_path / "worker.jsonl").stat().st_size == 0
    assert spool.append("[]") == 2
    again = Spool(tmp_path, "worker")
    assert again.mark == {"stdout": 17}
    assert drain(again) == [2]


def test_rewind_goes_back_to_what_the_server_misses(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "worker")
    for _ in range(4):
        spool.append("[]")
    drain(spool)
    assert spool.rewind(2)
    assert drain(spool) == [2, 3, 4]
    assert not spool.rewind(9)
