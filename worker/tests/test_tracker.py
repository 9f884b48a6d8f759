"""The tracker against a real server: that nothing is lost, repeated, blocked or broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from receiver import TOKEN, Receiver

from spotter.wire import spool as spool_module
from spotter.wire import tracker as tracker_module
from spotter.wire.api import ServerClient
from spotter_worker.tracker import Tracker

NewTracker = Callable[..., Tracker]


@pytest.fixture
def new_tracker(tmp_path: Path) -> Iterator[NewTracker]:
    started: list[Tracker] = []

    def make(on_superseded: Callable[[str], None] = lambda _code: None, **more: Any) -> Tracker:
        client = ServerClient(tmp_path / "home", TOKEN)
        tracker = Tracker(client, tmp_path / "spool", 7, 1, on_superseded, **more)
        tracker.start()
        started.append(tracker)
        return tracker

    yield make
    for tracker in started:
        if not tracker._finished.is_set():
            tracker.finish(0.0)


def test_points_arrive_in_order_with_every_digit(
    receiver: Receiver, new_tracker: NewTracker
) -> None:
    tracker = new_tracker()
    values = [0.1, 1e-300, 12345678.123456789, float("nan"), float("inf"), float("-inf"), -0.0]
    for step, value in enumerate(values):
        tracker.log({"train/loss": value}, step)
    assert tracker.finish(10)
    points = receiver.points("train/loss")
    assert [point[0] for point in points] == list(range(len(values)))
    assert [point[2] for point in points] == [*values[:3], "NaN", "Infinity", "-Infinity", -0.0]


def test_events_keep_their_place_between_points(
    receiver: Receiver, new_tracker: NewTracker
) -> None:
    tracker = new_tracker()
    tracker.log({"a": 1}, 1)
    tracker.event({"type": "run-paused", "step": 1, "paused": True})
    tracker.log({"a": 2}, 2)
    assert tracker.finish(10)
    assert receiver.types() == ["metric-points", "run-paused", "metric-points"]


def test_what_happens_while_the_server_is_away_arrives_afterwards_once(
    receiver: Receiver, new_tracker: NewTracker, tmp_path: Path
) -> None:
    tracker = new_tracker(truth_file=tmp_path / "truth")
    tracker.log({"a": 0}, 0)
    receiver.wait_until(lambda: receiver.points("a"))
    receiver.stop()
    for step in range(1, 2000):
        tracker.log({"a": step / 7}, step)
    receiver.start()
    for step in range(2000, 2100):
        tracker.log({"a": step / 7}, step)
    assert tracker.finish(20)
    truth = [json.loads(line) for line in (tmp_path / "truth").read_text().splitlines()]
    told = sorted(((p["name"], p["step"], p["time"], p["value"]) for p in truth), key=repr)
    assert told == receiver.all_points()


def test_a_reply_that_gets_lost_leads_to_a_repeat_with_the_same_number(
    receiver: Receiver, new_tracker: NewTracker
) -> None:
    receiver.drop_replies = 3
    tracker = new_tracker()
    for step in range(20):
        tracker.log({"a": step}, step)
    assert tracker.finish(20)
    assert receiver.num_duplicates >= 1
    assert [point[0] for point in receiver.points("a")] == list(range(20))


def test_the_next_process_of_an_attempt_uses_no_number_again(
    receiver: Receiver, new_tracker: NewTracker
) -> None:
    receiver.stop()
    first = new_tracker()
    first.log({"a": 1}, 1)
    assert not first.finish(0.2)
    receiver.start()
    second = new_tracker()
    second.log({"a": 2}, 2)
    assert second.finish(10)
    assert [batch["seq"] for batch in receiver.batches] == [1, 2]
    assert [point[2] for point in receiver.points("a")] == [1, 2]


def test_a_gap_makes_the_tracker_send_again_what_the_server_misses(
    receiver: Receiver, new_tracker: NewTracker
) -> None:
    tracker = new_tracker()
    tracker.log({"a": 1}, 1)
    receiver.wait_until(lambda: receiver.points("a"))
    # The server came back from a backup that lacks the first batch.
    receiver.batches.clear()
    receiver._last_seq.clear()
    tracker.log({"a": 2}, 2)
    assert tracker.finish(10)
    assert [point[2] for point in receiver.points("a")] == [1, 2]


def test_a_gap_that_cannot_be_filled_is_said_and_does_not_dam_up_the_rest(
    receiver: Receiver,
    new_tracker: NewTracker,
    monkeypatch,  # type: ignore[no-untyped-def]
) -> None:
    monkeypatch.setattr(spool_module, "COMPACT_BYTES", 0)
    tracker = new_tracker()
    for step in (1, 2):
        tracker.log({"a": step}, step)
        receiver.wait_until(lambda step=step: len(receiver.points("a")) == step)  # type: ignore[misc]
    receiver.batches.clear()
    receiver._last_seq.clear()
    tracker.log({"a": 3}, 3)
    assert tracker.finish(10)
    assert [point[2] for point in receiver.points("a")] == [3]
    assert [batch["seq"] for batch in receiver.batches] == [1, 2, 3]
    assert "on disk no more" in receiver.events("log-lines")[0]["lines"][0]["text"]


def test_a_batch_that_the_server_never_takes_is_put_aside_and_said(
    receiver: Receiver, new_tracker: NewTracker, tmp_path: Path
) -> None:
    def refuse(batch: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if any(event["type"] == "job-result" for event in batch["events"]):
            return 400, {"error": {"code": "invalid-request", "message": "no"}}
        return None

    receiver.intercept = refuse
    tracker = new_tracker()
    tracker.event({"type": "job-result", "result": {}})
    receiver.wait_until(lambda: receiver.events("log-lines"))
    tracker.log({"a": 1}, 1)
    assert tracker.finish(10)
    assert [batch["seq"] for batch in receiver.batches] == [1, 2]
    assert "was refused" in receiver.events("log-lines")[0]["lines"][0]["text"]
    assert (tmp_path / "spool/worker.refused").read_text().count("job-result") == 1


def test_a_newer_attempt_is_told_to_the_worker_and_ends_the_sending(
    receiver: Receiver, new_tracker: NewTracker
) -> None:
    receiver.intercept = lambda _batch: (
        409,
        {"error": {"code": "attempt-superseded", "message": "a newer attempt has taken over"}},
    )
    codes: list[str] = []
    tracker = new_tracker(on_superseded=codes.append)
    tracker.log({"a": 1}, 1)
    receiver.wait_until(lambda: codes)
    assert codes == ["attempt-superseded"]
    assert not tracker.finish(0.1)


def test_a_page_of_another_program_on_the_port_is_not_taken_for_a_refusal(
    receiver: Receiver, new_tracker: NewTracker
) -> None:
    answers = [(404, {"detail": "Not Found"}), (502, {}), (429, {})]
    receiver.intercept = lambda _batch: answers.pop() if answers else None
    tracker = new_tracker()
    tracker.log({"a": 1}, 1)
    assert tracker.finish(20)
    assert [point[2] for point in receiver.points("a")] == [1]


def test_nonsense_from_the_training_never_raises(
    receiver: Receiver,
    new_tracker: NewTracker,
    capsys,  # type: ignore[no-untyped-def]
) -> None:
    tracker = new_tracker()
    nonsense: list[Any] = [{"a": "text"}, {"a": None}, None, 3, {"/a": 1}, {"": 1}, {"a\n": 1}]
    for metrics in nonsense:
        tracker.log(metrics, 1)
    tracker.log({"a": 1}, "one")  # type: ignore[arg-type]
    tracker.log({"a": 1}, 2**60)
    tracker.event({"type": "job-result", "result": object()})
    tracker.log({"good": 1}, 1)
    assert tracker.finish(10)
    assert [name for name, *_ in receiver.all_points()] == ["good"]
    assert "is not a metric name" in capsys.readouterr().err


def test_beyond_the_bound_points_go_to_disk_and_none_is_dropped(
    receiver: Receiver,
    new_tracker: NewTracker,
    monkeypatch,  # type: ignore[no-untyped-def]
) -> None:
    monkeypatch.setattr(tracker_module, "QUEUE_BOUND", 100)
    receiver.stop()
    tracker = new_tracker()
    longest = 0
    for step in range(3000):
        tracker.log({"a": step}, step)
        longest = max(longest, len(tracker._queue))
    assert longest <= 100
    receiver.start()
    assert tracker.finish(20)
    assert [point[0] for point in receiver.points("a")] == list(range(3000))


def test_a_server_on_a_new_port_is_found_again(receiver: Receiver, new_tracker: NewTracker) -> None:
    tracker = new_tracker()
    for step in range(4):
        tracker.log({"a": step}, step)
        receiver.wait_until(lambda step=step: len(receiver.points("a")) == step + 1)  # type: ignore[misc]
        receiver.stop()
        receiver.start()
    assert tracker.finish(10)


def test_log_does_not_wait_for_a_server_that_hangs(
    receiver: Receiver, new_tracker: NewTracker
) -> None:
    released: list[bool] = []

    def hang(_batch: dict[str, Any]) -> None:
        while not released:
            receiver.changed.wait(0.01)

    receiver.intercept = hang
    tracker = new_tracker()
    # A blocked call would wait for the release below, for ever.
    for step in range(1000):
        tracker.log({"a": step}, step)
    released.append(True)
    assert tracker.finish(20)
    assert len(receiver.points("a")) == 1000
