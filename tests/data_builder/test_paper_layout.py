"""The paper's sample layout, written and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from data_builder.export import to_paper
from data_builder.paper_layout import KEYS, SILENCE, read, read_lines, safe_name, write
from data_builder.schema import CHUNK, Sample, due_chunk
from soundflow.errors import DataError
from tests.data_builder import made_samples as made

SR = 16_000


def tone(seconds: float, quiet_end: float = 0.0) -> NDArray[np.int16]:
    x = 3000 * np.sin(np.arange(int(seconds * SR)) * 0.2)
    x[len(x) - int(quiet_end * SR) :] = 0
    return x.astype(np.int16)


def foreign(folder: Path, turns: list[dict[str, Any]], sounds: list[NDArray[np.int16]], **more: Any) -> Path:
    """A file as the README of the paper's repository shows it."""
    rows = []
    for k, (turn, audio) in enumerate(zip(turns, sounds, strict=True)):
        path = f"voice_chatting/000123/turn_{k}.wav"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        sf.write(folder / path, audio, SR, subtype="PCM_16")
        base = {"user": "", "assistant": SILENCE, "emotion": "normal", "scene_type": "Home Smart"}
        rows.append({**base, "audio_path": path, **turn})
    body = {"id": "voice_chatting_000123", "stream_scene_type": "Home Smart", "num_turns": len(rows), "turns": rows}
    (folder / "in.json").write_text(json.dumps({**body, **more}))
    return folder / "in.json"


@pytest.mark.parametrize("sample", [made.short(), made.long(), made.quiet()], ids=["short", "long", "quiet"])
def test_ours_goes_out_and_comes_back(sample: Sample, tmp_path: Path) -> None:
    meta, pcm = sample.to_dict(), made.pcm(sample)
    turns, back, audio = read(write(meta, pcm, tmp_path))
    np.testing.assert_array_equal(audio, pcm)
    assert len(turns) == len(meta["responses"]) + 1
    assert turns[-1]["assistant"] == SILENCE
    assert back["samples"] == meta["samples"]
    assert (back["id"], back["instruction"], back["negative"]) == (meta["id"], meta["instruction"], meta["negative"])
    for key in ("kind", "due_chunk", "text", "call"):
        assert [r[key] for r in back["responses"]] == [r[key] for r in meta["responses"]]
    for r in back["responses"]:
        assert r["due_chunk"] == due_chunk(r["evidence_end"], r["delay_ms"], r["clock"])
        assert 120 <= r["delay_ms"] <= 240
    assert set(back) == set(Sample("", 0, "", "", "", True, 0).to_dict())


def test_silence_is_exactly_the_paper_s_string(tmp_path: Path) -> None:
    body = json.loads(write(made.quiet().to_dict(), made.pcm(made.quiet()), tmp_path).read_text())
    assert body["num_turns"] == 1
    assert body["turns"][0]["assistant"] == "<no need to response>"
    assert tuple(body["turns"][0]) == tuple(sorted(KEYS))
    assert all(not Path(t["audio_path"]).is_absolute() for t in body["turns"])


