"""Owns what a row means to fine-tuning: a conversation, a prompt with its answer, or a plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..recipe_configs import TextFinetuneConfig
from .table_rows import Row

PROMPTS = ("instruction", "prompt")
ANSWERS = ("output", "completion", "response")
# ShareGPT's names beside OpenAI's.
ROLES = {"human": "user", "gpt": "assistant", "model": "assistant", "bot": "assistant"}
KNOWN_ROLES = ("system", "user", "assistant", "tool", "developer")

Message = dict[str, str]


@dataclass(frozen=True)
class Dialogue:
    """One example: messages of which the assistant's are learnt, or a text that is learnt whole."""

    row: Row
    messages: list[Message] | None
    text: str | None = None


@dataclass(frozen=True)
class Columns:
    """Which columns an example is read from; only those of the format are used."""

    format: str
    messages: str
    prompt: str
    input: str
    answer: str
    text: str


def find_columns(config: TextFinetuneConfig, first: Row) -> Columns:
    """By the config, and by the first row where it leaves things open."""
    has = first.values.keys()
    prompts = (config.prompt_column,) if config.prompt_column else PROMPTS
    answers = (config.answer_column,) if config.answer_column else ANSWERS
    prompt = next((name for name in prompts if name in has), prompts[0])
    answer = next((name for name in answers if name in has), answers[0])
    kind = config.format
    if kind == "auto":
        fits = {
            "chat": config.messages_column in has,
            "instruction": prompt in has and answer in has,
            "text": config.text_column in has,
        }
        kind = next((name for name, fit in fits.items() if fit), "auto")
    wanted = {
        "chat": [config.messages_column],
        "instruction": [prompt, answer],
        "text": [config.text_column],
    }.get(kind, [])
    missing = [name for name in wanted if name not in has]
    if kind == "auto" or missing:
        raise first.error(
            f"the columns are {', '.join(map(str, has))}; expected {config.messages_column!r} (chat), "
            f"{' or '.join(map(repr, prompts))} with {' or '.join(map(repr, answers))} (instruction), or "
            f"{config.text_column!r} (text): rename them, or name yours in the config"
        )
    return Columns(
        kind, config.messages_column, prompt, config.input_column, answer, config.text_column
    )


def read_dialogues(rows: Iterable[Row], columns: Columns) -> Iterator[Dialogue]:
    for row in rows:
        match columns.format:
            case "chat":
                yield Dialogue(row, _messages(row, columns.messages))
            case "instruction":
                yield Dialogue(row, _instruction(row, columns))
            case _:
                yield Dialogue(row, None, _text(row, columns.text))


def _instruction(row: Row, columns: Columns) -> list[Message]:
    prompt = _text(row, columns.prompt)
    more = row.values.get(columns.input)
    if isinstance(more, str) and more.strip():
        prompt = f"{prompt}\n\n{more}"
    return [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": _text(row, columns.answer)},
    ]


def _text(row: Row, column: str) -> str:
    value = row.values.get(column)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if value is None else repr(value)[:60]
        there = ", ".join(map(str, row.values))
        raise row.error(f"no text in the column {column!r}, but {found}; the columns are {there}")
    return value


def _messages(row: Row, column: str) -> list[Message]:
    given = row.values.get(column)
    if isinstance(given, str):
        # CSV has no lists.
        try:
            given = json.loads(given)
        except ValueError as error:
            raise row.error(f"the column {column!r} holds no JSON list ({error})") from error
    if not isinstance(given, list) or not given:
        there = ", ".join(map(str, row.values))
        raise row.error(f"no list of messages in the column {column!r}; the columns are {there}")
    messages = [_message(row, number, one) for number, one in enumerate(given, start=1)]
    if not any(message["role"] == "assistant" for message in messages):
        raise row.error("no message of the assistant, so there is nothing to learn from it")
    return messages


def _message(row: Row, number: int, given: Any) -> Message:
    if not isinstance(given, dict):
        raise row.error(f"message {number} is no object with role and content")
    role = given.get("role", given.get("from"))
    role = ROLES.get(role, role) if isinstance(role, str) else role
    if role not in KNOWN_ROLES:
        raise row.error(
            f"message {number} has the role {role!r}; known are {', '.join(KNOWN_ROLES)}"
        )
    content = given.get("content", given.get("value"))
    if isinstance(content, list):
        # OpenAI's parts; anything but text is not for a language model.
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        is_text = len(texts) == len(content) and all(isinstance(text, str) for text in texts)
        content = "".join(map(str, texts)) if is_text else None
    if not isinstance(content, str):
        raise row.error(f"message {number} has no text in 'content'")
    return {"role": role, "content": content}
