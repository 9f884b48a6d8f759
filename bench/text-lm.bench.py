"""Bench: `text-lm` at nanoGPT's CPU setting. `npm run bench -- text-lm <tinyshakespeare.txt> [folder of nanoGPT]`

4 layers, 4 heads, 128 wide, context 64, batch 12, 2,000 steps, characters, no dropout; bar: validation loss ≤ 1.88.
With nanoGPT's folder its model trains a few hundred steps in turns with ours and with transformers' own Llama module, on
the same batches and with the same AdamW settings, so that other load hits all alike; bars: our median step is not slower,
the library's takes at most a quarter longer. Two threads; the first steps of each are not counted. Without the arguments
these parts are left out, and that is said.

nanoGPT's layer has two matrices of 128 x 512 where Llama's has three: ours are 128 x 336, so that both models have as many
weights (printed; nanoGPT's learned positions besides). Per token both multiply with nearly as many.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.in_process import train

NUM_THREADS = 2
CHILD_FLAG = "--as-child"
LOSS_BAR = 1.88
SPEED_BARS = {"ours": 1.0, "transformers": 0.8}
NUM_TURNS, NUM_WARM_TURNS = 200, 20
VOCABULARY = 65
SETTING = {
    "layers": 4,
    "heads": 4,
    "width": 128,
    "context": 64,
    "batch_size": 12,
    "epochs": 2,
    "max_steps": 2000,
    "learning_rate": 0.001,
    "min_learning_rate_share": 0.1,
    "warmup_steps": 100,
    "beta2": 0.99,
    "weight_decay": 0.1,
    "eval_every_steps": 500,
    "sample_tokens": 0,
}

Step = Callable[[Any, Any], None]


def measure_loss(text: Path) -> bool:
    metrics, seconds = train("text-lm", {**SETTING, "data": {"path": str(text)}}, {"data": text})
    loss = metrics["val/loss"]
    tokens = SETTING["max_steps"] * SETTING["batch_size"] * SETTING["context"]
    print(
        f"tinyshakespeare: val/loss {loss:.4f} (bar: {LOSS_BAR}) in {seconds:.0f} s, "
        f"{tokens / seconds:,.0f} tokens/s with four evaluations and the checkpoints",
        flush=True,
    )
    return loss <= LOSS_BAR


def measure_speed(nanogpt: Path) -> bool:
    import torch

    steps: dict[str, Step] = {
        "nanoGPT": nanogpt_step(nanogpt),
        "ours": our_step("own"),
        "transformers": our_step("transformers"),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(NUM_TURNS):
        tokens = torch.randint(0, VOCABULARY, (12, 65))
        for name, step in steps.items():
            started = time.perf_counter()
            step(tokens[:, :-1], tokens[:, 1:])
            times[name].append(time.perf_counter() - started)
    speeds = {
        name: 12 * 64 / statistics.median(found[NUM_WARM_TURNS:]) for name, found in times.items()
    }
    print(f"model and optimiser alone, in turns: nanoGPT {speeds['nanoGPT']:,.0f} tokens/s")
    good = True
    for name, bar in SPEED_BARS.items():
        ratio = speeds[name] / speeds["nanoGPT"]
        print(f"  {name}: {speeds[name]:,.0f} tokens/s, {ratio:.2f} x (bar: {bar})", flush=True)
        good = good and ratio >= bar
    return good


def our_step(module: str) -> Step:
    from torch.nn import functional
    from torch.nn.utils import clip_grad_norm_

    from spotter_worker.models.language_model import build_language_model
    from spotter_worker.optimizers import build_optimizer
    from spotter_worker.recipe_configs import TextLmConfig

    config = TextLmConfig.parse({**SETTING, "module": module})
    # With the end token and the unknown one.
    model, _, _ = build_language_model(config, VOCABULARY + 2)
    print(f"{module}: {sum(one.numel() for one in model.parameters()):,} weights")
    optimizer = build_optimizer(config, model)

    def step(tokens: Any, following: Any) -> None:
        loss = functional.cross_entropy(model(tokens).flatten(0, 1), following.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()

    return step


def nanogpt_step(folder: Path) -> Step:
    import torch

    sys.path.insert(0, str(folder))
    theirs = importlib.import_module("model")
    config = theirs.GPTConfig(
        block_size=64,
        vocab_size=VOCABULARY,
        n_layer=4,
        n_head=4,
        n_embd=128,
        dropout=0.0,
        bias=False,
    )
    model = theirs.GPT(config)
    optimizer = model.configure_optimizers(0.1, 0.001, (0.9, 0.99), "cpu")

    def step(tokens: Any, following: Any) -> None:
        _, loss = model(tokens, following.contiguous())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()

    return step


def main() -> int:
    import torch

    torch.set_num_threads(NUM_THREADS)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start, torch {torch.__version__}")
    arguments = [argument for argument in sys.argv[1:] if argument != CHILD_FLAG]
    good = True
    if len(arguments) > 1:
        good = measure_speed(Path(arguments[1]))
    else:
        print("nanoGPT is left out: its folder was not named")
    if arguments:
        return 0 if measure_loss(Path(arguments[0])) and good else 1
    print("tinyshakespeare is left out: its file was not named")
    return 0


def run_as_a_worker() -> int:
    """The thread settings count only if they stand before torch loads, so this starts itself anew."""
    from spotter_worker.settings import worker_environment

    command = [sys.executable, __file__, CHILD_FLAG, *sys.argv[1:]]
    return subprocess.run(command, env=worker_environment(NUM_THREADS), check=False).returncode


if __name__ == "__main__":
    sys.exit(main() if CHILD_FLAG in sys.argv else run_as_a_worker())
