"""Pre-flight: what it sees in good and in bad data, and that looking changes nothing."""

from __future__ import annotations

import base64
import io
import json
import math
import random
import wave
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
import transformers
from PIL import Image
from runs import KeepingTracker, Run
from tiny_models import END, make_model

from spotter_worker.preflight.budget import Budget, at_most
from spotter_worker.preflight.memory import estimate_memory
from spotter_worker.preflight.overfit import Overfit
from spotter_worker.preflight.preflight import look, preflight
from spotter_worker.preflight.rate_sweep import RateSweep
from spotter_worker.preflight.report import GrowingReport

SMALL = {"width": 4, "batch_size": 16}
ALL_CHECKS = [
    *("build", "samples", "data", "initial-loss", "memory", "time", "learning-rate", "overfit")
]


def checked(
    recipe: str = "vision",
    config: dict[str, Any] | None = None,
    place: Path | None = None,
    budget_s: float = 1.5,
) -> dict[str, Any]:
    places = {} if place is None else {"data": place}
    given = {**(config or {}), **({} if place is None else {"data": {"path": str(place)}})}
    return preflight(recipe, given, places, budget_s, KeepingTracker())


def codes(report: dict[str, Any]) -> dict[str, str]:
    return {one["code"]: one["severity"] for one in report["findings"]}


def test_a_sound_training_is_told_part_by_part() -> None:
    tracker = KeepingTracker()
    report = preflight("vision", SMALL, {}, 4.0, tracker)
    assert report["done"] == ALL_CHECKS
    assert report["now"] is None
    told = [event["result"]["now"] for event in tracker.of("job-result")]
    assert told == [*ALL_CHECKS, None]
    assert codes(report)["initial-loss-expected"] == "ok"
    assert report["initial_loss"]["expected"] == pytest.approx(math.log(10))
    assert report["initial_loss"]["formula"] == "ln 10"
    assert report["memory"]["total_bytes"] > 0
    assert report["time"]["total_steps"] == report["time"]["steps_per_epoch"] * 25
    train = report["data"]["parts"][0]
    assert train["num_examined"] == train["count"] == sum(train["classes"])
    assert len(report["learning_rate"]["loss"]) == len(report["learning_rate"]["learning_rates"])
    for finding in report["findings"]:
        assert finding["message"] and finding["message_zh"]
        assert any("\u4e00" <= sign <= "\u9fff" for sign in finding["message_zh"])
    first = report["samples"][0]
    picture = Image.open(io.BytesIO(base64.b64decode(first["png"])))
    assert picture.size == (first["width"], first["height"]) == (8, 8)
    assert first["label"] in "0123456789"


def test_what_trains_for_a_while_is_left_out_where_that_is_asked() -> None:
    report = preflight("vision", SMALL, {}, 1.0, KeepingTracker(), trials=False)
    assert report["done"] == ALL_CHECKS[:-2]
    assert report["learning_rate"] is report["overfit"] is None
    assert report["memory"]["total_bytes"] > 0
    assert report["samples"]


def test_the_report_has_the_contracts_fields() -> None:
    file = Path(__file__).parents[2] / "packages/contract/golden/runs/Preflight.finished.json"
    golden = json.loads(file.read_text())["report"]
    report = checked(config=SMALL, budget_s=0.5)
    assert set(report) == set(golden)
    for part in ("data", "initial_loss", "memory", "time", "learning_rate", "overfit"):
        assert set(report[part]) == set(golden[part]), part
    for part in ("findings", "samples"):
        assert set(report[part][0]) == set(golden[part][0]), part
    assert set(report["data"]["parts"][0]) == set(golden["data"]["parts"][0])


def test_looking_changes_no_number_of_the_training(tmp_path: Path) -> None:
    config = {"epochs": 1, "dropout": 0.3}
    plain = Run(tmp_path / "plain", config)
    plain.go()
    looked = Run(tmp_path / "looked", config)
    look(looked.task, GrowingReport(KeepingTracker(), "vision", 1.0), Budget(1.0))
    looked.go()
    assert looked.weights() == plain.weights()
    assert looked.tracker.numbers() == plain.tracker.numbers()


def test_the_memory_of_an_adam_training_is_weights_gradients_and_two_moments(
    tmp_path: Path,
) -> None:
    task = Run(tmp_path, {"ema_decay": 0.99}).task
    estimate = estimate_memory(task, next(task.train_batches.epoch(0)))
    parameters = 4 * task.num_parameters
    assert estimate.parts["gradients"] == parameters
    assert estimate.parts["optimizer"] == pytest.approx(2 * parameters, rel=0.02)
    assert estimate.parts["average"] >= parameters
    assert estimate.parts["activations"] > parameters
    assert estimate.available is not None and estimate.available > estimate.parts["weights"]


def test_memory_that_does_not_suffice_is_a_problem(tmp_path: Path) -> None:
    task = Run(tmp_path).task
    estimate = estimate_memory(task, next(task.train_batches.epoch(0)))
    short = type(estimate)("cpu", estimate.parts, 1, estimate.total, 0.1).finding(64)
    assert (short.code, short.severity, short.field) == (
        "memory-too-small",
        "problem",
        "batch_size",
    )
    assert "64 → 32" in short.message


