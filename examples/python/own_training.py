"""A training of one's own with the package spotter: metrics, a file, checkpoints, resume, stop.

As a run that the server starts (nothing to install, no account):
    npx spotter run --watch -- python3 own_training.py --steps 300
By itself (pip install ./sdk; without SPOTTER_URL and SPOTTER_TOKEN the run is kept in ./spotter-runs):
    SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... python own_training.py
"""

import argparse
import json
import math
import random
import tempfile
from pathlib import Path

import spotter

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=300)
parser.add_argument("--lr", type=float, default=0.5)
arguments = parser.parse_args()


def example(random_source):
    """A point of the plane, and whether it lies above the line y = 2x - 1."""
    x, y = random_source.uniform(-2, 2), random_source.uniform(-4, 4)
    return (x, y, 1.0), float(y > 2 * x - 1)


def predict(weights, features):
    total = sum(weight * feature for weight, feature in zip(weights, features, strict=True))
    return 1 / (1 + math.exp(-total))


spotter.init(name="a line in the plane", config=arguments, total_steps=arguments.steps)
weights, first_step = [0.0, 0.0, 0.0], 0
if resumed := spotter.resumed_from():
    state = json.loads(resumed.read_text())
    weights, first_step = state["weights"], state["step"] + 1
held_out = [example(random.Random(-1 - number)) for number in range(200)]
folder = Path(tempfile.mkdtemp())

for step in range(first_step, arguments.steps):
    loss = 0.0
    # The batch follows from the step alone, so a resumed run goes on as if it had never stopped.
    for features, truth in [example(random.Random(step * 16 + number)) for number in range(16)]:
        guess = predict(weights, features)
        loss -= math.log(max(1e-12, guess if truth else 1 - guess)) / 16
        rate = arguments.lr / 16 * (truth - guess)
        weights = [
            weight + rate * feature for weight, feature in zip(weights, features, strict=True)
        ]
    spotter.log({"train/loss": loss}, step=step)
    if step % 20 == 19:
        right = sum(
            (predict(weights, features) > 0.5) == bool(truth) for features, truth in held_out
        )
        spotter.log({"val/accuracy": right / len(held_out)}, step=step)
    if step % 100 == 99 or spotter.should_checkpoint() or spotter.should_stop():
        (folder / "state.json").write_text(json.dumps({"step": step, "weights": weights}))
        spotter.checkpoint(folder / "state.json", step=step)
    if spotter.should_stop():
        print(f"stopped at step {step}")
        break

(folder / "weights.json").write_text(json.dumps(weights))
spotter.log_artifact(folder / "weights.json", kind="weights")
print(f"weights: {weights}")
