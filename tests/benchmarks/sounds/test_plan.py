"""Streams: what is drawn, where it lies; the map of classes; the DESED layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.compose import Bed, Item, Part, render
from benchmarks.corpus import Clips, read_index
from benchmarks.corpus import Row as Clip
from benchmarks.sounds import classes, desed, plan
from soundflow.errors import ConfigError, DataError

CHUNK = 6400
HEAD = "filename\tonset\toffset\tevent_label\n"


def rows(corpus: Path, copies: int = 6, seconds: float = 0.0) -> list[Clip]:
    """The tiny corpus over and over under other names, its cats as car engines: a plan opens no file."""
    found = []
    for k in range(copies):
        for row in read_index(corpus):
            changed = {"path": f"{k}/{row.path}", "split": "dev" if row.split == "dial" else row.split}
            changed |= {"label": "car_engine"} if row.label == "cat" else {}
            found.append(replace(row, seconds=seconds or row.seconds, **changed))
    return found


def test_a_recording_is_in_one_stream_at_most(corpus: Path) -> None:
    items = plan.streams(rows(corpus), classes.read(), 8, 3)
    paths = [p.path for i in items for p in i.parts]
    assert len(paths) == len(set(paths)) > 30
    assert all(i.source == i.id for i in items)
    assert len({i.id for i in items}) == len(items) == 8


def test_streams_are_drawn_by_their_seed_alone(corpus: Path) -> None:
    found = [[i.to_dict() for i in plan.streams(rows(corpus), classes.read(), 4, seed)] for seed in (3, 3, 4)]
    assert found[0] == found[1] != found[2]
    assert [Item.from_dict(x).to_dict() for x in found[0]] == found[0]


def test_streams_overlap_some_repeat_some_and_one_in_ten_is_empty(corpus: Path) -> None:
    items = plan.streams(rows(corpus, 20, seconds=6.0), classes.read(), 20, 1)
    assert [k for k, i in enumerate(items) if not i.parts] == [9, 19]
    assert sum(p.gap_s < 0 for i in items for p in i.parts) > 10
    assert any(len({e["class"] for e in i.facts["events"]}) < len(i.parts) for i in items)
    for item in items:
        ends: dict[str, float] = {}
        for part, (name, onset, offset) in zip(item.parts, plan.planned(item), strict=False):
            assert onset - ends.get(name, -9.0) >= 1.0 or part.gap_s < 0
            ends[name] = max(offset, ends.get(name, 0.0))
        assert sum(p.gap_s for p in item.parts) < item.seconds


def test_nothing_begins_before_its_stream_however_short_the_sounds_turn_out(corpus: Path) -> None:
    listed = rows(corpus, 4, seconds=6.0)
    gaps = [[p.gap_s for p in i.parts] for seed in range(40) for i in plan.streams(listed, classes.read(), 3, seed)]
    assert min(min(np.cumsum(g)) for g in gaps if g) >= -1e-9
    assert sum(len(g) > 1 and g[1] == -g[0] for g in gaps) > 0  # held back in some of them


def test_a_class_that_the_bed_is_of_is_not_in_its_stream(corpus: Path) -> None:
    items = plan.streams(rows(corpus, 20), classes.read(), 20, 1)
    assert any("engine" in {e["class"] for e in i.facts["events"]} for i in items)
    over = [i for i in items if i.bed.kind == "file"]
    assert over
    for item in over:
        assert item.facts["ignored"] == ["engine"]  # the corpus has beds of a road
        assert "engine" not in {e["class"] for e in item.facts["events"]}


def test_small_classes_are_left_out_and_train_keeps_to_open_recordings(corpus: Path) -> None:
    cats = [replace(r, label="cat") for r in rows(corpus, 1) if r.label == "car_engine"]
    few = [r for r in rows(corpus, 1) if r.label != "car_engine"] + [r for r in cats if r.split == "dev"][:2]
    named = {e["class"] for i in plan.streams(few, classes.read(), 8, 0) for e in i.facts["events"]}
    assert "cat" not in named
    assert "rain" in named
    closed = plan.streams(rows(corpus), classes.read(), 8, 0, "train")
    assert "siren" not in {e["class"] for i in closed for e in i.facts["events"]}


def test_the_truth_is_where_the_sounds_are_in_the_audio(corpus: Path) -> None:
    """Beeps of 1 s at 0.5 s, and hiss from 0.3 s before their end on, over digital silence."""
    listed = read_index(corpus)
    beep = next(r for r in listed if r.label == "alarm" and r.seconds == 1.0)
    rain = next(r for r in listed if r.label == "rain" and r.seconds == 2.0)
    facts = {"set": "index", "events": [{"class": "alarm"}, {"class": "rain"}]}
    parts = (Part(beep.path, 0.5, 0.0, 5.0), Part(rain.path, -0.3, 0.0, 1.2), Part(rain.path, 9.0))
    item = Item("x", "events", "", "context", "x", 0, parts[:2], Bed("zero"), 0.0, 4.0, facts=facts)
    clips = Clips(corpus)
    truth = plan.placed(item, clips)
    assert truth == [("alarm", 0.5, 1.5), ("rain", 1.2, 2.4)]
    audio = render(item, clips, CHUNK).audio
    loud = np.flatnonzero(np.abs(audio) > 1e-3) / 16_000
    assert (loud[0], loud[-1]) == pytest.approx((0.5, 2.4), abs=0.01)
    late = Item(
        "x",
        "events",
        "",
        "context",
        "x",
        0,
        parts,
        Bed("zero"),
        0.0,
        4.0,
        facts={**facts, "events": [{"class": "alarm"}, {"class": "rain"}, {"class": "rain"}]},
    )
    assert plan.placed(late, clips) == truth  # what lies behind the end is not in it


def test_labels_that_the_map_does_not_have_are_an_error(corpus: Path) -> None:
    odd = [replace(r, label="yodelling") for r in rows(corpus, 1) if r.label == "rain"]
    with pytest.raises(DataError, match=r"expected a label that classes\.csv has in the set 'index', got 'yodelling'"):
        plan.streams(odd, classes.read(), 1, 0)
    with pytest.raises(DataError, match="expected 3 events of split dev"):
        plan.streams([], classes.read(), 1, 0)


def test_every_class_has_labels_and_tags_of_its_own() -> None:
    for name in classes.SETS:
        of = classes.read(name)
        assert len(of.names) == len(set(of.of_tag.values())) >= 10
        assert set(of.of_tag.values()) == set(of.names)
        assert not {"Animal", "Vehicle", "Domestic animals, pets", "Motor vehicle (road)"} & set(of.of_tag)
        clash = {c for c in of.names if c in of.of_tag and of.of_tag[c] != c}
        assert not clash  # a told class name never means another class


@pytest.mark.weights
def test_all_tags_are_labels_of_yamnet(nano_parts: Path) -> None:
    from soundflow.perceive.sound import labels

    tags = labels(nano_parts / "sound" / "yamnet.tflite")
    for name in classes.SETS:
        of = classes.read(name)
        assert not set(of.of_tag) - set(tags)
        p = np.zeros(len(tags), np.float32)
        p[tags.index("Meow")] = 0.7
        assert of.scores(p, tags)[[n.lower() for n in of.names].index("cat")] == np.float32(0.7)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("set,class,labels,tags\n", "expected the columns"),
        (
            "set,class,labels,tags,why\nindex,dog,dog,Bark,\nindex,cat,cat,Bark,\n",
            r":3: expected each label and tag once",
        ),
        ("set,class,labels,tags,why\nindex,dog,dog,,\n", r":2: expected labels, and tags where there is a class"),
        ("set,class,labels,tags,why\nwhat,dog,dog,Bark,\n", ":2: expected 5 cells"),
    ],
)
def test_a_broken_map_is_named(tmp_path: Path, lines: str, says: str) -> None:
    path = tmp_path / "classes.csv"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        classes.read("index", path)
    with pytest.raises(ConfigError, match="expected a set of index, desed, got 'x'"):
        classes.read("x")


def write_desed(folder: Path, lines: str) -> tuple[Path, Path]:
    audio = folder / "audio"
    audio.mkdir(exist_ok=True)
    for name, rate in (("a.wav", 44_100), ("b.wav", 16_000)):
        left = 0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)
        soundfile.write(audio / name, np.stack([left, left], axis=1), rate)
    tsv = folder / "truth.tsv"
    tsv.write_text(HEAD + lines, encoding="utf-8")
    return tsv, audio


def test_desed_layout(tmp_path: Path) -> None:
    tsv, audio = write_desed(
        tmp_path, "a.wav\t0.5\t1.25\tDog\na.wav\t0.1\t0.3\tSpeech\nb.wav\t\t\t\ngone.wav\t1\t2\tCat\n"
    )
    first, second, third = desed.items(tsv, audio, classes.read(classes.DESED))
    assert plan.planned(first) == [("Speech", 0.1, 0.3), ("Dog", 0.5, 1.25)]
    assert (first.seconds, second.seconds, third.seconds) == (2.0, 2.0, 2.0)
    assert plan.planned(second) == []
    assert plan.planned(third) == [("Cat", 1.0, 2.0)]  # its audio is missing: it fails when it is heard, and counts
    heard = desed.read(Path(first.facts["file"]))
    assert heard.shape == (32_000,)
    assert heard.dtype == np.float32
    assert np.abs(heard[4000:8000]).max() == pytest.approx(0.3, abs=0.01)
    with pytest.raises(DataError, match=r"gone\.wav: expected audio"):
        desed.read(Path(third.facts["file"]))
    assert len(desed.items(tsv, audio, classes.read(classes.DESED), most=1)) == 1


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("a.wav\t1.0\t0.5\tDog\n", r":2: expected 0 <= onset < offset"),
        ("a.wav\tnan\t0.5\tDog\n", r":2: expected 0 <= onset < offset"),
        ("a.wav\tsoon\t0.5\tDog\n", ":2: expected onset and offset in seconds"),
        ("a.wav\t0\t1\tWolf\n", "expected a label that classes.csv has"),
        ("a.wav\t0\t1\tDog\na.wav\t0\t1\tDog\n", ":3: expected each event"),
        ("a.wav\t\t\t\na.wav\t0\t1\tDog\n", ":3: expected either events or one empty line"),
        ("a.wav\t0\t9\tDog\n", "expected events within its 2.00 s"),
        ("../a.wav\t0\t1\tDog\n", ":2: expected a filename inside the audio folder"),
        ("a.wav\t0\t1\n", ":2: expected 4 cells"),
        ("", "expected at least one line"),
    ],
)
def test_a_broken_tsv_is_named(tmp_path: Path, lines: str, says: str) -> None:
    tsv, audio = write_desed(tmp_path, lines)
    with pytest.raises(DataError, match=says):
        desed.items(tsv, audio, classes.read(classes.DESED))


def test_no_tsv_and_other_columns(tmp_path: Path) -> None:
    tsv, audio = write_desed(tmp_path, "")
    with pytest.raises(ConfigError, match="expected a tsv and a folder"):
        desed.items(tmp_path / "none.tsv", audio, classes.read(classes.DESED))
    tsv.write_text("filename,onset,offset,event_label\n")
    with pytest.raises(DataError, match=r"truth\.tsv:1: expected the columns"):
        desed.items(tsv, audio, classes.read(classes.DESED))
