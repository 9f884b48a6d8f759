"""The callbacks with the real libraries, each in a Python of its own, against a receiving end for own scripts."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PACKAGE_SOURCE
from receiver import TOKEN
from script_server import ScriptServer

# Keras runs on what is installed: PyTorch always, TensorFlow where somebody has it (it is no part of a requirement
# set: 274 MB to download, and 1.5 GB on disk).
BACKENDS = ["torch", *(["tensorflow"] if importlib.util.find_spec("tensorflow") else [])]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptServer]:
    server = ScriptServer(tmp_path / "home")
    server.start()
    yield server
    server.stop()


def train(tmp_path: Path, text: str, server: ScriptServer, **more: str) -> str:
    file = tmp_path / "script.py"
    file.write_text(text)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SPOTTER_")},
        "PYTHONPATH": str(PACKAGE_SOURCE),
        "SPOTTER_URL": server.url,
        "SPOTTER_TOKEN": TOKEN,
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
        **more,
    }
    result = subprocess.run(
        [sys.executable, str(file)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return result.stdout


def the_run(server: ScriptServer) -> dict[str, Any]:
    [run] = server.runs.values()
    assert server.events("run-ended")[0]["error"] is None
    return run


TRAINER = """
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments
from spotter.integrations.transformers import SpotterCallback

tiny = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
model = LlamaForCausalLM(LlamaConfig(vocab_size=16, max_position_embeddings=8, **tiny))
rows = [{"input_ids": torch.arange(8) % 16, "labels": torch.arange(8) % 16}] * 16
arguments = TrainingArguments(
    "out", per_device_train_batch_size=4, num_train_epochs=2, logging_steps=1, save_steps=4, report_to=[],
    eval_strategy="epoch", use_cpu=True, dataloader_pin_memory=False, disable_tqdm=True, run_name="tiny llama",
)
trainer = Trainer(model, arguments, train_dataset=rows, eval_dataset=rows[:4], callbacks=[SpotterCallback(tags=["hf"])])
trainer.train()
"""


def test_hugging_face_trainer_tells_losses_config_and_checkpoints(
    server: ScriptServer, tmp_path: Path
) -> None:
    train(tmp_path, TRAINER, server)
    run = the_run(server)
    assert (run["name"], run["tags"]) == ("tiny llama", ["hf"])
    assert run["config"]["per_device_train_batch_size"] == 4
    assert run["config"]["model"]["hidden_size"] == 8
    assert "token" not in json.dumps(list(run["config"]))
    assert [point[0] for point in server.points("train/loss")] == list(range(1, 9))
    assert [point[0] for point in server.points("val/loss")] == [4, 8]
    assert server.points("train/learning_rate") and server.points("train/gradient_norm")
    assert server.events("run-started")[0]["total_steps"] == 8
    said = [line["text"] for event in server.events("log-lines") for line in event["lines"]]
    assert [text.partition(":")[0] for text in said] == [
        "checkpoint of step 4",
        "checkpoint of step 8",
    ]
    assert server.events("run-ended")[0]["state"] == "finished"


LIGHTNING = """
import torch
from {name} import LightningModule, Trainer
from spotter.integrations.lightning import SpotterCallback, SpotterLogger

class Line(LightningModule):
    def __init__(self, width=3):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(width, 1)

    def training_step(self, batch, number):
        loss = self.layer(batch).square().mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, number):
        self.log("val_loss", self.layer(batch).square().mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

data = torch.utils.data.DataLoader(torch.ones(8, 3), batch_size=2)
trainer = Trainer(
    max_epochs=2, logger=SpotterLogger(name="a line"), callbacks=[SpotterCallback()], log_every_n_steps=1,
    accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
)
trainer.fit(Line(), data, data)
"""


@pytest.mark.parametrize("name", ["lightning", "pytorch_lightning"])
def test_lightning_tells_metrics_hyperparameters_and_checkpoints(
    server: ScriptServer, tmp_path: Path, name: str
) -> None:
    train(tmp_path, LIGHTNING.format(name=name), server)
    run = the_run(server)
    assert run["name"] == "a line"
    assert server.events("run-started")[-1]["config"] == {"width": 3}
    assert len(server.points("train_loss")) == 8
    assert len(server.points("val_loss")) == 2
    said = [line["text"] for event in server.events("log-lines") for line in event["lines"]]
    assert any(text.startswith("checkpoint of step 8") for text in said)
    assert server.events("run-ended")[0]["state"] == "finished"


KERAS = """
import keras, numpy
from spotter.integrations.keras import SpotterCallback

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="dense")
model.compile("adam", "mse", metrics=["mae"])
inputs = numpy.ones((16, 4), "float32")
model.fit(
    inputs, inputs[:, :2], batch_size=4, epochs=2, validation_split=0.5, verbose=0,
    callbacks=[SpotterCallback(save_every_epochs=2, note="a test")],
)
print(keras.backend.backend())
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_keras_tells_metrics_config_and_checkpoints(
    server: ScriptServer, tmp_path: Path, backend: str
) -> None:
    output = train(tmp_path, KERAS, server, KERAS_BACKEND=backend)
    assert output.split()[-1] == backend
    run = the_run(server)
    assert (run["name"], run["note"]) == ("dense", "a test")
    assert run["config"]["backend"] == backend and run["config"]["parameters"] == 10
    assert [point[0] for point in server.points("train/loss")] == [1, 2, 2, 3, 4, 4]
    assert [point[0] for point in server.points("val/loss")] == [2, 4]
    assert [point[2] for point in server.points("train/learning_rate")] == pytest.approx(
        [0.001, 0.001]
    )
    assert [point[2] for point in server.points("epoch")] == [1, 2]
    said = [line["text"] for event in server.events("log-lines") for line in event["lines"]]
    assert [text.partition(":")[0] for text in said] == ["checkpoint of step 4"]


STOPS = """
import spotter.script_run
steps = []
spotter.script_run.Run.should_stop = lambda run: len(steps) >= 3
log = spotter.script_run.Run.log
def counted(run, metrics, step=None):
    steps.append(step)
    log(run, metrics, step)
spotter.script_run.Run.log = counted
"""


@pytest.mark.parametrize(
    ("script", "series", "fewer_than"),
    [(TRAINER, "train/loss", 8), (LIGHTNING.format(name="lightning"), "train_loss", 8)],
)
def test_a_run_that_should_stop_ends_the_training_early(
    server: ScriptServer, tmp_path: Path, script: str, series: str, fewer_than: int
) -> None:
    train(tmp_path, STOPS + script, server)
    assert 0 < len(server.points(series)) < fewer_than
    assert server.events("run-ended")[0]["state"] == "stopped"
