"""Single recordings, long streams of one speaker, and the list of what was to be heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.compose import Item
from benchmarks.words import audio, layouts, plan
from benchmarks.words.layouts import Utterance
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.words.talkers import CHUNK, clips, librispeech, tone

SAID = {"84": [(f"word {k}", 10.0) for k in range(6)], "9": [("short", 3.0)]}


def spoken(folder: Path) -> list[Utterance]:
    return layouts.librispeech(librispeech(folder, SAID))


def test_a_draw_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    found = spoken(tmp_path)
    assert plan.some(found, 3, 1) == plan.some(list(reversed(found)), 3, 1)
    assert len(plan.some(found, 0, 1)) == len(plan.some(found, 99, 1)) == 7
    assert plan.some(found, 7, 1) != plan.some(found, 7, 2)


def test_single_recordings(tmp_path: Path) -> None:
    items = plan.clips(spoken(tmp_path), 0, tmp_path)
    first = items[0]
    assert first.id == "clip/84/7/84-7-0000.flac"
    assert (first.facts["text"], first.facts["language"], first.source) == ("word 0", "en", "84")
    assert first.seconds == pytest.approx(12.0)  # half a second before, one and a half behind
    assert len({i.seed for i in items}) == 7
    assert Item.from_dict(first.to_dict()) == first


def test_long_streams_are_of_one_speaker_and_as_long_as_asked(tmp_path: Path) -> None:
    found = spoken(tmp_path)
    (one,) = plan.long_form(found, 1, 0.5, 0, tmp_path)
    assert one.group == plan.LONG
    assert one.facts["texts"] == ["word 0", "word 1"]  # 20 s and a pause; a third would be over half a minute
    assert one.facts["text"] == "word 0 word 1"
    assert one.parts[0].gap_s == 0.0
    assert plan.PAUSES_S[0] <= one.parts[1].gap_s <= plan.PAUSES_S[1]
    several = plan.long_form(found, 9, 0.5, 0, tmp_path)
    assert [i.facts["texts"] for i in several] == [[f"word {k}", f"word {k + 1}"] for k in (0, 2, 4)]
    assert len({i.id for i in several}) == 3
    with pytest.raises(ConfigError, match="at least half as much speech"):
        plan.long_form(found, 1, 30.0, 0, tmp_path)


def test_a_stream_holds_its_recordings_where_it_says(tmp_path: Path) -> None:
    (item,) = plan.long_form(spoken(tmp_path), 1, 0.5, 0, tmp_path)
    made = audio.compose(item, audio.parts_of(item, tmp_path), CHUNK)
    assert len(made.audio) % CHUNK == 0
    assert made.places[0] == (audio.LEAD, 160_000)
    gap = made.places[1][0] - sum(made.places[0])
    assert gap == round(item.parts[1].gap_s * 16_000)
    end = sum(made.places[1])
    assert audio.TRAIL <= len(made.audio) - end < audio.TRAIL + CHUNK
    quiet = np.concatenate([made.audio[: audio.LEAD], made.audio[end:]])
    assert 0 < np.abs(quiet).max() < 10 * audio.HISS
    assert np.sqrt(np.mean(made.audio[audio.LEAD : end - gap] ** 2)) > 0.1
    assert (audio.compose(item, audio.parts_of(item, tmp_path), CHUNK).audio == made.audio).all()


def test_recordings_of_another_rate_and_stereo(tmp_path: Path) -> None:
    clips(tmp_path, "a.wav", rate=48_000)
    heard = audio.read(tmp_path / "clips/a.wav")
    assert len(heard) == 16_000
    assert np.abs(np.fft.rfft(heard)).argmax() == 440
    soundfile.write(tmp_path / "two.wav", np.stack([tone(0.5)] * 2, axis=1), 16_000)
    assert audio.read(tmp_path / "two.wav").shape == (8_000,)
    assert audio.length_s(tmp_path / "two.wav") == 0.5


@pytest.mark.parametrize("body", [None, b"", b"no audio at all"])
def test_what_cannot_be_heard_is_named(tmp_path: Path, body: bytes | None) -> None:
    path = tmp_path / "broken.flac"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(DataError, match=r"broken\.flac"):
        audio.read(path)
    assert audio.length_s(path) == 0.0


def test_the_list_is_kept_and_tells_what_is_missing(tmp_path: Path) -> None:
    items = plan.clips(spoken(tmp_path / "data"), 0, tmp_path / "data")
    out = tmp_path / "out"
    plan.write(out, items)
    plan.write(out, items[:3])  # nothing was heard yet
    plan.write(out, items)
    row = {"id": items[0].id, "system": "x", "item": items[0].to_dict(), "text": "word 0"}
    found = plan.complete(out, [row])
    assert [r.get("error") for r in found] == [None] + ["missing"] * 6
    assert {r["id"] for r in found} == {i.id for i in items}
    (out / "instances.jsonl").write_text("")
    with pytest.raises(DataError, match="rows of the same items"):
        plan.write(out, items[:3])
    with pytest.raises(DataError, match="one of strange"):
        plan.complete(out, [row | {"id": "strange"}])
    with pytest.raises(DataError, match="each item once"):
        plan.write(out, [items[0], items[0]])
    with pytest.raises(DataError, match="without chunk"):
        plan.complete(out, [{k: v for k, v in row.items() if k != "text"} | {"said": []}])
    whole = {"said": [[9, True, 0, "a", None]], "chunk": 1, "samples": 1, "origin": 0, "source": 1, "step_ms": [1.0]}
    with pytest.raises(DataError, match="hypotheses of another form"):
        plan.complete(out, [{k: v for k, v in row.items() if k != "text"} | whole])
    (out / plan.ITEMS).write_text("{}\n")
    with pytest.raises(DataError, match=r"items\.jsonl:1"):
        plan.complete(out, [row])
    (out / plan.ITEMS).unlink()
    with pytest.raises(DataError, match="list of what was to be heard"):
        plan.complete(out, [row])
