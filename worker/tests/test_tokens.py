"""Tokenizers and files of tokens: any text comes back, pieces cut no word, what was prepared is found again."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy
import pytest

from spotter_worker.data import text_corpus
from spotter_worker.data.bpe_tokenizer import learn_bpe
from spotter_worker.data.character_tokenizer import learn_characters
from spotter_worker.data.text_corpus import read_pieces
from spotter_worker.data.token_file import UNUSED_AFTER_S, Prepared, Wanted, prepare_tokens
from spotter_worker.data.tokenizer import END, END_ID
from spotter_worker.data.tokenizer_files import load_tokenizer, save_tokenizer

POEM = "the cat sat on the mat; 床前明月光。 \U0001f642\n"


def prepare(place: Path, cache: Path | None = None, **more: Any) -> Prepared:
    given = {"text_field": "text", "tokenizer": "bpe", "vocabulary_size": 300, **more}
    return prepare_tokens(Wanted({"path": "x"}, place, **given), cache)


def test_any_text_goes_through_bpe_and_comes_back() -> None:
    tokenizer, _ = learn_bpe([POEM * 20], 400)
    chance = random.Random(5)
    for _ in range(200):
        length = chance.randint(0, 40)
        points = [chance.choice([chance.randint(1, 0xD7FF), 9, 10, 32]) for _ in range(length)]
        text = "".join(map(chr, points))
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(POEM)) < len(POEM.encode()) / 2
    # Whatever stands in a text, it does not end it.
    spelled = tokenizer.encode(f"a{END}b")
    assert END_ID not in spelled
    assert tokenizer.decode(spelled) == f"a{END}b"


def test_bpe_learns_the_same_from_the_same_text_and_says_when_it_finds_no_more() -> None:
    first, reason = learn_bpe([POEM * 5], 320)
    second, _ = learn_bpe([POEM * 5], 320)
    assert first.to_json() == second.to_json()
    few, reason = learn_bpe(["ab ab"], 300)
    assert few.size < 300
    assert "asked for 300" in reason


def test_characters_beyond_the_vocabulary_are_unknown_and_all_others_come_back(
    tmp_path: Path,
) -> None:
    tokenizer = learn_characters(["诗 aab \U0001f642"], None)
    assert tokenizer.decode(tokenizer.encode("诗\U0001f642 b")) == "诗\U0001f642 b"
    assert tokenizer.encode("z").tolist() == [1]
    assert learn_characters(["aaab"], 3).tokens[2:] == ["a"]
    save_tokenizer(tokenizer, tmp_path, "llama")
    assert load_tokenizer(tmp_path).to_json() == tokenizer.to_json()


def test_a_large_file_in_pieces_has_the_tokens_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_corpus, "BLOCK_BYTES", 4096)
    file = tmp_path / "long.txt"
    # Characters of three bytes, so that blocks of bytes end inside of one.
    text = "".join(f"{number} cats  sat\n\n 床前 {'x' * (number % 7)}\n" for number in range(900))
    file.write_text(text, encoding="utf-8")
    pieces = [piece.text for piece in read_pieces([file], "text")]
    assert len(pieces) > 2
    assert max(map(len, pieces)) <= 2 * 4096
    assert "".join(pieces) == text
    tokenizer, _ = learn_bpe([text[:5_000]], 300)
    whole = tokenizer.encode(text)
    assert numpy.array_equal(numpy.concatenate(tokenizer.encode_all(pieces)), whole)


@pytest.mark.parametrize("kind", ["characters", "bpe"])
def test_documents_end_with_a_token_and_lie_on_disk_in_small_numbers(
    tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("\ufeffthe cat", encoding="utf-8")
    (folder / "b.jsonl").write_text('{"text": "sat on"}\n{"text": ""}\n{"text": "a mat"}\n')
    prepared = prepare(folder, tmp_path / "cache", tokenizer=kind)
    stream, starts = prepared.stream, prepared.stream.starts
    assert stream.tokens.dtype == numpy.uint16
    assert isinstance(stream.tokens.base, numpy.memmap)
    texts = []
    for first, end in zip(starts, starts[1:], strict=False):
        assert stream.tokens[end - 1] == END_ID
        texts.append(prepared.tokenizer.decode(stream.tokens[first:end]))
    assert texts == ["the cat", "sat on", "a mat"]
    assert prepared.num_documents == 3


def test_what_was_prepared_is_taken_again_until_something_changes(tmp_path: Path) -> None:
    file, cache = tmp_path / "poem.txt", tmp_path / "cache"
    file.write_text(POEM * 10, encoding="utf-8")

    def folders() -> set[str]:
        return {folder.name for folder in (cache / "tokens").iterdir()}

    first = prepare(file, cache)
    before = folders()
    again = prepare(file, cache)
    assert folders() == before
    assert numpy.array_equal(first.stream.tokens, again.stream.tokens)
    assert again.tokenizer.to_json() == first.tokenizer.to_json()
    assert again.reason == first.reason
    prepare(file, cache, vocabulary_size=290)
    assert len(folders()) == 2
    file.write_text(POEM * 11, encoding="utf-8")
    assert len(prepare(file, cache).stream) > len(first.stream)
    assert len(folders()) == 3
    # What nobody has used for a month goes; what stands open stays readable.
    (stale,) = before
    os.utime(cache / "tokens" / stale, (1, 1 - UNUSED_AFTER_S))
    prepare(file, cache, vocabulary_size=280)
    assert stale not in folders()
    assert first.tokenizer.decode(first.stream.tokens[:20]).startswith("the cat")


def test_nothing_is_left_of_texts_that_are_refused(tmp_path: Path) -> None:
    file, cache = tmp_path / "poem.jsonl", tmp_path / "cache"
    file.write_text('{"text": "fine"}\n{"words": "not"}\n')
    with pytest.raises(ValueError, match="row 2"):
        prepare(file, cache)
    assert list((cache / "tokens").iterdir()) == []
