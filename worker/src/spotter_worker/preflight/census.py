"""Owns what pre-flight says about the data: classes, copies inside and across the parts, lengths, size of the inputs."""

from __future__ import annotations

import hashlib
import heapq
import statistics
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from ..counted import counted
from ..task import Batch, Example, Task
from .budget import Budget
from .findings import OK, PROBLEM, WARNING, Finding, number, percent

PARTS = ("train", "validation", "test")
NUM_EXTREMES = 3
# Diagnosis F18, F19 and F11.
MAX_IMBALANCE = 10.0
MAX_LEAKED, LEAKED_BADLY = 0.001, 0.05
MAX_REPEATED = 0.01
UNKNOWN_BADLY = 0.02
MAX_MEAN, MIN_STD, MAX_STD = 0.5, 0.2, 3.0
PARTS_ZH = {"train": "训练集", "validation": "验证集", "test": "测试集"}


@dataclass
class PartCount:
    name: str
    count: int
    num_examined: int = 0
    num_duplicates: int = 0
    num_in_train: int = 0
    classes: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return dict(self.__dict__)


class Census:
    """Goes through all examples, as far as the time lets it."""

    def __init__(self, task: Task, budget: Budget) -> None:
        self._task, self._budget = task, budget
        # Content of the training part → its first label.
        self._train: dict[bytes, int | None] = {}
        self._lengths = array("d")
        self._shortest: list[tuple[float, int, str]] = []
        self._longest: list[tuple[float, int, str]] = []
        self.num_contradictions = 0
        self.is_cut_short = False
        sizes = task.sizes
        counts = {"train": sizes.train, "validation": sizes.validation, "test": sizes.test}
        self.parts = [PartCount(name, counts[name]) for name in PARTS]
        for part in self.parts:
            self._count(part)

    def _count(self, part: PartCount) -> None:
        own: Counter[int] = Counter()
        seen: dict[bytes, int | None] = self._train if part.name == "train" else {}
        for example in self._in_time(self._task.examples(part.name)):
            part.num_examined += 1
            if example.label is not None:
                own[example.label] += 1
            digest = hashlib.blake2b(example.content, digest_size=16).digest()
            if digest in seen:
                part.num_duplicates += 1
                self.num_contradictions += seen[digest] != example.label
            else:
                seen[digest] = example.label
            if part.name == "train":
                self._measure(example)
            elif digest in self._train:
                part.num_in_train += 1
                self.num_contradictions += self._train[digest] != example.label
        if own:
            part.classes = [own[number] for number in range(len(self._task.classes))]

    def _in_time(self, examples: Iterator[Example]) -> Iterator[Example]:
        for example in examples:
            if self._budget.is_spent:
                self.is_cut_short = True
                return
            yield example

    def _measure(self, example: Example) -> None:
        if example.length is None:
            return
        number = len(self._lengths)
        self._lengths.append(example.length)
        for heap, key in ((self._longest, example.length), (self._shortest, -example.length)):
            entry = (key, -number, example.name)
            if len(heap) < NUM_EXTREMES:
                heapq.heappush(heap, entry)
            else:
                heapq.heappushpop(heap, entry)

    @property
    def imbalance(self) -> float | None:
        counts = self.parts[0].classes
        return max(counts) / min(counts) if counts and min(counts) > 0 else None

    def to_json(self, inputs: dict[str, float] | None) -> dict[str, Any]:
        def extremes(heap: list[tuple[float, int, str]]) -> list[dict[str, Any]]:
            ordered = sorted(heap, reverse=True)
            return [{"name": name, "length": abs(key)} for key, _, name in ordered]

        return {
            "classes": self._task.classes,
            "parts": [part.to_json() for part in self.parts],
            "imbalance": self.imbalance,
            "length_unit": self._task.length_unit if len(self._lengths) else None,
            "median_length": statistics.median(self._lengths) if len(self._lengths) else None,
            "shortest": extremes(self._shortest),
            "longest": extremes(self._longest),
            "inputs": inputs,
            "broken": [],
            "is_cut_short": self.is_cut_short,
        }

    def findings(self, inputs: dict[str, float] | None) -> list[Finding]:
        found = [
            *self._about_classes(),
            *self._about_copies(),
            *self._about_unknown(),
            *_about_inputs(inputs),
        ]
        if not found:
            train = self.parts[0]
            found = [
                Finding(
                    "data-sound",
                    OK,
                    f"Data: {train.count:,} to train on, {self.parts[1].count:,} to validate, "
                    f"{self.parts[2].count:,} to test; nothing stands out.",
                    f"数据：训练 {train.count:,}，验证 {self.parts[1].count:,}，测试 {self.parts[2].count:,}；未见异常。",
                )
            ]
        if self.is_cut_short:
            num = sum(part.num_examined for part in self.parts)
            found.append(
                Finding(
                    "data-cut-short",
                    OK,
                    f"Only {num:,} examples were looked at: the time for that was over.",
                    f"限时内只检查了 {num:,} 个样本。",
                )
            )
        return found

    def _about_classes(self) -> Iterator[Finding]:
        classes, counts = self._task.classes, self.parts[0].classes
        if not counts:
            return
        # Where classes cannot be weighed they are answers, which are uneven by nature.
        is_sorting = hasattr(self._task.config, "class_weights")
        is_weighted = getattr(self._task.config, "class_weights", "off") != "off"
        missing = [name for name, count in zip(classes, counts, strict=True) if count == 0]
        if missing and not self.is_cut_short:
            named, named_zh = ", ".join(missing[:5]), "、".join(missing[:5])
            yield Finding(
                "class-missing",
                PROBLEM,
                f"{len(missing)} of {len(classes)} classes have no training example: {named}.",
                f"{len(classes)} 个类别中有 {len(missing)} 个没有训练样本：{named_zh}。",
                "data",
            )
        imbalance = self.imbalance
        if is_sorting and not is_weighted and imbalance is not None and imbalance > MAX_IMBALANCE:
            most, least = classes[counts.index(max(counts))], classes[counts.index(min(counts))]
            yield Finding(
                "class-imbalance",
                WARNING,
                f"Classes are uneven: {most!r} has {max(counts):,} training examples, {least!r} {min(counts):,} "
                f"({number(imbalance)} : 1). Weigh the classes, or find more of the rare ones.",
                f"类别不均衡：“{most}”有 {max(counts):,} 个训练样本，“{least}”只有 {min(counts):,} 个"
                f"（{number(imbalance)} : 1）。可启用类别权重，或补充少数类样本。",
                "class_weights",
            )
        held = self.parts[1].classes
        unseen = [name for name, count in zip(classes, held, strict=False) if count == 0]
        if is_sorting and held and unseen and not self.is_cut_short:
            named, named_zh = ", ".join(unseen[:5]), "、".join(unseen[:5])
            yield Finding(
                "class-not-validated",
                WARNING,
                f"{len(unseen)} of {len(classes)} classes have no example in the validation part: {named}.",
                f"{len(classes)} 个类别中有 {len(unseen)} 个不在验证集中：{named_zh}。",
                "validation_fraction",
            )

    def _about_unknown(self) -> Iterator[Finding]:
        unknown = self._task.unknown_text
        if unknown is None or unknown.num_unknown == 0:
            return
        yield Finding(
            "text-unknown",
            PROBLEM if unknown.share >= UNKNOWN_BADLY else WARNING,
            f"{unknown.num_unknown:,} of {unknown.num_tokens:,} tokens ({percent(unknown.share)}) stand for text that the "
            f"model's tokenizer does not know: {unknown.named()}. The model can neither read nor write it.",
            f"{unknown.num_tokens:,} 个词元中有 {unknown.num_unknown:,} 个（{percent(unknown.share)}）是分词器不认识的文本："
            f"{unknown.named()}。模型既读不了也写不出。",
            "init_from",
        )

    def _about_copies(self) -> Iterator[Finding]:
        unknown = self._task.unknown_text
        if unknown is not None and unknown.share >= UNKNOWN_BADLY:
            # Texts that are mostly holes look alike; whether they do is not known.
            return
        for part in self.parts[1:]:
            share = part.num_in_train / max(1, part.num_examined)
            if share <= MAX_LEAKED:
                continue
            yield Finding(
                "duplicates-across-parts",
                PROBLEM if share >= LEAKED_BADLY else WARNING,
                f"{part.num_in_train:,} of {part.num_examined:,} {part.name} examples ({percent(share)}) are exact copies "
                "of training examples: the measured quality would be too good. Remove the copies.",
                f"{PARTS_ZH[part.name]}的 {part.num_examined:,} 个样本中有 {part.num_in_train:,} 个"
                f"（{percent(share)}）与训练样本完全相同：测得的效果会偏高。请去重。",
                "data",
            )
        train = self.parts[0]
        share = train.num_duplicates / max(1, train.num_examined)
        if share > MAX_REPEATED:
            yield Finding(
                "duplicates-in-train",
                WARNING,
                f"{train.num_duplicates:,} of {train.num_examined:,} training examples ({percent(share)}) repeat "
                "earlier ones exactly.",
                f"{train.num_examined:,} 个训练样本中有 {train.num_duplicates:,} 个（{percent(share)}）与前面的完全重复。",
                "data",
            )
        if self.num_contradictions:
            yield Finding(
                "labels-contradict",
                WARNING,
                f"{counted(self.num_contradictions, 'example')} {'has' if self.num_contradictions == 1 else 'have'} an exact copy with another label.",
                f"{self.num_contradictions:,} 个样本与另一个内容完全相同的样本标签不同。",
                "data",
            )


def measure_inputs(batch: Batch) -> dict[str, float] | None:
    """Of what enters the network, where that is numbers and not tokens."""
    parts = batch if isinstance(batch, tuple | list) else [batch]
    for part in parts:
        if isinstance(part, torch.Tensor) and part.is_floating_point() and part.dim() >= 3:
            values = part.detach().float()
            return {
                "mean": float(values.mean()),
                "std": float(values.std()),
                "largest": float(values.abs().max()),
            }
    return None


def _about_inputs(inputs: dict[str, float] | None) -> Iterator[Finding]:
    if inputs is None:
        return
    mean, std = inputs["mean"], inputs["std"]
    # Wider than the catalogue's 0.2 and 0.5–2: one batch of padded or augmented examples strays that far.
    if abs(mean) <= MAX_MEAN and MIN_STD <= std <= MAX_STD:
        return
    yield Finding(
        "inputs-not-normalized",
        WARNING,
        f"What enters the network has mean {number(mean)} and spread {number(std)}; near 0 and 1 it learns best.",
        f"输入网络的数据均值为 {number(mean)}、标准差为 {number(std)}；接近 0 与 1 时最易学习。",
        "data",
    )
