"""What is learnt of an example, token by token, by template and tokenizer; and which rows are refused, by file and row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pytest
import tokenizers
import transformers
from pyarrow import parquet
from tiny_models import CHAT_TEMPLATE, END, save_tokenizer
from tokenizers import decoders, normalizers, pre_tokenizers, trainers

from spotter_worker.data.answer_batches import NOT_LEARNT, TokenStore, pack
from spotter_worker.data.answer_tokens import AnswerTokenizer, Tokens
from spotter_worker.data.character_tokenizer import learn_characters
from spotter_worker.data.dialogues import Dialogue, find_columns, read_dialogues
from spotter_worker.data.table_rows import Row, read_rows
from spotter_worker.data.tokenizer_files import save_tokenizer as save_characters
from spotter_worker.recipe_configs import TextFinetuneConfig

GREETING = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello, 你好"},
    {"role": "assistant", "content": "  Good day."},
    {"role": "user", "content": "And now?"},
    {"role": "assistant", "content": "Good\n\nnight 晚安"},
]
# As ChatML-trained models have it: the end of a turn is a token, a line break stands behind it.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As models that think have it: what was thought in earlier answers is taken out again.
FORGETFUL = (
    "{% for message in messages %}[{{ message['role'] }}]"
    "{{ message['content'].split('</think>')[-1] if not loop.last else message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


def make_row(values: dict[str, Any] | None = None) -> Row:
    return Row(Path("talk.jsonl"), 7, values or {})


def open_tokenizer(folder: Path, template: str | None = None, **more: Any) -> AnswerTokenizer:
    save_tokenizer(folder)
    settings = {"kind": "chat", "plain": False, "context": 1000, **more}
    opened = AnswerTokenizer(folder, **settings)
    if template is not None:
        opened.inner.chat_template = template
    return opened


def learnt_text(tokenizer: AnswerTokenizer, tokens: Tokens) -> list[str]:
    """Stretches of learnt tokens as text."""
    stretches: list[list[int]] = []
    for place in numpy.flatnonzero(tokens.learnt):
        if not stretches or not tokens.learnt[place - 1]:
            stretches.append([])
        stretches[-1].append(int(tokens.ids[place]))
    return [tokenizer.inner.decode(stretch) for stretch in stretches]


def test_each_answer_with_the_token_that_ends_it_is_learnt_and_nothing_else(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(tmp_path)
    tokens = tokenizer.encode(Dialogue(make_row(), GREETING))
    assert learnt_text(tokenizer, tokens) == [f"  Good day.{END}", f"Good\n\nnight 晚安{END}"]
    whole = tokenizer.inner.apply_chat_template(GREETING, tokenize=False)
    assert tokenizer.inner.decode(tokens.ids.tolist()) == whole
    # What stands before an answer when the model is used is what stood before it in training.
    prompt = tokenizer.prompt("Hi")
    short = tokenizer.encode(
        Dialogue(
            make_row(), [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]
        )
    )
    assert short.ids[: len(prompt)].tolist() == prompt
    assert not short.learnt[: len(prompt)].any() and short.learnt[len(prompt)]
    assert tokenizer.ends() == [tokenizer.inner.eos_token_id]


def test_token_by_token(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(tmp_path)
    messages = [{"role": "user", "content": "a b"}, {"role": "assistant", "content": "c d"}]
    tokens = tokenizer.encode(Dialogue(make_row(), messages))
    said = [tokenizer.inner.decode([number]) for number in tokens.ids.tolist()]
    marked = [
        f"*{text}" if learns else text
        for text, learns in zip(said, tokens.learnt.tolist(), strict=True)
    ]
    words = ["<|user|>", "a", " ", "b", "\n", "<|assistant|>", "*c", "* ", "*d", f"*{END}", "\n"]
    assert marked == words


def test_templates_of_other_kinds(tmp_path: Path) -> None:
    ours = open_tokenizer(tmp_path / "ours")
    save_tokenizer(tmp_path / "none", with_template=False)
    none = AnswerTokenizer(tmp_path / "none", "chat", plain=False, context=1000)
    assert ours.has_own_template and not none.has_own_template
    tokens = none.encode(Dialogue(make_row(), GREETING))
    assert learnt_text(none, tokens) == [f"  Good day.{END}", f"Good\n\nnight 晚安{END}"]
    assert "### Assistant:\n" in none.inner.decode(tokens.ids.tolist())
    none.save(tmp_path)
    opened = transformers.PreTrainedTokenizerFast.from_pretrained(tmp_path)
    assert opened.chat_template == none.inner.chat_template

    chatml = open_tokenizer(tmp_path / "chatml", CHATML)
    chatml.inner.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokens = chatml.encode(Dialogue(make_row(), GREETING))
    assert learnt_text(chatml, tokens) == ["  Good day.<|im_end|>", "Good\n\nnight 晚安<|im_end|>"]
    assert chatml.inner.convert_tokens_to_ids("<|im_end|>") in chatml.ends()

    forgetful = open_tokenizer(tmp_path / "forgetful", FORGETFUL)
    thinking = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "x</think>one"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "two"},
    ]
    # Nobody will ever write the first answer in the form that it has there.
    tokens = forgetful.encode(Dialogue(make_row(), thinking))
    assert learnt_text(forgetful, tokens) == ["two"]
    tokens = forgetful.encode(Dialogue(make_row(), thinking[:2]))
    assert learnt_text(forgetful, tokens) == ["x</think>one"]


def test_words_with_blanks_before_them_count_from_their_first_letter(tmp_path: Path) -> None:
    """As SentencePiece's models (Llama 2, Mistral) cut: a blank belongs to the word behind it."""
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(byte_fallback=True, unk_token="<unk>"))
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    inner.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=24, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False
    )
    inner.train_from_iterator(["[user] a b [assistant] one two"] * 3, trainer)
    whole = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>")
    whole.chat_template = (
        "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}"
        "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %} {% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    whole.save_pretrained(tmp_path)
    tokenizer = AnswerTokenizer(tmp_path, "chat", plain=False, context=100)
    messages = [{"role": "user", "content": "a b"}, {"role": "assistant", "content": "one two"}]
    tokens = tokenizer.encode(Dialogue(make_row(), messages))
    (learnt,) = learnt_text(tokenizer, tokens)
    assert learnt.strip() == "one two</s>"


def test_plain_pairs_and_texts_end_with_the_end_token(tmp_path: Path) -> None:
    pairs = open_tokenizer(tmp_path, kind="instruction", plain=True)
    pair = [{"role": "user", "content": "2 + 2 ="}, {"role": "assistant", "content": " 4"}]
    tokens = pairs.encode(Dialogue(make_row(), pair))
    assert learnt_text(pairs, tokens) == [f" 4{END}"]
    assert pairs.prompt("2 + 2 =") == tokens.ids[: len(pairs.prompt("2 + 2 ="))].tolist()
    texts = AnswerTokenizer(tmp_path, "text", plain=False, context=6)
    tokens = texts.encode(Dialogue(make_row(), None, "ab"))
    assert tokens.learnt.all() and tokens.ids[-1] == texts.inner.eos_token_id
    assert len(texts.encode(Dialogue(make_row(), None, "a" * 100)).ids) == 6


def test_labels_are_the_next_token_and_packed_examples_stay_apart() -> None:
    examples = [
        Tokens(numpy.array([5, 6, 7], numpy.int32), numpy.array([False, True, True])),
        Tokens(numpy.array([8, 9], numpy.int32), numpy.array([True, True])),
    ]
    store = TokenStore(examples)
    padded = store.batch([[0], [1]], padding=1, packed=False)
    assert padded.tokens.tolist() == [[5, 6, 7], [8, 9, 1]]
    off = NOT_LEARNT
    assert padded.labels.tolist() == [[6, 7, off], [9, off, off]]
    assert (padded.columns.tolist(), padded.count) == ([0, 1], 3)
    packed = store.batch([[0, 1]], padding=1, packed=True)
    assert packed.positions is not None
    assert packed.positions.tolist() == [[0, 1, 2, 0, 1]]
    # No label leads from one example to the next.
    assert packed.labels.tolist() == [[6, 7, off, 9, off]]
    assert packed.mask[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 1, 1],
    ]
    lengths = numpy.array([5, 3, 4, 1, 9])
    rows = pack(lengths, range(5), context=9)
    assert sorted(number for row in rows for number in row) == list(range(5))
    assert len(rows) == 3 and all(lengths[row].sum() <= 9 for row in rows)


