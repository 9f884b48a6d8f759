"""Models from a Hub: fetched once, from where HF_ENDPOINT says, only files that hold no code; every failure is one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_stub import COMMIT, HubStub
from huggingface_hub import constants
from runs import Run
from tiny_models import make_model

from spotter_worker import hub as hub_module
from spotter_worker.hub import ProgressLines, fetch_model
from spotter_worker.settings import HubSettings

NAMES = {"tiny/llama": "llama", "tiny/qwen2": "qwen2", "tiny/deepseek": "deepseek-v3"}
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("hub")
    models = {name: make_model(root / name, shape) for name, shape in NAMES.items()}
    (models["tiny/llama"] / "modeling_own.py").write_text("raise SystemExit")
    (models["tiny/llama"] / "pytorch_model.bin").write_bytes(b"pickle")
    (models["tiny/llama"] / "onnx").mkdir()
    (models["tiny/llama"] / "onnx/model.safetensors").write_bytes(b"twice")
    old = root / "old"
    old.mkdir()
    (old / "config.json").write_text("{}")
    (old / "pytorch_model.bin").write_bytes(b"pickle")
    return {**models, "tiny/old": old, "tiny/gated": models["tiny/llama"]}


@pytest.fixture
def hub(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HubStub]:
    # huggingface_hub reads HF_HOME when it is imported; this is where that ends up.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    stub = HubStub(folders, frozenset(["tiny/gated"]))
    yield stub
    stub.stop()


def settings(stub: HubStub | None, token: str | None = None, offline: bool = False) -> HubSettings:
    return HubSettings(stub.url if stub else NOWHERE, token, offline)


def test_a_model_is_fetched_once_and_without_code_or_pickles(
    hub: HubStub, capsys: pytest.CaptureFixture[str]
) -> None:
    found = fetch_model("tiny/llama", None, settings(hub))
    assert found.commit == COMMIT
    names = {file.name for file in found.folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert not names & {"modeling_own.py", "pytorch_model.bin", "onnx"}
    said = capsys.readouterr().out
    assert f"downloading tiny/llama ({COMMIT[:12]})" in said
    assert "model.safetensors" in said
    hub.requests.clear()
    assert fetch_model("tiny/llama", COMMIT, settings(hub)) == found
    assert [method for method, _ in hub.requests if method == "GET"] == ["GET"]
    assert "downloading" not in capsys.readouterr().out


def test_without_a_network_the_copy_that_is_here_is_used(
    hub: HubStub, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="cannot be reached.*not on this machine yet"):
        fetch_model("tiny/llama", None, settings(None))
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE is set"):
        fetch_model("tiny/llama", None, settings(hub, offline=True))
    found = fetch_model("tiny/llama", "main", settings(hub))
    kept = fetch_model("tiny/llama", COMMIT, settings(None))
    assert kept == found
    assert "using the copy" in capsys.readouterr().out


def test_what_the_hub_does_not_give_is_told_with_what_to_do(hub: HubStub) -> None:
    with pytest.raises(ValueError, match="has no model 'tiny/none'; check the spelling"):
        fetch_model("tiny/none", None, settings(hub))
    with pytest.raises(ValueError, match="has no revision 'v2'"):
        fetch_model("tiny/llama", "v2", settings(hub))
    with pytest.raises(ValueError, match=r"has no \*\.safetensors"):
        fetch_model("tiny/old", None, settings(hub))
    with pytest.raises(ValueError, match="is gated: accept its terms.*HF_TOKEN"):
        fetch_model("tiny/gated", None, settings(hub))
    assert fetch_model("tiny/gated", None, settings(hub, hub.token)).commit == COMMIT


def test_a_long_download_says_where_it_is_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hub_module, "LINE_EVERY_S", 0.0)
    with ProgressLines(total=4_000_000_000, name="x", unit="B") as progress:
        for _ in range(4):
            progress.update(1_000_000_000)
    said = capsys.readouterr()
    assert said.out.splitlines() == [f"    {share}% of 4,000 MB" for share in (25, 50, 75)]
    assert said.err == ""


@pytest.mark.parametrize("name", NAMES)
def test_every_shape_is_trained_from_the_hub_that_the_environment_names(
    hub: HubStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    data = tmp_path / "pairs.jsonl"
    pairs = [{"prompt": f"{n} is", "completion": " odd" if n % 2 else " even"} for n in range(12)]
    data.write_text("\n".join(json.dumps(pair) for pair in pairs))
    config: dict[str, Any] = {
        "data": {"path": "pairs"},
        "init_from": {"hub": name},
        "epochs": 1,
        "sample_tokens": 0,
    }
    folder = tmp_path / "run"
    run = Run(folder, config, places={"data": data}, recipe="text-finetune")
    run.go()
    card = json.loads((folder / "weights/model.json").read_text())
    assert (card["base"]["name"], card["base"]["commit"]) == (name, COMMIT)
    assert run.task.derived["init_from"] == f"{name} at {COMMIT}"


def test_a_run_goes_on_from_the_commit_that_it_began_with(
    hub: HubStub, folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    data = tmp_path / "texts.csv"
    data.write_text("text\n" + "".join(f"number {n} of twelve\n" for n in range(12)))
    config: dict[str, Any] = {
        "data": {"path": "texts"},
        "init_from": {"hub": "tiny/llama"},
        "epochs": 1,
        "batch_size": 2,
        "learning_rate": 0.01,
        "sample_tokens": 0,
    }

    def start(name: str, **more: Any) -> Run:
        places = {"data": data}
        return Run(tmp_path / name, config, places=places, recipe="text-finetune", **more)

    whole = start("whole")
    whole.go()
    start("cut").command_at(3, "stop").go()
    # The model's owner has published another since.
    hub.older, hub.commit = {COMMIT: dict(hub.models)}, "f" * 40
    hub.models = {**hub.models, "tiny/llama": make_model(tmp_path / "other", "llama", seed=8)}
    second = start("cut", resume_from="checkpoints/step-00000003")
    second.go()
    assert second.weights() == whole.weights()
    assert second.task.derived["init_from"].startswith(f"tiny/llama at {COMMIT}")
    third = start("new")
    assert third.task.derived["init_from"] == f"tiny/llama at {'f' * 40}"
