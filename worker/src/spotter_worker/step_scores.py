"""Owns what the batches of one step gave, added up over batches and processes."""

from __future__ import annotations

from .distributed import Part, Peers
from .progress import Progress
from .task import Scores


class StepScores:
    """What one step's batches gave."""

    def __init__(self) -> None:
        self._parts: list[tuple[Scores, Part]] = []
        # Examples (or tokens) of all processes; known after `take`.
        self.count = 0

    def add(self, scores: Scores, part: Part) -> None:
        if part.share > 0:
            self._parts.append((scores, part))

    def take(self, peers: Peers, progress: Progress) -> dict[str, float]:
        """Adds all processes' batches to the sums of the progress; the means of the step."""
        own: dict[str, float] = {}
        for scores, part in self._parts:
            losses = {
                "loss": scores.loss.item() * part.count,
                "mean": scores.loss.item() * part.share,
            }
            sums = {name: float(value) for name, value in scores.sums.items()}
            for name, value in {**losses, "count": part.count, **sums}.items():
                own[name] = own.get(name, 0.0) + value
        total = peers.sum(own)
        count, mean = total.pop("count"), total.pop("mean") / peers.size
        for name, value in total.items():
            progress.sums[name] = progress.sums.get(name, 0.0) + value
        self.count = int(count)
        progress.num_seen += self.count
        return {
            "loss": mean,
            **{name: value / count for name, value in total.items() if name != "loss"},
        }