def config(**more: Any) -> TextFinetuneConfig:
    return TextFinetuneConfig.parse({"data": {"path": "x"}, "init_from": {"path": "y"}, **more})


def read(place: Path, **more: Any) -> list[Dialogue]:
    rows = list(read_rows(place))
    return list(read_dialogues(rows, find_columns(config(**more), rows[0])))


def test_the_format_is_told_by_the_columns_and_the_same_in_every_file_type(tmp_path: Path) -> None:
    alpaca = [{"instruction": "Add", "input": "1, 2", "output": "3"}]
    (tmp_path / "a.json").write_text(json.dumps(alpaca))
    (tmp_path / "a.csv").write_text('instruction,input,output\nAdd,"1, 2",3\n', "utf-8-sig")
    parquet.write_table(pyarrow.Table.from_pylist(alpaca), tmp_path / "a.parquet")
    expected = [
        {"role": "user", "content": "Add\n\n1, 2"},
        {"role": "assistant", "content": "3"},
    ]
    for name in ("a.json", "a.csv", "a.parquet"):
        assert [one.messages for one in read(tmp_path / name)] == [expected]
    (tmp_path / "chat.jsonl").write_text(
        json.dumps(
            {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
        )
        + "\n"
    )
    (one,) = read(tmp_path / "chat.jsonl", messages_column="conversations")
    assert [message["role"] for message in one.messages or []] == ["user", "assistant"]
    parts = [{"role": "user", "content": [{"type": "text", "text": "a"}]}, GREETING[2]]
    parquet.write_table(pyarrow.table({"messages": [json.dumps(parts)]}), tmp_path / "p.parquet")
    assert (read(tmp_path / "p.parquet")[0].messages or [])[0]["content"] == "a"
    (tmp_path / "t.csv").write_text("id,text\n1,hello\n")
    assert read(tmp_path / "t.csv")[0].text == "hello"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b'{"question": "a", "reply": "b"}\n', r"row 1: the columns are question, reply; expected 'messages' \(chat\), 'instruction' or 'prompt' with 'output'"),
        ("a.jsonl", b'{"text": "a"}\n{"text": \n', r"a\.jsonl, row 2: no JSON"),
        ("a.jsonl", b'{"text": "a"}\n[1]\n', r"row 2: no JSON object"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "caf\xe9"}\n', r"row 2: not UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n{"text": 5}\n', r"row 2: no text in the column 'text', but 5"),
        ("a.jsonl", b'{"text": "a"}\n{"words": "b"}\n', r"row 2: no text in the column 'text', but nothing; the columns are words"),
        ("a.jsonl", b'{"prompt": "a", "completion": " "}\n', r"row 1: no text in the column 'completion'"),
        ("a.jsonl", b'{"messages": [{"role": "user", "content": "a"}]}\n', r"no message of the assistant"),
        ("a.jsonl", b'{"messages": [{"role": "boss", "content": "a"}]}\n', r"message 1 has the role 'boss'"),
        ("a.jsonl", b'{"messages": [{"role": "assistant", "content": null}]}\n', r"message 1 has no text"),
        ("a.jsonl", b'{"messages": "no"}\n', r"holds no JSON list"),
        ("a.csv", b"text\nhello\ncaf\xe9\n", r"a\.csv, row 3: not UTF-8"),
        ("a.csv", b"text\nhello,you\n", r"row 2: more fields"),
        ("a.csv", b"text\n", r"there are no rows"),
        ("a.json", b'{"text": "a"}', r"expected a JSON list"),
        ("a.parquet", b"PAR1 no", r"no sound Parquet"),
        ("a.pdf", b"x", r"expected a file of rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_row_is_named(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words) as told:
        read(tmp_path / name)
    assert name in str(told.value)


def test_a_conversation_that_the_template_refuses_is_named_with_its_row(tmp_path: Path) -> None:
    refusing = "{{ raise_exception('roles must alternate') }}" + CHAT_TEMPLATE
    tokenizer = open_tokenizer(tmp_path, refusing)
    with pytest.raises(ValueError, match=r"talk\.jsonl, row 7: .*roles must alternate"):
        tokenizer.encode(Dialogue(make_row(), GREETING))


def test_a_folder_is_read_in_the_order_of_names_without_what_tells_of_the_data(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="there is no file of rows in it"):
        read(tmp_path)
    (tmp_path / "info.json").write_text('{"license": "mit"}')
    (tmp_path / "b").mkdir()
    (tmp_path / "b/2.csv").write_text("text\ntwo\n")
    (tmp_path / "a1.jsonl").write_text('{"text": "one"}\n\n{"text": "more"}\n')
    assert [one.text for one in read(tmp_path)] == ["one", "more", "two"]
    with pytest.raises(ValueError, match="no such file or folder"):
        read(tmp_path / "away")


def test_columns_may_have_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question,reply\na,b\n")
    given = {"prompt_column": "question", "answer_column": "reply"}
    assert (read(tmp_path / "a.csv", **given)[0].messages or [])[1]["content"] == "b"
    with pytest.raises(ValueError, match="expected 'messages'"):
        read(tmp_path / "a.csv", format="chat")


def test_what_a_tokenizer_of_characters_lacks_is_counted(tmp_path: Path) -> None:
    save_characters(learn_characters(["abc de"], None), tmp_path, "llama")
    tokenizer = AnswerTokenizer(tmp_path, "instruction", True, 100)
    dialogue = Dialogue(make_row(), messages=[said("user", "ab你 "), said("assistant", "de7")])
    tokenizer.encode(dialogue)
    assert (tokenizer.unknown.num_unknown, tokenizer.unknown.num_tokens) == (2, 7)
    assert tokenizer.unknown.named() == "'你', '7'"


def said(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}
