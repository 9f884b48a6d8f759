"""Owns how an example becomes tokens, and which of them are learnt: the answers with the token that ends them.

A conversation is written by the tokenizer's own chat template, or by ours where it has none. The whole text is cut into
tokens at once, as it will be when the model is used, and a token is learnt when it begins inside an answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from .dialogues import Dialogue, Message
from .unknown_text import UnknownText

# For models that never saw a conversation: words they know, and no token that they do not.
DEFAULT_TEMPLATE = (
    "{% for message in messages %}"
    "### {{ message['role'] | capitalize }}:\n{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    # A bare line break behind a block would be taken away.
    "{{ '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}### Assistant:\n{% endif %}"
)
TEMPLATE_NAME = "chat_template.jinja"
# Files that make a tokenizer, and what goes with it; the weights' own files are not among them.
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
    TEMPLATE_NAME,
)

Span = tuple[int, int]


@dataclass(frozen=True)
class Tokens:
    ids: numpy.ndarray
    # True where the token is learnt.
    learnt: numpy.ndarray


class AnswerTokenizer:
    """`kind` is the data's format; `plain` puts a prompt and its answer one after the other, without a template."""

    def __init__(self, folder: Path, kind: str, plain: bool, context: int) -> None:
        self._folder, self._kind, self._context = folder, kind, context
        # A conversation has no plain form.
        self._plain = plain and kind == "instruction"
        # Of all that was encoded.
        self.unknown = UnknownText()
        self.inner = _load(folder)
        self._unknown_id = _unknown_id(self.inner)
        self.has_own_template = self.inner.chat_template is not None
        if not self.has_own_template:
            self.inner.chat_template = DEFAULT_TEMPLATE

    @property
    def size(self) -> int:
        return len(self.inner)

    def encode(self, dialogue: Dialogue) -> Tokens:
        """At most `context` tokens; what is learnt may be none of them."""
        if dialogue.messages is None:
            assert dialogue.text is not None
            return self._cut(dialogue.text, [(0, len(dialogue.text))], is_plain=True)
        if self._plain:
            before, answer = (message["content"] for message in dialogue.messages)
            text = before + answer
            return self._cut(text, [(len(before), len(text))], is_plain=True)
        try:
            text, spans = self._written(dialogue.messages)
        # Jinja's errors have many classes; all of them mean that this conversation does not fit the template.
        except Exception as error:
            raise dialogue.row.error(f"the model's chat template refuses it: {error}") from error
        return self._cut(text, spans, is_plain=False)

    def prompt(self, text: str) -> list[int]:
        """What stands before the answer to a text."""
        if self._kind == "text" or self._plain:
            ids: list[int] = self.inner(text)["input_ids"]
            return ids
        written = self._render([{"role": "user", "content": text}], answer_follows=True)
        found: list[int] = self.inner(written, add_special_tokens=False)["input_ids"]
        return found

    def ends(self) -> list[int]:
        """Tokens that end an answer: the tokenizer's own, and the one that the template puts there."""
        ends = [self.inner.eos_token_id]
        question: list[Message] = [{"role": "user", "content": "1"}]
        before = self._render(question, answer_follows=True)
        after = self._render([*question, {"role": "assistant", "content": "2"}])
        if after.startswith(f"{before}2"):
            rest = self.inner(after[len(before) + 1 :], add_special_tokens=False)["input_ids"]
            ends += [number for number in rest[:1] if number in self.inner.all_special_ids]
        return sorted({number for number in ends if number is not None})

    def decode(self, ids: list[int]) -> str:
        return str(self.inner.decode(ids, skip_special_tokens=True))

    def save(self, folder: Path) -> None:
        """The files as they came, so that every library reads them as before; the template if it is ours."""
        for name in TOKENIZER_FILES:
            file = self._folder / name
            if file.is_file() and file.resolve() != (folder / name).resolve():
                (folder / name).write_bytes(file.read_bytes())
        for file in self._folder.glob("tokenization*.py"):
            (folder / file.name).write_bytes(file.read_bytes())
        if not self.has_own_template:
            (folder / TEMPLATE_NAME).write_text(DEFAULT_TEMPLATE, encoding="utf-8")

    def _cut(self, text: str, spans: list[Span], is_plain: bool) -> Tokens:
        # A template writes the tokens that begin a text itself.
        cut = self.inner(text, add_special_tokens=is_plain, return_offsets_mapping=True)
        ids = numpy.array(cut["input_ids"], dtype=numpy.int32)
        offsets = numpy.array(cut["offset_mapping"], dtype=numpy.int64).reshape(-1, 2)
        self.unknown.count(text, ids, offsets, self._unknown_id)
        learnt = numpy.zeros(len(ids), dtype=bool)
        for start, end in spans:
            # The second part leaves out a blank before the answer whose offsets the tokenizer has trimmed away.
            learnt |= (offsets[:, 0] >= start) & (offsets[:, 1] > start) & (offsets[:, 0] < end)
        eos = self.inner.eos_token_id
        if is_plain and eos is not None and (len(ids) == 0 or ids[-1] != eos):
            ids, learnt = numpy.append(ids, numpy.int32(eos)), numpy.append(learnt, True)
        return Tokens(ids[: self._context], learnt[: self._context])

    def _written(self, messages: list[Message]) -> tuple[str, list[Span]]:
        """The conversation as the template writes it, and where in it the assistant's answers are."""
        text = self._render(messages)
        spans: list[Span] = []
        for number, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            said = message["content"].strip()
            begun = self._render(messages[:number], answer_follows=True) if number else None
            if begun is not None and text.startswith(begun):
                start = len(begun)
            else:
                start = text.find(said, spans[-1][1] if spans else 0)
            ended = self._render(messages[: number + 1]).rstrip()
            if text.startswith(ended) and 0 <= start < len(ended):
                spans.append((start, len(ended)))
            elif start >= 0 and text[start:].lstrip().startswith(said):
                spans.append((start, text.index(said, start) + len(said)))
            # Else the template shortens answers once more has been said: nobody will ever write them so.
        return text, spans

    def _render(self, messages: list[Message], answer_follows: bool = False) -> str:
        written = self.inner.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=answer_follows
        )
        return str(written)


def _unknown_id(tokenizer: Any) -> int | None:
    """Whatever has no token becomes this one; None where everything has one, as with bytes. A tokenizer may name it in
    its own file alone, and not in the settings beside."""
    if tokenizer.unk_token_id is not None:
        return int(tokenizer.unk_token_id)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return None
    model = json.loads(backend.to_str())["model"]
    name, number = model.get("unk_token"), model.get("unk_id")
    if name is not None:
        return backend.token_to_id(name)  # type: ignore[no-any-return]
    return None if number is None else int(number)


def _load(folder: Path) -> Any:
    import transformers

    # tokenizer.json as it is: the class that AutoTokenizer picks by the model's family would bring its own rules.
    kind = (
        transformers.PreTrainedTokenizerFast
        if (folder / "tokenizer.json").is_file()
        else transformers.AutoTokenizer
    )
    try:
        tokenizer = kind.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder}: no tokenizer that can be opened ({error})") from error
    if not tokenizer.is_fast:
        raise ValueError(f"{folder}: its tokenizer has no tokenizer.json, which is needed here")
    return tokenizer
