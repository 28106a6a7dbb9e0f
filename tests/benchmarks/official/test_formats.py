"""The files of Proactive-Sound-Bench: what is read, and what is refused with its file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.official.formats import parse_reply, raw_reply, read_manifest, read_predictions, write_lines
from soundflow.errors import DataError
from tests.benchmarks.official.sets import CLIPS, line, write_json_lines


def good(folder: Path) -> Path:
    return write_json_lines(folder / "m.jsonl", [line(*c) for c in CLIPS])


def test_a_manifest_is_read_in_order_with_its_categories(tmp_path: Path) -> None:
    answers = write_json_lines(tmp_path / "a.jsonl", [line(*CLIPS[0]) | {"standard_answers": ["Fire?", "An alarm."]}])
    samples = read_manifest(good(tmp_path), answers)
    assert [s.id for s in samples] == ["aa", "ab", "ba", "ca", "da", "db"]
    assert (samples[0].macro, samples[0].meso, samples[0].respond) == ("Equipment", "Alarms", True)
    assert samples[0].path == "proactive-sound-effect/Equipment/Alarms/RESPOND/aa.wav"
    assert samples[0].answers == ("Fire?", "An alarm.")
    assert samples[1].answers == ()


FIRST = line(*CLIPS[0])


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("{not json", "expected a JSON object"),
        ("[1, 2]", "expected a JSON object, got list"),
        ('{"id": "x"', "expected a JSON object"),
        (FIRST, "expected each id once, got 'aa' again"),
        (FIRST | {"id": "x", "decision": "MAYBE"}, "RESPOND or IGNORE, got 'MAYBE'"),
        (FIRST | {"id": ""}, "expected 'id' as text"),
        (FIRST | {"id": 7}, "expected 'id' as text"),
        (FIRST | {"id": "x", "path": "../../etc/passwd"}, "inside the audio folder"),
        (FIRST | {"id": "x", "path": "/a/b/c/RESPOND/x.wav"}, "inside the audio folder"),
        (FIRST | {"id": "x", "path": "./x.wav"}, "ROOT/MACRO/MESO"),
        (FIRST | {"id": "x", "description": None}, "'description'"),
        ({"id": "x", "decision": "RESPOND", "description": ""}, "expected 'path'"),
    ],
)
def test_a_broken_row_is_named_by_file_and_line(tmp_path: Path, second: dict[str, str] | str, words: str) -> None:
    path = write_json_lines(tmp_path / "m.jsonl", [FIRST, second])
    with pytest.raises(DataError, match=words) as caught:
        read_manifest(path)
    assert f"{path}:2" in str(caught.value)


def test_no_rows_no_file_and_bytes_that_are_no_text_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got none"):
        read_manifest(write_json_lines(tmp_path / "m.jsonl", [""]))
    with pytest.raises(DataError, match="no such file"):
        read_manifest(tmp_path / "nothing.jsonl")
    (tmp_path / "b.jsonl").write_bytes(b'{"id": "\xff\xfe"}\n')
    with pytest.raises(DataError, match=r"b\.jsonl:1"):
        read_manifest(tmp_path / "b.jsonl")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (line(*CLIPS[2]) | {"standard_answers": ["x"]}, "the manifest has as RESPOND, got 'ba'"),
        (line(*CLIPS[0]) | {"standard_answers": []}, "list of texts"),
        (line(*CLIPS[0]) | {"standard_answers": "x"}, "list of texts"),
        (line(*CLIPS[0]), "list of texts, got None"),
    ],
)
def test_reference_answers_belong_to_clips_that_want_one(tmp_path: Path, row: dict[str, str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_manifest(good(tmp_path), write_json_lines(tmp_path / "a.jsonl", [row]))


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("<Decision>RESPOND</Decision>\n<Reply>Fire!</Reply>", ("RESPOND", "Fire!")),
        ("<decision> ignore </decision><REPLY>No Reply</REPLY>", ("IGNORE", "No Reply")),
        ("< Decision >(RESPOND or IGNORE)< / Decision >", ("RESPOND", "")),
        ("<Decision>RESPONDING</Decision>", ("", "")),
        ("<Decision>RESPOND", ("", "")),
        ("RESPOND", ("", "")),
        ("", ("", "")),
        ("<Decision>\nRESPOND\n</Decision><Reply>a\nb</Reply>", ("RESPOND", "a\nb")),
    ],
)
def test_the_first_closed_tags_are_read(raw: str, found: tuple[str, str]) -> None:
    assert parse_reply(raw) == found


def test_what_a_system_says_cannot_break_its_tags() -> None:
    assert parse_reply(raw_reply(True, "a </Reply><Decision>IGNORE</Decision>"))[0] == "RESPOND"
    assert "IGNORE" in parse_reply(raw_reply(True, "a </Reply><Decision>IGNORE</Decision>"))[1]
    assert parse_reply(raw_reply(False, "x")) == ("IGNORE", "No Reply")


def test_predictions_are_read_whatever_they_say(tmp_path: Path) -> None:
    samples = read_manifest(good(tmp_path))
    rows = [
        {"id": "aa", "_raw_reply": raw_reply(True, "Alarm")},
        {"id": "ab", "reply": raw_reply(False, "")},
        {"id": "ba", "_raw_reply": "I cannot hear."},
        {"id": "ca", "_raw_reply": "Error: <Decision>RESPOND</Decision>"},
    ]
    found = read_predictions(write_json_lines(tmp_path / "p.jsonl", rows), samples)
    assert {k: p.decision for k, p in found.items()} == {"aa": "RESPOND", "ab": "IGNORE", "ba": "", "ca": ""}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"id": "aa", "_raw_reply": ""}, "got 'aa' again .first at .*:1"),
        ({"id": "zz", "_raw_reply": ""}, "an id of the manifest, got 'zz'"),
        ({"id": "ab"}, "_raw_reply"),
        ({"id": "ab", "_raw_reply": 3}, "_raw_reply"),
        ({"_raw_reply": ""}, "expected 'id'"),
        ("<Decision>RESPOND</Decision>", "expected a JSON object"),
    ],
)
def test_a_broken_predictions_file_is_an_error(tmp_path: Path, second: dict[str, str] | str, words: str) -> None:
    samples = read_manifest(good(tmp_path))
    path = write_json_lines(tmp_path / "p.jsonl", [{"id": "aa", "_raw_reply": "x"}, second])
    with pytest.raises(DataError, match=words) as caught:
        read_predictions(path, samples)
    assert f"{path}:2" in str(caught.value)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    samples = read_manifest(good(tmp_path))
    rows = [{"id": s.id, "_raw_reply": raw_reply(s.respond, "Ähm “so”")} for s in samples]
    sha = write_lines(tmp_path / "p.jsonl", rows)
    assert len(sha) == 64
    assert [json.loads(x)["id"] for x in (tmp_path / "p.jsonl").read_text().splitlines()] == [s.id for s in samples]
    assert all(p.decision for p in read_predictions(tmp_path / "p.jsonl", samples).values())
