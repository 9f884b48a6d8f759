"""Owns the file of tokens that a corpus becomes: written once for a corpus and a tokenizer, then read where it lies on
disk, so that it may be larger than memory.

A folder named by what went into it (names, sizes and times of the files, settings) holds the tokens, the places where
documents begin, and the tokenizer.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy

from .text_corpus import Piece, read_pieces, source_files
from .token_stream import TokenStream
from .tokenizer import END_ID, Tokenizer
from .tokenizer_files import TOKENIZER_NAME, learn_tokenizer, load_tokenizer, save_tokenizer

FORMAT_VERSION = 1
TOKENS_NAME, STARTS_NAME, FACTS_NAME = "tokens.bin", "starts.npy", "facts.json"
PIECES_AT_ONCE = 64
# Prepared tokens that no run has used for so long make room.
UNUSED_AFTER_S = 30 * 24 * 3600.0


@dataclass(frozen=True)
class Wanted:
    """What decides the tokens."""

    data: dict[str, str]
    place: Path | None
    text_field: str
    tokenizer: str
    vocabulary_size: int | None
    # A folder whose tokenizer is taken instead of learning one.
    tokenizer_from: Path | None = None


@dataclass(frozen=True)
class Prepared:
    stream: TokenStream
    tokenizer: Tokenizer
    num_documents: int
    # Why the vocabulary has its size.
    reason: str


def prepare_tokens(wanted: Wanted, cache: Path | None) -> Prepared:
    """From the cache if they are there; without a cache nothing is kept."""
    files = source_files(wanted.data, wanted.place)
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="spotter-tokens-") as passing:
            # The tokens stay readable for whoever has them open.
            return _write(wanted, files, Path(passing))
    folder = cache / "tokens" / _key(wanted, files)
    if (folder / FACTS_NAME).is_file():
        os.utime(folder)
        return _open(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _make_room(folder.parent)
    beside = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        _write(wanted, files, beside)
        beside.replace(folder)
    except OSError:
        # Another run was faster with the same; its folder is as good.
        if not (folder / FACTS_NAME).is_file():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return _open(folder)


def _key(wanted: Wanted, files: list[Path]) -> str:
    state = [(str(file.resolve()), *_size_and_time(file)) for file in files]
    own = wanted.tokenizer_from and (wanted.tokenizer_from / TOKENIZER_NAME).read_text("utf-8")
    given = [
        FORMAT_VERSION,
        sys.version_info[:2],
        state,
        wanted.text_field,
        [own] if own else [wanted.tokenizer, wanted.vocabulary_size],
    ]
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()[:32]


def _size_and_time(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _make_room(folder: Path) -> None:
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > UNUSED_AFTER_S:
            shutil.rmtree(old, ignore_errors=True)


def _write(wanted: Wanted, files: list[Path], folder: Path) -> Prepared:
    if wanted.tokenizer_from is None:
        texts = (piece.text for piece in read_pieces(files, wanted.text_field))
        tokenizer, reason = learn_tokenizer(wanted.tokenizer, texts, wanted.vocabulary_size)
    else:
        tokenizer, reason = load_tokenizer(wanted.tokenizer_from), "of the model of init_from"
    starts = _write_tokens(read_pieces(files, wanted.text_field), tokenizer, folder / TOKENS_NAME)
    if len(starts) < 2:
        raise ValueError(f"{wanted.place}: all texts are empty")
    numpy.save(folder / STARTS_NAME, numpy.array(starts, dtype=numpy.int64))
    save_tokenizer(tokenizer, folder, "")
    facts: dict[str, Any] = {"reason": reason}
    (folder / FACTS_NAME).write_text(json.dumps(facts))
    return _open(folder)


def _write_tokens(pieces: Iterator[Piece], tokenizer: Tokenizer, file: Path) -> array[int]:
    """Documents with an end token behind each, if there are several; the places where they begin, and the length."""
    starts, length, kind = array("q"), 0, _number_kind(tokenizer.size)
    end = numpy.array([END_ID], dtype=kind)
    with open(file, "wb") as out:
        while some := list(islice(pieces, PIECES_AT_ONCE)):
            encoded = tokenizer.encode_all([piece.text for piece in some])
            for piece, tokens in zip(some, encoded, strict=True):
                if piece.is_first:
                    if starts:
                        out.write(end.data)
                        length += 1
                    starts.append(length)
                out.write(tokens.astype(kind).data)
                length += len(tokens)
        if len(starts) > 1:
            out.write(end.data)
            length += 1
    if starts:
        starts.append(length)
    return starts


def _open(folder: Path) -> Prepared:
    tokenizer = load_tokenizer(folder)
    facts = json.loads((folder / FACTS_NAME).read_text())
    starts = numpy.load(folder / STARTS_NAME)
    kind = _number_kind(tokenizer.size)
    # Without the class of its own, whose look-ups are slow.
    tokens = numpy.asarray(numpy.memmap(folder / TOKENS_NAME, dtype=kind, mode="r"))
    assert len(tokens) == starts[-1], f"{folder} was written whole"
    return Prepared(TokenStream(tokens, starts), tokenizer, len(starts) - 1, facts["reason"])


def _number_kind(vocabulary_size: int) -> type[numpy.unsignedinteger[Any]]:
    return numpy.uint16 if vocabulary_size <= 2**16 else numpy.uint32
