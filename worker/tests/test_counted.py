"""Numbers before their nouns."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import Run

from spotter_worker.counted import counted


def test_one_is_one_and_several_are_several() -> None:
    assert [counted(num, "file") for num in (0, 1, 2, 1200)] == [
        "0 files",
        "1 file",
        "2 files",
        "1,200 files",
    ]


def test_a_patience_of_one_evaluation_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, {"epochs": 1})
    run.go()
    run.loop._reporter.stopped_early(run.loop.progress, 1)
    assert "for 1 evaluation\n" in capsys.readouterr().out
