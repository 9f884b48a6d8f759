"""Owns questions of one's own: a folder with images and `questions.jsonl`, a JSON object a line.

`{"image": "a.png", "question": "what colour is the cup?", "answer": "red"}`; `"relational": true` or `false` may say of
which sort a question is. What cannot be used is named with file and row, before anything is trained.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from .concept import NO_ANSWER, NON_RELATIONAL, RELATIONAL, UNMARKED, QuestionData
from .concept_text import MAX_TOKENS, words_of
from .image_folder import MEMORY_BYTES, FolderImages
from .images import ImageStore, MemoryImages
from .unreadable_file import UnreadableFileError

QUESTIONS_NAME = "questions.jsonl"
# Questions of one image that are asked together; what an image has beyond goes into a further group.
GROUP_SIZE = 20


@dataclass(frozen=True)
class Row:
    place: str
    image: Path
    question: str
    answer: str
    kind: int


def load_question_folder(folder: Path, image_size: int, num_threads: int) -> QuestionData:
    root = _find_root(folder)
    rows = _read_rows(root)
    images = sorted({row.image for row in rows})
    classes = sorted({row.answer for row in rows})
    if len(classes) < 2:
        raise ValueError(
            f"{root / QUESTIONS_NAME}: all answers are {classes[0]!r}; needs two kinds"
        )
    texts = sorted({row.question for row in rows})
    text_number = {text: number for number, text in enumerate(texts)}
    class_number = {name: number for number, name in enumerate(classes)}
    of_image: dict[Path, list[Row]] = {}
    for row in rows:
        of_image.setdefault(row.image, []).append(row)
    groups = [
        (number, of_image[image][start : start + GROUP_SIZE])
        for number, image in enumerate(images)
        for start in range(0, len(of_image[image]), GROUP_SIZE)
    ]
    shape = (len(groups), max(len(group) for _, group in groups))
    question = torch.zeros(shape, dtype=torch.int64)
    answer = torch.full(shape, NO_ANSWER, dtype=torch.int64)
    kind = torch.full(shape, UNMARKED, dtype=torch.int8)
    for number, (_, group) in enumerate(groups):
        question[number] = text_number[group[0].question]
        for place, row in enumerate(group):
            question[number, place] = text_number[row.question]
            answer[number, place] = class_number[row.answer]
            kind[number, place] = row.kind
    return QuestionData(
        _load_images(images, rows, image_size, num_threads),
        texts,
        torch.tensor([image for image, _ in groups], dtype=torch.int64),
        question,
        answer,
        kind,
        classes,
        lambda number: images[number].relative_to(root).as_posix(),
    )


def _find_root(folder: Path) -> Path:
    if (folder / QUESTIONS_NAME).is_file():
        return folder
    # A zip of `photos/` unpacks to one folder that holds everything.
    inner = sorted(folder.glob(f"*/{QUESTIONS_NAME}")) if folder.is_dir() else []
    if len(inner) != 1:
        raise ValueError(f"{folder}: holds no {QUESTIONS_NAME}; expected it beside the images")
    return inner[0].parent


def _read_rows(root: Path) -> list[Row]:
    path = root / QUESTIONS_NAME
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            rows.append(_read_row(root, f"{QUESTIONS_NAME}, row {number}", line))
    if not rows:
        raise ValueError(f"{path}: holds no questions")
    return rows


def _read_row(root: Path, place: str, line: bytes) -> Row:
    try:
        found = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{place}: not text in UTF-8 ({error.reason})") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise ValueError(f"{place}: not an object with image, question and answer")
    for name in ("image", "question", "answer"):
        if name not in found:
            has = ", ".join(sorted(map(str, found)))
            raise ValueError(f"{place}: {name!r} is missing; the row has {has or 'nothing'}")
    answer = found["answer"]
    if isinstance(answer, int) and not isinstance(answer, bool):
        answer = str(answer)
    for name, value in (
        ("image", found["image"]),
        ("question", found["question"]),
        ("answer", answer),
    ):
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{place}: {name!r} is {value!r}; it must be text that is not empty")
    image, relational = root / found["image"], found.get("relational")
    if not image.resolve().is_relative_to(root.resolve()) or not image.is_file():
        raise ValueError(f"{place}: there is no image {found['image']!r} in the folder")
    num_words = len(words_of(found["question"]))
    if not 1 <= num_words <= MAX_TOKENS:
        raise ValueError(f"{place}: the question has {num_words} words; from 1 to {MAX_TOKENS} fit")
    if relational not in (None, True, False):
        raise ValueError(f"{place}: 'relational' is {relational!r}; it must be true or false")
    kind = UNMARKED if relational is None else RELATIONAL if relational else NON_RELATIONAL
    return Row(place, image, found["question"].strip(), answer.strip(), kind)


def _load_images(
    images: list[Path], rows: list[Row], image_size: int, num_threads: int
) -> ImageStore:
    lazy = FolderImages(images, image_size, 3, num_threads)
    if len(images) * 3 * image_size * image_size > MEMORY_BYTES:
        return lazy
    try:
        return MemoryImages(lazy.gather(torch.arange(len(images))))
    except UnreadableFileError as error:
        place = next(row.place for row in rows if row.image == error.path)
        raise ValueError(f"{place}: {error}") from error
