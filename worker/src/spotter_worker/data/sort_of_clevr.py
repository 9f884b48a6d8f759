"""Owns the generated questions about images: coloured squares and circles, asked about one by one and in relation.

After "Sort-of-CLEVR" of Santoro et al. 2017 (A simple neural network module for relational reasoning): every object of
an image has a colour of its own; ten questions are about one object (its shape, its side of the image), ten about
relations (shape of the closest and of the furthest object, number of objects of the same shape). Here the questions
are sentences, in English or Chinese, and no answer hangs on a tie. N images, K objects, S pixels of edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .concept import QuestionData
from .images import MemoryImages

COLOURS = {
    ("red", "红色"): (220, 50, 47),
    ("green", "绿色"): (60, 160, 70),
    ("blue", "蓝色"): (50, 90, 215),
    ("orange", "橙色"): (245, 140, 30),
    ("grey", "灰色"): (140, 140, 140),
    ("yellow", "黄色"): (240, 220, 50),
}
# Two wordings of each kind of question.
TEMPLATES = {
    "en": (
        ("what is the shape of the {} object?", "what shape does the {} object have?"),
        ("is the {} object on the left of the image?", "does the {} object lie in the left half?"),
        ("is the {} object at the top of the image?", "does the {} object lie in the upper half?"),
        (
            "what is the shape of the object closest to the {} object?",
            "which shape is nearest to the {} object?",
        ),
        (
            "what is the shape of the object furthest from the {} object?",
            "which shape is farthest away from the {} object?",
        ),
        (
            "how many objects have the same shape as the {} object?",
            "how many objects share the shape of the {} object?",
        ),
    ),
    "zh": (
        ("{}物体是什么形状？", "{}的物体是方形还是圆形？"),
        ("{}物体在图像的左边吗？", "{}物体位于左半部分吗？"),
        ("{}物体在图像的上方吗？", "{}物体位于上半部分吗？"),
        ("离{}物体最近的物体是什么形状？", "哪种形状离{}物体最近？"),
        ("离{}物体最远的物体是什么形状？", "哪种形状离{}物体最远？"),
        ("有多少个物体与{}物体形状相同？", "与{}物体形状相同的物体有几个？"),
    ),
}  # fmt: skip
ANSWERS = {"en": ("yes", "no", "square", "circle"), "zh": ("是", "否", "方形", "圆形")}
YES, NO, SQUARE, CIRCLE, COUNTS = 0, 1, 2, 3, 4
NUM_KINDS, NUM_RELATIONAL_KINDS = 6, 3
QUESTIONS_OF_A_SORT = 10
BACKGROUND = 255
# As in the paper: 10 of 75 pixels.
RADIUS_SHARE = 0.075


@dataclass(frozen=True)
class Scenes:
    """Where the objects are, before anything is drawn."""

    size: int
    radius: int
    centre: torch.Tensor  # (N, K, 2): x and y of the middle pixel
    shape: torch.Tensor  # (N, K): SQUARE or CIRCLE
    colour: torch.Tensor  # (N, K): number in COLOURS, each once an image


def generate(
    num_images: int, size: int, num_objects: int, language: str, seed: int
) -> QuestionData:
    """The same numbers give the same data on every machine. `language`: en, zh or both."""
    assert 2 <= num_objects <= len(COLOURS)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + 271_828)
    scenes = draw_scenes(num_images, size, num_objects, generator)
    languages = list(TEMPLATES) if language == "both" else [language]
    number, answer, relational = _ask(scenes, len(languages), generator)
    # In the order in which `_ask` counts.
    texts = [
        wording.format(names[list(TEMPLATES).index(one)])
        for one in languages
        for kind in TEMPLATES[one]
        for wording in kind
        for names in COLOURS
    ]
    words = [
        " ".join(answers) for answers in zip(*(ANSWERS[one] for one in languages), strict=True)
    ]
    return QuestionData(
        MemoryImages(paint(scenes)),
        texts,
        torch.arange(num_images),
        number,
        answer,
        relational,
        [*words, *(str(count) for count in range(1, num_objects + 1))],
    )


def draw_scenes(num_images: int, size: int, num_objects: int, generator: torch.Generator) -> Scenes:
    """Objects anywhere, each with a pixel of space around it; what does not fit is drawn anew as a whole."""
    radius = max(2, round(size * RADIUS_SHARE))
    centre = torch.empty(num_images, num_objects, 2, dtype=torch.int64)
    missing = torch.arange(num_images)
    while len(missing) > 0:
        drawn = (len(missing), num_objects, 2)
        centre[missing] = torch.randint(radius, size - radius, drawn, generator=generator)
        missing = missing[~_is_clear(centre[missing], size, 2 * radius + 2)]
    shape = torch.randint(SQUARE, CIRCLE + 1, (num_images, num_objects), generator=generator)
    colour = torch.rand(num_images, len(COLOURS), generator=generator).argsort(1)[:, :num_objects]
    return Scenes(size, radius, centre, shape, colour)


def _is_clear(centre: torch.Tensor, size: int, least_gap: int) -> torch.Tensor:
    """(N,): whether nothing overlaps, nothing lies on the middle line, and no two are equally close or far."""
    num_objects = centre.shape[1]
    offset = centre[:, :, None] - centre[:, None]
    apart = offset.abs().amax(-1) + torch.eye(num_objects, dtype=torch.int64) * size
    clear = (apart >= least_gap).all(2).all(1)
    # Twice the place against the middle: whole numbers for odd and even sizes alike.
    clear &= (2 * centre + 1 != size).all(2).all(1)
    if num_objects > 2:
        squared = squared_distances(centre)
        nearest = squared.sort(2).values
        furthest = nearest.flip(2)
        clear &= (nearest[:, :, 1] != nearest[:, :, 2]).all(1)
        clear &= (furthest[:, :, 0] != furthest[:, :, 1]).all(1)
    return clear


def squared_distances(centre: torch.Tensor) -> torch.Tensor:
    return (centre[:, :, None] - centre[:, None]).pow(2).sum(-1)


def paint(scenes: Scenes) -> torch.Tensor:
    """(N, 3, S, S) uint8. Only the pixels of the objects are touched: 10,000 images take a second."""
    size, radius = scenes.size, scenes.radius
    num_images, num_objects = scenes.shape.shape
    palette = torch.tensor(list(COLOURS.values()), dtype=torch.float32)
    steps = torch.arange(-radius, radius + 1)
    # The circle's edge is softened over a pixel; the square fills its box.
    from_middle = (steps[:, None].pow(2) + steps[None].pow(2)).float().sqrt()
    cover = torch.stack([torch.ones_like(from_middle), (radius + 0.5 - from_middle).clamp(0, 1)])
    image = torch.full((num_images * size * size, 3), BACKGROUND, dtype=torch.uint8)
    start = torch.arange(num_images)[:, None] * size * size
    for number in range(num_objects):
        x, y = scenes.centre[:, number].unbind(1)
        box = (y[:, None] + steps)[:, :, None] * size + (x[:, None] + steps)[:, None]
        share = cover[scenes.shape[:, number] - SQUARE].flatten(1)[:, :, None]
        colour = palette[scenes.colour[:, number]][:, None]
        pixels = BACKGROUND + share * (colour - BACKGROUND)
        image[(start + box.flatten(1)).flatten()] = pixels.round().to(torch.uint8).flatten(0, 1)
    return image.view(num_images, size, size, 3).permute(0, 3, 1, 2)


def _ask(
    scenes: Scenes, num_languages: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Numbers of the texts, answers, and what is relational, each (N, M): different questions on every image."""
    num_images, num_objects = scenes.shape.shape
    of_a_sort = num_objects * NUM_RELATIONAL_KINDS
    num_asked = min(QUESTIONS_OF_A_SORT, of_a_sort)
    # Of each sort as many as wanted, in random order: 0 … of_a_sort - 1 are about one object, the rest relations.
    chosen = torch.cat(
        [
            torch.rand(num_images, of_a_sort, generator=generator).argsort(1)[:, :num_asked]
            + sort * of_a_sort
            for sort in range(2)
        ],
        1,
    )
    kind, about = chosen // num_objects, chosen % num_objects
    wording = torch.randint(0, 2, chosen.shape, generator=generator)
    language = torch.randint(0, num_languages, chosen.shape, generator=generator)
    colour = scenes.colour.gather(1, about)
    text = ((language * NUM_KINDS + kind) * 2 + wording) * len(COLOURS) + colour
    answer = answers_of(scenes).flatten(1).gather(1, kind * num_objects + about)
    return text, answer, (kind >= NUM_KINDS - NUM_RELATIONAL_KINDS).to(torch.int8)


def answers_of(scenes: Scenes) -> torch.Tensor:
    """(N, kinds, K): the right answer to every question that can be asked."""
    shape, size = scenes.shape, scenes.size
    squared = squared_distances(scenes.centre)
    itself = torch.eye(shape.shape[1], dtype=torch.bool)
    closest = squared.masked_fill(itself, 2 * size * size + 1).argmin(2)
    furthest = squared.argmax(2)
    same = (shape[:, :, None] == shape[:, None]).sum(2)
    sides = torch.where(2 * scenes.centre + 1 < size, YES, NO)
    of_others = [shape.gather(1, closest), shape.gather(1, furthest), COUNTS - 1 + same]
    return torch.stack([shape, *sides.unbind(2), *of_others], 1)
