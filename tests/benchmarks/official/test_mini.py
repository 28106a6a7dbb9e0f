"""The mini set: which recordings, what is written, what is refused; the index that ships against the audio."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.corpus import Clips, Row, read_index
from benchmarks.official import mini, run
from benchmarks.official.contamination import SHIPPED, load
from benchmarks.official.formats import read_manifest
from benchmarks.runs import Options
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.fakes import make_corpus

SIDES = {"yes": "RESPOND", "no": "IGNORE"}


def rows(*counts: tuple[str, str, int], **more: object) -> list[Row]:
    blank = Row("", "fake", "dev", "event", "", "", "", "", 1.0, "CC0", "x", True, "yes")
    made = [
        replace(blank, path=f"{label}/{k}.wav", label=label, respond=respond)
        for label, respond, n in counts
        for k in range(n)
    ]
    return [replace(r, **more) for r in made]  # type: ignore[arg-type]


def test_the_sides_are_balanced_and_rare_classes_whole() -> None:
    given = rows(("explosion", "yes", 4), ("coughing", "yes", 50), ("crying_baby", "yes", 3), ("rain", "no", 12))
    chosen = Counter(r.label for r in mini.choose(given))
    assert chosen == {"explosion": 4, "coughing": 5, "crying_baby": 3, "rain": 12}
    assert mini.choose(given) == mini.choose(given[::-1]), "the order of the index has no part in it"


def test_only_open_dev_events_with_a_policy_are_taken() -> None:
    good = rows(("explosion", "yes", 2), ("rain", "no", 2))
    bad = [
        *rows(("gunshot", "yes", 3), open=False),
        *rows(("alarm", "yes", 3), split="train"),
        *rows(("alarm", "yes", 3), split="dial"),
        *rows(("rooster", "context", 3)),
        *rows(("bell", "no", 3), kind="music"),
        *rows(("wind", "no", 3), kind="speech"),
        *rows(("a new class", "no", 3)),
    ]
    assert {r.label for r in mini.choose(good + bad)} == {"explosion", "rain"}
    assert len(mini.choose(good + bad)) == 4
    left = mini.choose(good, leave_out={"rain/0.wav"})
    assert sorted(r.label for r in left) == ["explosion", "rain"], "balanced again"
    with pytest.raises(ConfigError, match="0 to answer"):
        mini.choose(rows(("rain", "no", 2)))


def small(folder: Path) -> tuple[Path, list[mini.Entry]]:
    audio = make_corpus(folder / "audio")
    clips = Clips(audio)
    return audio, [mini.entry(r, clips) for r in mini.choose(read_index(audio))]


def test_what_is_written_is_in_the_official_layout(tmp_path: Path) -> None:
    audio, entries = small(tmp_path)
    assert Counter(e.decision for e in entries) == {"RESPOND": 3, "IGNORE": 3}
    out = tmp_path / "out"
    assert mini.build(entries, audio, out) == []
    samples = read_manifest(out / "manifest.jsonl")
    assert [(s.id, s.decision, s.macro, s.meso) for s in samples] == [
        (e.id, e.decision, e.macro, e.meso) for e in entries
    ]
    for s in samples:
        data, rate = soundfile.read(out / s.path)
        assert rate == 16_000
        assert 0.1 < len(data) / rate <= 5.0
        assert np.sqrt(np.mean(data**2)) == pytest.approx(10 ** (-26 / 20), rel=0.02)
    told = list(csv.DictReader((out / "LICENSES.csv").read_text().splitlines()))
    assert [t["id"] for t in told] == [e.id for e in entries]


def test_a_long_ambience_gives_its_middle(tmp_path: Path) -> None:
    audio = make_corpus(tmp_path)
    road = next(r for r in read_index(audio) if r.split == "dev" and r.label == "urban/road")
    assert mini.entry(road, Clips(audio)).from_s == pytest.approx(7.5, abs=0.1)


def test_an_index_that_is_broken_or_does_not_fit_the_audio(tmp_path: Path) -> None:
    audio, entries = small(tmp_path)
    index, good = tmp_path / "mini.csv", mini.index_text(entries)
    index.write_text(good)
    assert mini.read_mini(index) == entries
    for text, words in (
        (good.replace("id,path", "name,path", 1), "expected the columns"),
        (good + good.splitlines()[1] + "\n", "again"),
        (good.replace(",0.0,", ",soon,", 1), "from_s as a number"),
        (good.replace(",RESPOND,", ",PERHAPS,", 1), "RESPOND or IGNORE"),
        (good + "a,b\n", "12 fields"),
    ):
        index.write_text(text)
        with pytest.raises(DataError, match=words):
            mini.read_mini(index)
    other = [replace(entries[0], sha256="0" * 64), *entries[1:]]
    assert "another version of libsndfile" in mini.build(other, audio, tmp_path / "a")[0]
    with pytest.raises(DataError, match="another recording"):
        mini.build([replace(other[0], file_sha256="0" * 64)], audio, tmp_path / "b")
    (audio / entries[0].path).unlink()
    with pytest.raises(ConfigError, match="1 are missing"):
        mini.build(entries, audio, tmp_path / "c")


def test_a_run_of_a_part_of_it(tmp_path: Path) -> None:
    audio, entries = small(tmp_path)
    (tmp_path / "mini.csv").write_text(mini.index_text(entries))
    o = Options(tmp_path / "out", audio, workers=0, systems=("always-silent", "always-respond"))
    result = run.run_mini(o, tmp_path / "mini.csv", per_side=2)
    systems = result.figures["systems"]
    assert (systems["always-silent"]["clips"], systems["always-silent"]["right"]) == (4, 2)
    assert systems["always-respond"]["balanced_accuracy"][0] == 0.5
    assert len(run.thinned(entries, 2)) == 4
    assert run.thinned(entries, 0) == entries


def test_the_index_that_ships() -> None:
    entries = mini.read_mini()
    assert 100 <= len(entries) <= 200
    sides = Counter(e.decision for e in entries)
    assert sides["RESPOND"] == sides["IGNORE"]
    assert len({e.macro for e in entries}) == 6
    assert len({e.id for e in entries}) == len({e.path for e in entries}) == len(entries)
    assert all(mini.PLACES[e.label] == (e.macro, e.meso) and e.license and e.source for e in entries)
    assert not {e.path for e in entries} & set(load(SHIPPED)[0].names)


@pytest.mark.skipif(not os.environ.get("SOUNDFLOW_AUDIO"), reason="SOUNDFLOW_AUDIO names no audio folder")
def test_the_index_that_ships_is_of_open_dev_rows_by_their_policy() -> None:
    known = {r.path: r for r in read_index(Path(os.environ["SOUNDFLOW_AUDIO"]))}
    for e in mini.read_mini():
        row = known[e.path]
        assert (row.split, row.open, SIDES[row.respond]) == ("dev", True, e.decision)
        assert (row.license, row.source, row.label) == (e.license, e.source, e.label)
