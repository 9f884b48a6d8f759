"""Owns the files that a tokenizer leaves beside the weights, and which tokenizer a config asks for.

`tokenizer.json` and `tokenizer_config.json` are Hugging Face's: `AutoTokenizer.from_pretrained(folder)` gives the same
tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .bpe_tokenizer import learn_bpe, load_bpe
from .character_tokenizer import learn_characters, load_characters
from .tokenizer import END, Tokenizer

TOKENIZER_NAME, SETTINGS_NAME, CODE_NAME = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenization.py",
)

# For a `qwen2` model transformers 5 takes a class of its own, which normalises and cuts words its own way whatever
# tokenizer.json says, unless the folder names code. Without `trust_remote_code` the code is left alone and
# tokenizer.json read as it is; with it the code does just that.
_OWN_CLASS_FAMILY = "qwen2"
_CODE = '''"""Makes AutoTokenizer read this folder's tokenizer.json as it is."""

from transformers import PreTrainedTokenizerFast as FolderTokenizer

__all__ = ["FolderTokenizer"]
'''


def learn_tokenizer(
    kind: str, texts: Iterable[str], vocabulary_size: int | None
) -> tuple[Tokenizer, str]:
    """The tokenizer, and how it came to its size."""
    if kind == "bpe":
        return learn_bpe(texts, vocabulary_size)
    return learn_characters(texts, vocabulary_size), "the characters of the data"


def load_tokenizer(folder: Path) -> Tokenizer:
    """What `save_tokenizer` left."""
    file = folder / TOKENIZER_NAME
    if not file.is_file():
        raise ValueError(f"{folder} has no {TOKENIZER_NAME}")
    kind = json.loads(file.read_text(encoding="utf-8"))["model"]["type"]
    if kind == "BPE":
        return load_bpe(file)
    return load_characters(file)


def save_tokenizer(tokenizer: Tokenizer, folder: Path, family: str) -> None:
    """`family`: Hugging Face's `model_type` of the model beside it."""
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "pad_token": END,
        "clean_up_tokenization_spaces": False,
    }
    if family == _OWN_CLASS_FAMILY:
        settings["auto_map"] = {"AutoTokenizer": [None, f"{Path(CODE_NAME).stem}.FolderTokenizer"]}
        _write(folder / CODE_NAME, _CODE)
    _write(folder / TOKENIZER_NAME, json.dumps(tokenizer.to_json(), ensure_ascii=False, indent=1))
    _write(folder / SETTINGS_NAME, json.dumps(settings, indent=1))


def _write(file: Path, content: str) -> None:
    beside = file.with_name(file.name + ".tmp")
    beside.write_text(content, encoding="utf-8")
    beside.replace(file)
