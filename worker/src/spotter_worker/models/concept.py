"""Owns the networks that answer questions about images: an image encoder, a question encoder, and what joins them.

B images, M questions on each, U different questions, L tokens; N cells of the image; D features.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

EMBEDDING = 64
# Pairs grow with the square of the cells, so that fusion gets a coarse grid; attention can have a finer one.
MAX_EDGE = {"relation": 5, "cross-attention": 10, "mlp": 5}
LEAST_EDGE = 3
# Half periods of a place's waves over half the picture.
WAVES = (0.5, 1, 2)


@dataclass(frozen=True)
class ConceptArchitecture:
    """Everything that decides the shapes; saved with the weights."""

    fusion: str
    width: int
    num_layers: int
    dropout: float
    num_channels: int
    image_size: int
    vocabulary_size: int
    num_classes: int

    @property
    def edges(self) -> list[int]:
        """Edge of the picture before the first and after every convolution; the last is the grid's."""
        edges = [self.image_size]
        while edges[-1] > MAX_EDGE[self.fusion] and (edges[-1] + 1) // 2 >= LEAST_EDGE:
            edges.append((edges[-1] + 1) // 2)
        return edges


class ConceptModel(nn.Module):
    def __init__(self, architecture: ConceptArchitecture) -> None:
        super().__init__()
        a = architecture
        self.image_encoder = ImageEncoder(a)
        self.question_encoder = QuestionEncoder(a.vocabulary_size, a.width)
        self.fusion = FUSIONS[a.fusion](a)
        self.dropout = nn.Dropout(a.dropout)
        self.head = nn.Linear(a.width, a.num_classes)

    def forward(
        self, images: torch.Tensor, tokens: torch.Tensor, asked: torch.Tensor
    ) -> torch.Tensor:
        """(B, C, H, W), (U, L), (B, M) → (B, M, classes)."""
        cells = self.image_encoder(images)
        questions = functional.embedding(asked, self.question_encoder(tokens))
        logits: torch.Tensor = self.head(self.dropout(self.fusion(cells, questions)))
        return logits


class ImageEncoder(nn.Module):
    """Convolutions that halve the picture each, one that does not, and a place for every cell: (B, N, D)."""

    places: torch.Tensor

    def __init__(self, a: ConceptArchitecture) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        c_in, num_halvings = a.num_channels, len(a.edges) - 1
        for number in range(num_halvings + 1):
            # Few channels at first: early layers see many pixels and must be cheap. The last layer keeps the grid: a
            # cell has to see the whole of an object, also where its neighbours share it.
            stride = 2 if number < num_halvings else 1
            c_out = max(16, a.width >> max(0, 2 - number))
            layers += [
                nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False),
                nn.BatchNorm2d(c_out),
                nn.ReLU(inplace=True),
            ]
            c_in = c_out
        self.layers = nn.Sequential(*layers)
        edge = a.edges[-1]
        line = torch.linspace(-1, 1, edge)
        places = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).view(edge * edge, 2)
        # Waves beside the bare coordinates: two numbers among so many features would hardly be heard.
        waves = [wave(math.pi * rate * places) for rate in WAVES for wave in (torch.sin, torch.cos)]
        places = torch.cat([places, *waves], 1)
        self.project = nn.Linear(c_in + places.shape[1], a.width)
        self.register_buffer("places", places, persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.layers(images).flatten(2).transpose(1, 2)
        places = self.places.to(features.dtype).expand(len(features), -1, -1)
        cells: torch.Tensor = self.project(torch.cat([features, places], 2))
        return cells


class QuestionEncoder(nn.Module):
    """Words through a GRU; a question is what it holds after the last word, and the sum of its words: (U, D).

    The sum keeps every word in sight from the start: a colour in the middle of a sentence has all but faded from the
    last state of a GRU that has learnt nothing yet.
    """

    def __init__(self, vocabulary_size: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, EMBEDDING, padding_idx=0)
        self.gru = nn.GRU(EMBEDDING, width, batch_first=True)
        self.words = nn.Linear(EMBEDDING, width, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        words = self.embedding(tokens)
        states, _ = self.gru(words)
        last = ((tokens != 0).sum(1) - 1).clamp(min=0)
        rows = torch.arange(len(tokens), device=tokens.device)
        questions: torch.Tensor = states[rows, last] + self.words(words.sum(1))
        return questions


class RelationFusion(nn.Module):
    """The Relation Network of Santoro et al. 2017: g looks at every pair of cells with the question, f at their sum.

    The first layer of g is linear in what it is given, so that its parts are computed for cells and questions alone
    and added up: N + N + M products of vectors and matrices instead of N · N · M.
    """

    def __init__(self, a: ConceptArchitecture) -> None:
        super().__init__()
        self.one = nn.Linear(a.width, a.width, bias=False)
        self.other = nn.Linear(a.width, a.width, bias=False)
        self.question = nn.Linear(a.width, a.width)
        self.g = nn.ModuleList(nn.Linear(a.width, a.width) for _ in range(a.num_layers))
        self.f = nn.Sequential(nn.Linear(a.width, a.width), nn.ReLU(), nn.Linear(a.width, a.width))

    def forward(self, cells: torch.Tensor, questions: torch.Tensor) -> torch.Tensor:
        pairs = self.one(cells)[:, :, None] + self.other(cells)[:, None]  # (B, N, N, D)
        asked = self.question(questions)[:, :, None]  # (B, M, 1, D)
        pairs = functional.relu(pairs.flatten(1, 2)[:, None] + asked)  # (B, M, N · N, D)
        for layer in self.g:
            pairs = functional.relu(layer(pairs))
        # The paper's sum, over as many as there are cells: its size does not depend on the grid.
        related = pairs.sum(2) / cells.shape[1]
        return functional.relu(self.f(related))


class CrossAttentionFusion(nn.Module):
    """The question first looks for what it is about, then compares that with every cell, layer by layer.

    One side of every pair is what the question has found, so that N pairs are looked at instead of the N · N of a
    Relation Network; the cells are made once for all questions of an image.
    """

    def __init__(self, a: ConceptArchitecture) -> None:
        super().__init__()
        self.look = AttentionBlock(a.width)
        self.compare = nn.ModuleList(CompareBlock(a.width) for _ in range(a.num_layers - 1))
        self.norm = nn.LayerNorm(a.width)

    def forward(self, cells: torch.Tensor, questions: torch.Tensor) -> torch.Tensor:
        found = self.look(questions, cells)
        for block in self.compare:
            found = block(found, cells)
        answer: torch.Tensor = self.norm(found)
        return answer


class CompareBlock(nn.Module):
    """Attention whose weights come from layers over both sides, as in Bahdanau et al. 2014, and two layers on each.

    A product of query and key tells alike from unlike; near and far need more, which the layers can learn.
    """

    HEADS = 4

    def __init__(self, width: int) -> None:
        super().__init__()
        self.found_norm, self.cell_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.found = nn.Linear(width, width, bias=False)
        self.cell = nn.Linear(width, width)
        self.pair = nn.Linear(width, width)
        self.weight = nn.Linear(width, self.HEADS, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.inner = inner_layers(width)

    def forward(self, found: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
        cells = self.cell_norm(cells)
        one = self.found(self.found_norm(found))[:, :, None]  # (B, M, 1, D)
        pairs = functional.relu(one + self.cell(cells)[:, None])  # (B, M, N, D)
        weights = self.weight(functional.relu(self.pair(pairs))).softmax(2)  # (B, M, N, H)
        values = self.value(cells).unflatten(2, (self.HEADS, -1))  # (B, N, H, D / H)
        seen = (weights.permute(0, 3, 1, 2) @ values.transpose(1, 2)).transpose(1, 2).flatten(2)
        found = found + self.out(seen)
        result: torch.Tensor = found + self.inner(found)
        return result


class AttentionBlock(nn.Module):
    """Pre-norm attention from one sequence to another, and two layers on each element."""

    HEAD = 32

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_heads = max(1, width // self.HEAD)
        self.asking_norm, self.seen_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        for layer in (self.query, self.key_value):
            # Sharper than PyTorch's default from the first step on: even attention learns slowly whom to look at.
            nn.init.normal_(layer.weight, std=(2 / width) ** 0.5)
        self.inner = inner_layers(width)

    def forward(self, asking: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        query = self._heads(self.query(self.asking_norm(asking)))
        key, value = self.key_value(self.seen_norm(seen)).chunk(2, -1)
        found = functional.scaled_dot_product_attention(query, self._heads(key), self._heads(value))
        asking = asking + self.out(found.transpose(1, 2).flatten(2))
        result: torch.Tensor = asking + self.inner(asking)
        return result

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(len(x), x.shape[1], self.num_heads, -1).transpose(1, 2)


def inner_layers(width: int) -> nn.Module:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
    )


class MlpFusion(nn.Module):
    """The baseline: all cells and the question end to end, through plain layers."""

    def __init__(self, a: ConceptArchitecture) -> None:
        super().__init__()
        num_cells = a.edges[-1] ** 2
        self.cells = nn.Linear(num_cells * a.width, 2 * a.width)
        self.question = nn.Linear(a.width, 2 * a.width, bias=False)
        self.layers = nn.ModuleList(
            nn.Linear(2 * a.width, 2 * a.width) for _ in range(a.num_layers)
        )
        self.out = nn.Linear(2 * a.width, a.width)

    def forward(self, cells: torch.Tensor, questions: torch.Tensor) -> torch.Tensor:
        # One layer on both, as one on each, added.
        joined = functional.relu(self.cells(cells.flatten(1))[:, None] + self.question(questions))
        for layer in self.layers:
            joined = functional.relu(layer(joined))
        return functional.relu(self.out(joined))


FUSIONS: dict[str, type[nn.Module]] = {
    "relation": RelationFusion,
    "cross-attention": CrossAttentionFusion,
    "mlp": MlpFusion,
}