def write_texts(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"text": a, "label": b}) + "\n" for a, b in rows))
    return path


def test_copies_in_other_parts_and_contradicting_labels_are_found(tmp_path: Path) -> None:
    rows = [(f"text number {number}", "ab"[number % 2]) for number in range(40)]
    place = write_texts(tmp_path / "rows.jsonl", [*rows, *rows, ("text number 0", "b")])
    report = checked("text-classify", {"width": 8, "layers": 1}, place, 0.5)
    found = codes(report)
    assert found["duplicates-across-parts"] == "problem"
    assert found["duplicates-in-train"] == "warning"
    assert found["labels-contradict"] == "warning"
    assert report["verdict"] == "problem"
    assert report["data"]["length_unit"] == "tokens"
    sample = report["samples"][0]
    assert sample["kind"] == "text" and sample["tokens"][:2] == ["text", "number"]
    assert all(sample["counted"])


def test_uneven_classes_are_told_with_both_their_names(tmp_path: Path) -> None:
    rows = [(f"text {number} of many", "often") for number in range(200)]
    rows += [(f"seldom {number}", "rare") for number in range(8)]
    place = write_texts(tmp_path / "rows.jsonl", rows)
    report = checked("text-classify", {"width": 8, "layers": 1}, place, 0.5)
    [finding] = [one for one in report["findings"] if one["code"] == "class-imbalance"]
    assert finding["field"] == "class_weights"
    assert "'often'" in finding["message"] and "'rare'" in finding["message"]


def test_broken_files_are_all_named_and_the_rest_is_not_tried(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / name / f"{number}.png")
    for name in ("cat/8.png", "dog/9.png"):
        (tmp_path / name).write_bytes(b"no picture")
    report = checked(place=tmp_path)
    # The first of them is not told a second time, as what the training would end with.
    assert list(codes(report)) == ["files-broken"]
    assert [Path(one["file"]).name for one in report["data"]["broken"]] == ["8.png", "9.png"]
    [finding] = [one for one in report["findings"] if one["code"] == "files-broken"]
    # Names such as 0001.png stand in every class.
    assert "cat/8.png, dog/9.png" in finding["message"] and "cat/8.png" in finding["message_zh"]
    assert report["memory"] is None and report["done"] == []


