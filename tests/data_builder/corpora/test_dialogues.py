"""Text dialogues in the forms of MOSS and UltraChat; what is none is told with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data_builder.corpora.dialogues import language_of, prepare_moss, prepare_ultrachat
from data_builder.corpora.folder import read_index
from data_builder.corpora.manifest import json_items
from soundflow.errors import DataError
from tests.data_builder.corpora.tones import dialogues, quarantine, text

MOSS_TURN = {
    "Human": "<|Human|>: What is a tide?<eoh>\n",
    "Inner Thoughts": "<|Inner Thoughts|>: None<eot>\n",
    "Commands": "<|Commands|>: None<eoc>\n",
    "Tool Responses": "<|Results|>: None<eor>\n",
    "MOSS": "<|MOSS|>: The rise and fall of the sea.<eom>\n",
}
MOSS = {"conversation_id": 1, "meta_instruction": "You are", "num_turns": 2, "category": "Brainstorming"} | {
    "chat": {"turn_2": {**MOSS_TURN, "Human": "<|Human|>: And why?<eoh>"}, "turn_1": MOSS_TURN}
}


def test_moss_one_file_a_dialogue_with_turns_in_order(tmp_path: Path) -> None:
    text(tmp_path / "raw" / "brainstorming" / "1.json", json.dumps(MOSS, indent=1))
    done = prepare_moss(tmp_path / "raw", tmp_path / "out")
    (found,) = dialogues(tmp_path / "out")
    assert found["turns"] == [
        {"role": "user", "text": "What is a tide?"},
        {"role": "assistant", "text": "The rise and fall of the sea."},
        {"role": "user", "text": "And why?"},
        {"role": "assistant", "text": "The rise and fall of the sea."},
    ]
    assert (found["dataset"], found["open"], found["language"], found["license"]) == (
        "moss",
        "no",
        "en",
        "CC BY-NC 4.0",
    )
    assert sum(done.entries.values()) == 1
    assert read_index(tmp_path / "out") == []


def test_all_forms_in_lines_and_arrays(tmp_path: Path) -> None:
    said = (("system", "s"), ("user", "Hi."), ("assistant", "Hello."), ("user", "left alone"))
    records = [
        {"id": "0", "data": ["How are clouds made?", "Of droplets.", "Really?", "Yes."]},
        {"prompt_id": "x", "messages": [{"role": role, "content": words} for role, words in said]},
        {"conversations": [{"from": "human", "value": "你好吗"}, {"from": "gpt", "value": "很好"}]},
        {"conversation": [{"human": "One?", "assistant": "Two."}]},
    ]
    text(tmp_path / "raw" / "train_0.jsonl", *(json.dumps(record) for record in records))
    text(tmp_path / "raw" / "test_sft.json", json.dumps([{"id": "9", "data": ["Held out?", "Yes."]}]))
    prepare_ultrachat(tmp_path / "raw", tmp_path / "out")
    found = dialogues(tmp_path / "out")
    assert [len(d["turns"]) for d in found] == [2, 4, 2, 2, 2]
    assert [d["language"] for d in found] == ["en", "en", "en", "zh", "en"]
    assert found[0]["split"] == "dev"
    assert all(d["open"] == "yes" for d in found)


def test_bad_records_are_told_with_their_place(tmp_path: Path) -> None:
    bad = ['{"data": ["only a question"]}', '{"data": ["a", ""]}', '{"data": [1, 2]}', '{"other": 1}', "[1]", "{cut"]
    bad.append('{"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}')
    bad.append('{"messages": [{"role": "root", "content": "a"}]}')
    bad.append('{"data": "text"}')
    text(tmp_path / "raw" / "a.jsonl", '{"data": ["Good?", "Yes."]}', *bad)
    text(tmp_path / "raw" / "b.json", '[{"data": ["Fine?", "Yes."]}, {"data": ["cut', "")
    done = prepare_ultrachat(tmp_path / "raw", tmp_path / "out")
    assert sum(done.entries.values()) == 2
    told = quarantine(tmp_path / "out")
    lines = [line["where"] for line in told]
    assert lines[: len(bad) - 1] == [f"a.jsonl:{k}" for k in range(2, len(bad) + 1)]
    assert lines[-1] == "b.json"
    assert all(line["reason"].startswith(("expected", "item 1: expected")) for line in told)


def test_only_bad_records_is_an_error_and_nothing_there_too(tmp_path: Path) -> None:
    text(tmp_path / "raw" / "a.jsonl", "{}")
    with pytest.raises(DataError, match="name none that can be used"):
        prepare_moss(tmp_path / "raw", tmp_path / "out")
    with pytest.raises(DataError, match=r"expected \.json or \.jsonl"):
        prepare_moss(tmp_path / "none", tmp_path / "out")


def test_a_large_array_is_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_builder.corpora.manifest.PIECE", 7)
    items = [{"a": [1, {"b": "] , ["}]}, 12345678901234, "x", None, [], {"text": "ü" * 50}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"description": "audios", "audios": items, "z": 1}, indent=2))
    assert [value for _, value in json_items(path, "audios")] == items
    path.write_text(json.dumps(items))
    assert [value for _, value in json_items(path)] == items
    with pytest.raises(DataError, match="under 'none'"):
        list(json_items(path, "none"))


def test_what_is_no_unicode_and_numbers_without_end(tmp_path: Path) -> None:
    lines = ['{"data": ["Lone \\ud800 half?", "Yes."]}', '{"data": ' + "9" * 5000 + "}", '{"data": ' + "[" * 100_000]
    text(tmp_path / "raw" / "a.jsonl", *lines)
    prepare_ultrachat(tmp_path / "raw", tmp_path / "out")
    assert dialogues(tmp_path / "out")[0]["turns"][0]["text"] == "Lone ? half?"
    assert [line["where"] for line in quarantine(tmp_path / "out")] == ["a.jsonl:2", "a.jsonl:3"]


def test_language() -> None:
    assert language_of("What is 水?") == "en"
    assert language_of("今天天气怎么样 OK") == "zh"
