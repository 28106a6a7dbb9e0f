"""Needles in a long stream: where they lie, that nothing else sounds like them, and what counts as remembered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import runs
from benchmarks.compose import Item, render
from benchmarks.corpus import Clips, Row, read_index
from benchmarks.stream import needle, probes, recall, run, shown, voices
from benchmarks.stream.words import SOUNDS, sentences
from benchmarks.systems import NO_MEMORY, Setup
from benchmarks.workers import run as run_items
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.fakes import CHUNK
from tests.benchmarks.stream.fakes import Remembers, make_voices


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture(scope="module")
def index(corpus: Path) -> list[Row]:
    return read_index(corpus)


def planned(
    index: list[Row], said: Path, minutes: float = 4.0, streams: int = 1, depths: tuple[float, ...] = (0.5,)
) -> Any:
    return needle.plan(index, voices.voiced(sentences(), said, said), minutes, streams, 0, depths)


def test_needles_lie_at_their_depth_and_in_no_other_place(index: list[Row], corpus: Path, said: Path) -> None:
    clips = Clips(corpus)
    for depth in (0.05, 0.4, 0.95):
        item = planned(index, said, depths=(depth,))[0]
        (told,) = item.facts["needles"]
        stretches = [Item.from_dict(e["item"]) for e in item.facts["stretches"]]
        assert len(stretches) == 8
        assert all(len(e["probes"]) == (4 if k == 7 else 0) for k, e in enumerate(item.facts["stretches"]))
        onset = render(stretches[told["stretch"]], clips, CHUNK).onset / 16000 + 30 * told["stretch"]
        assert onset == pytest.approx(depth * 240, abs=14)
        labels = {r.path: r.label for r in index}
        asked = {told["needle"], told["marker"]} | {p["about"] for p in item.facts["stretches"][-1]["probes"]}
        families = {SOUNDS[x].family for x in asked}
        assert len(families) == 3, "needle, marker and lure cannot be taken for each other"
        for k, part in ((k, p) for k, s in enumerate(stretches) for p in s.parts):
            label = labels[part.path]
            assert (k == told["stretch"]) == (label in (told["needle"], told["marker"]))


def test_bad_plans(index: list[Row], said: Path) -> None:
    with pytest.raises(ConfigError, match="fewer depths, or more minutes"):
        planned(index, said, 1.0, depths=(0.1, 0.2, 0.3))
    with pytest.raises(ConfigError, match=r"depths in \(0, 1\)"):
        planned(index, said, depths=(1.0,))
    with pytest.raises(ConfigError, match="minutes"):
        planned(index, said, 600.0)
    with pytest.raises(DataError, match="9 families"):
        planned(index, said, depths=(0.1, 0.5, 0.9))
    with pytest.raises(DataError, match="to fill"):
        planned([r for r in index if r.kind == "event"], said)


def test_who_remembers_finds_it_and_who_forgets_does_not(
    index: list[Row], corpus: Path, said: Path, tmp_path: Path
) -> None:
    quiet = [r for r in index if r.label in ("alarm", "dog", "church_bells", "music_cello")]
    items = [i for i in planned(quiet, said, 2.0, 8) if i.facts["needles"][0]["needle"] == "alarm"][:1]
    assert items
    body = items[0].to_dict()
    for entry in body["facts"]["stretches"]:  # the fake names the first sound: only the needle is to be heard
        entry["item"]["bed"] = {"kind": "zero", "db": -60.0, "path": ""}
        parts = entry["item"]["parts"]
        if not parts or parts[0]["path"] not in _paths(quiet, "alarm"):
            entry["item"]["parts"] = ()
    items = [Item.from_dict(body)]
    systems = [
        Remembers("nano"),
        Remembers("short", 40),
        Remembers(NO_MEMORY),
        Remembers("bad", fails_on=items[0].seed),
    ]
    rows = run_items("needle", items, tmp_path, Setup(corpus), probes.hear, workers=0, systems=systems)
    figures = needle.score(rows, draws=50)
    found = {s: figures["systems"][s]["spoken"] for s in figures["systems"]}
    assert found["nano"]["before"]["right"][0] == found["nano"]["present"]["right"][0] == 1.0
    assert found["short"]["before"]["right"][0] == found["short"]["present"]["right"][0] == 0.0
    assert found["short"]["absent"]["right"][0] == 1.0, "it denies everything"
    assert (found["nano"]["false_memory"][0], found["nano"]["balanced"]) == (0.0, 0.5), "it names an alarm to all"
    assert found["nano"]["before"]["alerting"][0] == 1.0
    assert found["nano"]["before"]["by_depth"]["0.5"][0] == 1.0
    assert found["nano"]["before"]["minus_no_memory"][0] == 1.0
    assert found["bad"]["before"]["right"][0] == found["bad"]["absent"]["right"][0] == 0.0
    assert found["bad"]["false_memory"][0] == 1.0, "who fails has no credit"
    assert figures["systems"]["nano"]["unasked_hour"] == 0.0
    assert [t.rows for t in shown.needle_tables(figures)]
    assert shown.curve(shown.depth_series(figures), "x", "y", None)[:4] == b"\x89PNG"


def _paths(rows: list[Row], label: str) -> set[str]:
    return {r.path for r in rows if r.label == label}


def test_a_needle_that_perception_told_and_answers_that_nobody_asked_for() -> None:
    stretches = [
        {"item": {"parts": [1]}, "probes": []},
        {"item": {"parts": [1, 1]}, "probes": []},
    ]
    needles = [{"stretch": 1, "depth": 0.5, "needle": "dog", "marker": "cat", "respond": "no"}]
    row: dict[str, Any] = {
        "item": {"facts": {"stretches": stretches, "needles": needles}},
        "spans": [[0, 16000], [16000 * 40, 16000 * 42], [16000 * 45, 16000 * 47]],
        "sounds": [{"label": "Bark", "onset": 40.2}, {"label": "Siren", "onset": 41.0}],
        "chunk": CHUNK,
        "decisions": "".join("S" if k in (10, 102, 140) else "s" for k in range(150)),
    }
    assert needle.seen(row) == [(0.5, True)]
    assert needle.seen(row | {"sounds": [{"label": "Siren", "onset": 41.0}]}) == [(0.5, False)]
    assert needle.unasked(row) == 2, "chunk 102 ends 41.2 s in, within the needle"


def test_forks_hear_what_came_before_and_nothing_of_each_other(
    index: list[Row], corpus: Path, said: Path, tmp_path: Path
) -> None:
    item = planned(index, said, 1.0)[0]
    fake = Remembers("nano")
    rows = run_items("needle", [item], tmp_path, Setup(corpus), probes.hear, workers=0, systems=[fake])
    assert fake.opened == 1 + 4, "one stream, and it again before each of four questions"
    lengths = {len(p["decisions"]) for p in rows[0]["probes"]}
    assert lengths == {len(rows[0]["probes"][0]["decisions"])}
    spans = [p["span"] for p in rows[0]["probes"]]
    assert all(span == spans[0] for span in spans)
    assert all(0 < r["t"] < 10 for p in rows[0]["probes"] for r in p["replies"]), "times count from the fork"
    assert [a.name for a in recall.recalled(rows[0], recall.SPOKEN)] == [p["name"] for p in rows[0]["probes"]]
    assert recall.recalled(rows[0], recall.TYPED) == []


def test_the_whole_command(corpus: Path, said: Path, tmp_path: Path) -> None:
    o = runs.Options(tmp_path / "out", corpus, workers=0, systems=("always-silent",))
    found = run.run_needle(o, 1.0, 1, (0.5,), said)
    body = found.figures["systems"]["always-silent"]["spoken"]
    assert body["before"]["right"][0] == body["absent"]["right"][0] == 0.0, "silence is no answer"
    assert np.isclose(found.figures["minutes"], 1.0)
    assert run.run_needle(runs.Options(o.out, score_only=True)).figures == found.figures
    assert "needle_depths" in (o.out / "report.md").read_text()
