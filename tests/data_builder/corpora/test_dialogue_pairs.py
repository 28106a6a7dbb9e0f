"""Questions and answers that a voice can say, out of prepared text dialogues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data_builder.corpora import dialogue_pairs
from data_builder.corpora.dialogue_pairs import read_pairs
from data_builder.corpora.dialogues import prepare_ultrachat
from soundflow.errors import ConfigError, DataError

from .tones import text

GOOD = ("Why does bread rise?", "Yeast makes gas, and the dough holds it.")


def line(question: str, answer: str, **other: Any) -> str:
    turns = [{"role": "user", "text": question}, {"role": "assistant", "text": answer}]
    return json.dumps({"id": "0", "split": "train", "language": "en", "open": "yes", "turns": turns, **other})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dialogues.jsonl"


def test_what_was_prepared_is_read(tmp_path: Path) -> None:
    records = [{"data": [*GOOD, "And then?", "It is baked."]}, {"data": ["Long?", "word " * 40]}]
    text(tmp_path / "raw" / "train_0.jsonl", *map(json.dumps, records))
    prepare_ultrachat(tmp_path / "raw", tmp_path / "out")
    assert read_pairs(tmp_path / "out" / "dialogues.jsonl") == [GOOD]


@pytest.mark.parametrize(
    "said",
    [
        "What is 7 times 8?", "See www.example.org please.", "Call print(x) now.", "Use the x_1 value.", "A\nlist.",
        "Where is NASA?", "Buy an iPhone.", "**Bold** words.", "Is it <b>so</b>?", "Say “quoted” words.", "", "  ",
        "Wo ist das Café?", "你好吗", "One - two.", "Two  blanks.", "Mail me@home.", "It costs 5%.",
        "word " * 30, "e.g. so.",
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_left_out(file: Path, said: str) -> None:
    text(file, line(said, GOOD[1]), line(GOOD[0], said), line(*GOOD))
    assert read_pairs(file) == [GOOD]


def test_texts_that_are_not_there_and_models_are_left_out(file: Path) -> None:
    absent = ["Rewrite the following words.", "What does the passage say?", "Translate hello.", "Is this text good?"]
    about = ["I'm sorry, I cannot know.", "As a language model, yes.", "I was trained for it."]
    text(file, *(line(q, GOOD[1]) for q in absent), *(line(GOOD[0], a) for a in about))
    assert read_pairs(file) == []


def test_ordinary_words_are_taken(file: Path) -> None:
    said = [("Who was O'Brien?", "A well-known man; don't ask."), ("Is it I who am late?", "Yes: you are. Hurry!")]
    text(file, *(line(*pair) for pair in said), line("Who\u2019s there", "It\u2019s me."))
    assert read_pairs(file) == [*said, ("Who's there", "It's me.")]


def test_bounds_of_words(file: Path) -> None:
    text(file, line("one two three", "four five six seven"))
    assert read_pairs(file, 3, 4)
    assert not read_pairs(file, 2, 4)
    assert not read_pairs(file, 3, 3)
    with pytest.raises(ConfigError, match="at least 1"):
        read_pairs(file, 0)


def test_splits_licences_and_languages(file: Path) -> None:
    other = ("And cake?", "Eggs.")
    text(file, line(*GOOD), line(*other, split="dev", open="no"), line("Hallo du?", "Ja.", language="zh"))
    assert read_pairs(file) == [GOOD, other]
    assert read_pairs(file, split="dev") == [other] == read_pairs(file, split="dev", open_only=False)
    assert read_pairs(file, open_only=True) == [GOOD] == read_pairs(file, split="train")
    with pytest.raises(ConfigError, match="'test'"):
        read_pairs(file, split="test")


def test_a_question_is_taken_once_and_there_is_a_bound(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text(file, line(*GOOD), line("why does bread rise", "Other."), line("And cake?", "Eggs."), line("And tea?", "No."))
    assert read_pairs(file) == [GOOD, ("And cake?", "Eggs."), ("And tea?", "No.")]
    monkeypatch.setattr(dialogue_pairs, "MOST_PAIRS", 2)
    assert len(read_pairs(file)) == 2


@pytest.mark.parametrize(
    "bad",
    [
        "{", "[]", "{}", line(*GOOD, turns=[]), line(*GOOD, turns=[1, 2]), line(*GOOD, turns="x"),
        line(*GOOD, split=1), line(*GOOD, turns=[{"role": "user", "text": "a"}, {"role": "user", "text": "b"}]),
        line(*GOOD, turns=[{"role": "user", "text": "a"}, {"role": "assistant", "text": 1}]),
        line(*GOOD, turns=[{"role": "user", "text": "a"}]),
    ],
)  # fmt: skip
def test_a_wrong_line_is_told_with_its_place(file: Path, bad: str) -> None:
    text(file, line(*GOOD), bad)
    with pytest.raises(DataError, match=r"dialogues\.jsonl:2: expected"):
        read_pairs(file)


def test_no_file(file: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        read_pairs(file)