def test_theirs_comes_in_and_goes_out(tmp_path: Path) -> None:
    turns: list[dict[str, Any]] = [
        {"user": "Turn the living room lights down.", "assistant": "Sure.", "emotion": "surprise"},
        {"user": "I was only thinking.", "scene_type": "Hall"},
        {"assistant": "Was that glass?", "emotion": "urgent"},
        {},
    ]
    sounds = [tone(3.0, 1.05), tone(1.234), tone(2.0), tone(0.7)]
    path = foreign(tmp_path, turns, sounds, instruction="Be brief.")
    rows, meta, pcm = read(path)
    assert len(pcm) == meta["samples"] == sum(-(-len(s) // CHUNK) * CHUNK for s in sounds)
    start = 0
    for sound in sounds:
        np.testing.assert_array_equal(pcm[start : start + len(sound)], sound)
        start += -(-len(sound) // CHUNK) * CHUNK
    assert [r["due_chunk"] for r in meta["responses"]] == [7, 8 + 4 + 4]
    assert [(r["trigger"], r["clock"]) for r in meta["responses"]] == [("s0", "endpoint"), ("e2", "end")]
    for r in meta["responses"]:
        assert r["due_chunk"] == due_chunk(r["evidence_end"], r["delay_ms"], r["clock"])
    assert [a["id"] for a in meta["avoid"]] == ["s1"]
    assert meta["speech"][1]["addressed"] is False
    assert (meta["subtask"], meta["split"], meta["schema"]) == ("voice_chatting", "train", 2)
    assert len(meta["sources"]) == 4
    again = json.loads(write(meta, pcm, tmp_path / "out").read_text())
    for old, new in zip(rows, again["turns"], strict=True):
        assert {k: v for k, v in new.items() if k != "audio_path"} == {
            k: v for k, v in old.items() if k != "audio_path"
        }
    for sound, new in zip(sounds, again["turns"], strict=True):
        np.testing.assert_array_equal(sf.read(tmp_path / "out" / new["audio_path"], dtype="int16")[0], sound)


def test_any_length_of_a_turn_gives_its_last_chunk(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for n in (1, 100, 6_399, 6_400, 6_401, *rng.integers(200, 90_000, 25)):
        audio = rng.integers(-9000, 9000, int(n)).astype(np.int16)
        _, meta, _ = read(foreign(tmp_path, [{"user": "Hello?", "assistant": "Yes."}], [audio]))
        (r,) = meta["responses"]
        assert r["due_chunk"] == (n - 1) // CHUNK == due_chunk(r["evidence_end"], r["delay_ms"], r["clock"])
        assert 0 <= meta["speech"][0]["onset"] < meta["speech"][0]["offset"] <= meta["samples"]


def break_turn(key: str, value: Any) -> Any:
    def change(body: dict[str, Any]) -> None:
        if value is None:
            del body["turns"][1][key]
        else:
            body["turns"][1][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (break_turn("assistant", None), r"in\.json: key 'turns\[1\]\.assistant'"),
        (break_turn("emotion", 3), r"key 'turns\[1\]\.emotion'"),
        (break_turn("audio_path", "/etc/passwd"), r"turns\[1\]\.audio_path: expected a relative path"),
        (break_turn("audio_path", "../x.wav"), "expected a relative path"),
        (break_turn("audio_path", "C:\\x.wav"), "expected a relative path"),
        (break_turn("audio_path", "a\0.wav"), "expected a relative path"),
        (break_turn("audio_path", "gone.wav"), r"turns\[1\]\.audio_path: expected audio at"),
        (break_turn("audio_path", "rate.wav"), "got 8000 Hz"),
        (break_turn("audio_path", "two.wav"), "2 channels"),
        (break_turn("audio_path", "text.wav"), "expected an audio file"),
        (break_turn("audio_path", "none.wav"), "expected 1 to"),
        (break_turn("audio_path", "link.wav"), "expected a relative path inside"),
        (lambda b: b.update(turns=[]), "key 'turns'"),
        (lambda b: b.update(turns=["x", "y"]), r"turns\[0\]"),
        (lambda b: b.update(num_turns=5), "key 'num_turns': expected 2, got 5"),
    ],
)
def test_bad_files_are_told_by_key(change: Any, message: str, tmp_path: Path) -> None:
    root = tmp_path / "in"
    path = foreign(root, [{}, {}], [tone(1.0), tone(1.0)])
    sf.write(root / "rate.wav", tone(1.0), 8_000)
    sf.write(root / "two.wav", np.zeros((100, 2)), SR)
    sf.write(root / "none.wav", np.zeros(0), SR)
    (root / "text.wav").write_text("<html>")
    sf.write(tmp_path / "outside.wav", tone(1.0), SR)
    (root / "link.wav").symlink_to(tmp_path / "outside.wav")
    body = json.loads(path.read_text())
    change(body)
    path.write_text(json.dumps(body))
    with pytest.raises(DataError, match=message):
        read(path)


def test_bad_json(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got none"):
        read(tmp_path / "no.json")
    for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"turns": 3}', b"[" * 100_000):
        (tmp_path / "bad.json").write_bytes(body)
        with pytest.raises(DataError, match=r"bad\.json"):
            read(tmp_path / "bad.json")


def test_two_responses_in_a_chunk_are_refused(tmp_path: Path) -> None:
    meta = made.long().to_dict()
    meta["responses"][1]["due_chunk"] = meta["responses"][0]["due_chunk"]
    with pytest.raises(DataError, match="train-1-0000002: responses"):
        write(meta, made.pcm(made.long()), tmp_path)


def test_a_whole_build_as_lines(tmp_path: Path) -> None:
    folder = made.build(tmp_path / "b")
    assert to_paper(folder, tmp_path / "paper") == 3
    found = list(read_lines(tmp_path / "paper" / "streams.jsonl", licence="CC0 1.0"))
    assert [meta["id"] for _, meta, _ in found] == [s.id for s in (made.short(), made.long(), made.quiet())]
    assert found[0][1]["licences"] == ["CC0 1.0"]
    with (tmp_path / "paper" / "streams.jsonl").open("a") as file:
        file.write("\n{}\n")
    with pytest.raises(DataError, match=r"streams\.jsonl:5: key 'turns'"):
        list(read_lines(tmp_path / "paper" / "streams.jsonl"))


def test_names_are_safe() -> None:
    assert safe_name("train-1-0000001") == "train-1-0000001"
    for bad in ("../../x", "/etc", "", "a b", "..", "x" * 300):
        name = safe_name(bad)
        assert "/" not in name
        assert not name.startswith((".", "-"))
        assert 0 < len(name) <= 110
    assert safe_name("a b") != safe_name("a_b")