def test_sounds_come_with_envelope_spectrum_and_extremes(tmp_path: Path) -> None:
    noise = random.Random(0)
    for name in ("high", "low"):
        (tmp_path / name).mkdir()
        for number in range(6):
            with wave.open(str(tmp_path / name / f"{number}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(noise.randbytes(2 * (2000 + 400 * number)))
    report = checked("audio", {"width": 4, "layers": 1, "num_mels": 16}, tmp_path, 1.0)
    sample = report["samples"][0]
    assert len(sample["envelope"]) == 400 and max(sample["envelope"]) > 0.5
    assert len(sample["spectrogram"][0]) == 16
    assert sample["label"] in ("high", "low")
    data = report["data"]
    assert data["length_unit"] == "s"
    assert data["shortest"][0]["length"] < data["median_length"] < data["longest"][0]["length"]
    assert data["shortest"][0]["name"].endswith(".wav")


def test_questions_are_shown_beside_their_picture() -> None:
    report = checked("concept", {"num_images": 50, "width": 32, "image_size": 32}, budget_s=0.5)
    asked = report["samples"][0]["questions"]
    assert asked and asked[0]["question"] and asked[0]["answer"]
    assert "class-imbalance" not in codes(report)


def test_a_language_model_expects_the_logarithm_of_its_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "poem.txt").write_text("the rain in spain falls mainly on the plain. " * 60)
    config = {"width": 16, "heads": 2, "layers": 1, "context": 16, "batch_size": 4}
    report = checked("text-lm", config, tmp_path / "poem.txt", 0.5)
    assert report["initial_loss"]["formula"].startswith("ln ")
    assert codes(report)["initial-loss-expected"] == "ok"
    first = report["samples"][0]
    assert len(first["tokens"]) == 17 and first["counted"] == [False, *[True] * 16]
    assert "".join(first["tokens"]) in "the rain in spain falls mainly on the plain. " * 3


def test_fine_tuning_shows_what_the_loss_is_about_and_forgives_a_low_first_loss(
    tmp_path: Path,
) -> None:
    base = make_model(tmp_path / "base", "llama")
    rows = [{"prompt": f"two and {number}", "completion": f"{2 + number}"} for number in range(12)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {
        "data": {"path": str(tmp_path / "sums.jsonl")},
        "init_from": {"path": str(base)},
        "batch_size": 2,
    }
    places = {"data": tmp_path / "sums.jsonl", "init_from": base}
    report = preflight("text-finetune", config, places, 0.5, KeepingTracker())
    assert report["initial_loss"]["is_pretrained"] is True
    counted = report["samples"][0]["counted"]
    assert any(counted) and not all(counted)
    assert report["memory"]["total_bytes"] > 0
    assert report["done"] == ALL_CHECKS


@pytest.mark.parametrize("named_by", ["settings", "tokenizer"])
def test_text_that_the_old_tokenizer_has_no_token_for_is_told_before_it_is_learnt_as_a_hole(
    tmp_path: Path, named_by: str
) -> None:
    base = make_model(tmp_path / "base", "llama")
    letters = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({END: 0, "?": 1, "two": 2, "and": 3}, unk_token="?")
    )
    letters.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=letters,
        eos_token=END,
        **({"unk_token": "?"} if named_by == "settings" else {}),
    )
    wrapped.save_pretrained(base)
    rows = [{"prompt": "two and ", "completion": "four"} for _ in range(12)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {
        "data": {"path": str(tmp_path / "sums.jsonl")},
        "init_from": {"path": str(base)},
        "batch_size": 2,
        "template": "plain",
    }
    places = {"data": tmp_path / "sums.jsonl", "init_from": base}
    report = preflight("text-finetune", config, places, 0.5, KeepingTracker())
    (finding,) = [one for one in report["findings"] if one["code"] == "text-unknown"]
    # One of the three words of each row.
    assert finding["severity"] == "problem"
    assert finding["message"].startswith("12 of 36 tokens (33 %)")
    assert "does not know: 'four'." in finding["message"]
    # What the tokenizer made equal is no copy.
    assert not any(code.startswith("duplicates") for code in codes(report))


def test_a_rate_at_which_the_loss_runs_away_is_a_problem_and_a_better_one_is_suggested() -> None:
    report = checked(config={**SMALL, "optimizer": "sgd", "learning_rate": 9.0}, budget_s=30.0)
    assert codes(report)["learning-rate-diverges"] == "problem"
    assert report["learning_rate"]["suggested"] < 1.0
    assert report["overfit"]["learning_rate"] == report["learning_rate"]["suggested"]


def sweep(losses: list[float], has_run_away: bool = False, is_cut_short: bool = False) -> RateSweep:
    rates = [10 ** (-6 + 6 * place / 49) for place in range(len(losses))]
    return RateSweep(rates, losses, is_cut_short, has_run_away)


def test_the_suggested_rate_lies_between_the_steepest_fall_and_a_tenth_of_divergence() -> None:
    falling = [2.3 - 2 / (1 + math.exp((25 - place) / 2)) for place in range(40)]
    found = sweep([*falling, 3.0, 5.0, 9.0], has_run_away=True)
    assert found.steepest == pytest.approx(10 ** (-6 + 6 * 25 / 49), rel=0.4)
    assert found.diverged_at is not None
    assert found.steepest is not None and found.suggested is not None
    between = sorted([found.steepest, found.diverged_at / 10])
    assert between[0] * 0.95 <= found.suggested <= between[1] * 1.05
    assert found.finding(found.suggested).severity == "ok"
    assert found.finding(found.diverged_at).code == "learning-rate-diverges"
    assert found.finding(found.suggested / 100).code == "learning-rate-low"


def test_no_rate_is_suggested_where_nothing_was_learnt_or_the_sweep_ended_early() -> None:
    assert sweep([2.3] * 50).suggested is None
    assert sweep([2.3] * 50).finding(0.1).severity == "warning"
    early = sweep([2.3 - 0.03 * place for place in range(40)], is_cut_short=True)
    assert early.suggested is None and early.finding(0.1).severity == "ok"


def test_a_batch_that_is_not_learnt_is_a_problem_and_one_cut_short_is_not() -> None:
    assert Overfit(0.1, [2.0] * 120, False).finding().code == "overfit-stuck"
    assert Overfit(0.1, [2.0, 1.8, 1.7], False).finding().code == "overfit-slow"
    assert Overfit(0.1, [2.0, 1.9], True).finding().severity == "ok"
    assert Overfit(0.1, [2.0, math.nan], False).finding().code == "overfit-diverged"
    assert Overfit(0.1, [2.0, 0.1, 0.1, 0.1], False).reached


def test_wrong_labels_of_an_untrained_model_show_in_the_first_loss(tmp_path: Path) -> None:
    task = Run(tmp_path).task
    with torch.no_grad():
        for parameter in list(task.model.parameters())[-2:]:
            parameter.mul_(200)
    report = GrowingReport(KeepingTracker(), "vision", 0.5)
    look(task, report, Budget(0.5))
    found = {one.code: one.severity for one in report.findings}
    assert found["initial-loss-high"] in ("warning", "problem")


def test_reading_the_data_is_given_up_in_the_end() -> None:
    with pytest.raises(ValueError, match="reading the data took longer than"):
        with at_most(0.05, "reading the data"):
            while True:
                pass


def test_a_wrong_config_is_told_as_a_problem() -> None:
    report = checked(config={"width": 2})
    assert report["findings"][0]["code"] == "data-or-config-unusable"
    assert "config.width" in report["findings"][0]["message"]
