"""Streams of several events: the plan mixes classes, each event is scored as if alone, what is kept is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import proactive
from benchmarks.compose import render
from benchmarks.corpus import Clips, Row, read_index
from benchmarks.stream import events, heard, kept, shown
from benchmarks.systems import Setup
from benchmarks.workers import run
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.fakes import CHUNK, FakeSystem, hears_beeps


@pytest.fixture(scope="module")
def index(corpus: Path) -> list[Row]:
    return read_index(corpus)


def test_a_draw_holds_different_classes_and_the_same_events_at_every_n(index: list[Row]) -> None:
    items = events.plan(index, (1, 4), 6, 0)
    assert items == events.plan(index, (4, 1), 6, 0)
    assert len({i.id for i in items}) == len(items) == 6 * (4 + 2)
    whole = [i for i in items if i.facts["rounds"] == 4]
    for item in whole:
        told = item.facts["events"]
        assert len({e["label"] for e in told}) == 4
        assert sorted(e["respond"] for e in told) == ["no", "no", "yes", "yes"]
        alone = [i for i in items if i.source == item.source and i.facts["rounds"] == 1]
        assert [i.parts[0].path for i in alone] == [p.path for p in item.parts]
        assert {i.parts[0].db for i in alone} == {p.db for p in item.parts}
        gaps = [p.gap_s for p in item.parts[1:]]
        assert min(gaps) >= 64 if item.facts["gaps"] == events.LONG else 4 <= min(gaps) <= max(gaps) <= 8
    first = [e["respond"] for i in whole for e in i.facts["events"][:1]]
    assert set(first) == {"yes", "no"}, "either side may come first"
    used = {e["path"] for i in whole for e in i.facts["events"] if e["label"] == "alarm"}
    assert len(used) == len([r for r in index if r.split == "dev" and r.label == "alarm"])


def test_smaller_n_cut_the_draw(index: list[Row]) -> None:
    items = [i for i in events.plan(index, (2, 4), 1, 0) if i.facts["gaps"] == events.SHORT]
    pieces = [[e["event"] for e in i.facts["events"]] for i in items]
    assert sorted(pieces) == [[0, 1], [0, 1, 2, 3], [2, 3]]


def test_bad_plans(index: list[Row]) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        events.plan(index, (0,), 4, 0)
    with pytest.raises(ConfigError, match="a stream"):
        events.plan(index, (1,), 0, 0)
    with pytest.raises(ConfigError, match="gaps"):
        events.plan(index, (2,), 1, 0, gaps=("none",))
    with pytest.raises(DataError, match="5 classes"):
        events.plan(index, (12,), 4, 0)


def test_a_class_comes_again_when_all_others_have(index: list[Row]) -> None:
    more = [replace(r, label=f"{r.label}{k}", path=f"{k}{r.path}") for k in range(3) for r in index]
    item = next(i for i in events.plan(more, (20,), 1, 0) if i.facts["rounds"] == 20 and i.facts["gaps"] == events.LONG)
    sides = {s: [e["label"] for e in item.facts["events"] if e["respond"] == s] for s in ("yes", "no")}
    assert [len(s) for s in sides.values()] == [10, 10]
    classes = {"yes": 6, "no": 9}
    for side, labels in sides.items():
        count = classes[side]
        assert len(set(labels[:count])) == count
        assert labels[count:] == labels[: len(labels) - count]


def test_spans_are_where_the_audio_lies(index: list[Row], corpus: Path) -> None:
    item = next(i for i in events.plan(index, (3,), 1, 0) if i.facts["gaps"] == events.SHORT)
    clips = Clips(corpus)
    rendered = render(item, clips, CHUNK)
    spans = heard.spans(item, clips)
    assert spans[0] == [rendered.onset, rendered.offset]
    loud = np.abs(rendered.audio)
    for (first, end), part in zip(spans, item.parts, strict=True):
        assert loud[first:end].max() > 10 ** ((part.db or 0) / 20) / 2
        assert loud[max(0, first - 8000) : first].max() < loud[first:end].max() / 2


def stream(decisions: str, spans: list[list[float]], responds: list[str], n: int = 0, **facts: Any) -> dict[str, Any]:
    """A row of events (seconds); p is 0.9 where something was decided."""
    told = [
        {"label": f"{respond}{k % 2}", "respond": respond, "path": f"p{k}", "event": k}
        for k, respond in enumerate(responds)
    ]
    about = {"rounds": n or len(spans), "gaps": "short gaps", "stream": 0, "events": told} | facts
    body = {"system": "nano", "chunk": CHUNK, "decisions": decisions, "p_act": [0.0] * len(decisions)}
    body["p_speak"] = [0.9 if c != "s" else 0.1 for c in decisions]
    samples = [[round(a * 16000), round(b * 16000)] for a, b in spans]
    return body | {"item": {"facts": about}, "spans": samples, "id": "x"}


def said(*chunks: int, length: int = 60) -> str:
    return "".join("S" if k in chunks else "s" for k in range(length))


def test_events_are_scored_as_single_ones_by_hand() -> None:
    # Sounds at 4.0 to 5.0 s (answered in chunk 12) and 12.0 to 13.0 s (nothing wanted).
    row = stream(said(12), [[4.0, 5.0], [12.0, 13.0]], ["yes", "no"])
    first, second = events.events(row)
    assert first["chunks"] == [0, 21], "until 3.2 s behind the sound: chunk 20"
    assert second["chunks"] == [21, 41], "from behind the first, though 4 s before the sound is chunk 20"
    assert second["onset"] == round(12.0 * 16000) - 21 * CHUNK
    assert proactive.window(first) == (10, 17)
    assert [proactive.outcome(e).fired for e in (first, second)] == [True, False]
    late = events.events(stream(said(18), [[4.0, 5.0], [12.0, 13.0]], ["yes", "no"]))
    assert not proactive.outcome(late[0]).fired
    assert not proactive.outcome(late[1]).fired, "too late for the first, and not the second's"
    wrong = events.events(stream(said(40), [[4.0, 5.0], [12.0, 13.0]], ["yes", "no"]))
    assert proactive.outcome(wrong[1]).fired
    assert events.between(stream(said(12, 45), [[4.0, 5.0], [12.0, 13.0]], ["yes", "no"]))[0] == 1


def test_what_is_kept_by_hand() -> None:
    spans, sides = [[4.0, 5.0], [12.0, 13.0]], ["yes", "no"]
    rows = [stream(said(), spans, sides)]
    for k, side in enumerate(sides):
        alone = stream(said(12) if k == 0 else said(), [[4.0, 5.0]], [side], gaps="alone")
        alone["item"]["facts"]["events"][0] |= {"event": k, "label": f"{side}{k}"}
        rows.append(alone)
    figures = kept.score(rows, draws=20)["nano"]
    assert figures["1 alone"]["balanced_accuracy"][0] == 1.0
    assert figures["2 short gaps"]["balanced_accuracy"][0] == 0.5
    assert figures["2 short gaps"]["retention"] == [0.5, 0.5, 0.5]
    assert figures["2 short gaps"]["by_position"][0]["respond_recall"][0] == 0.0
    assert figures["2 short gaps"]["by_position"][0]["balanced_accuracy"] == [None, None, None], "one side only"
    failed = {"id": "y", "system": "nano", "item": rows[0]["item"], "error": "x"}
    lost = kept.score([failed, *rows[1:]], draws=20)["nano"]["2 short gaps"]
    assert (lost["failed"], lost["balanced_accuracy"][0]) == (1, 0.0)


def test_streams_are_drawn_together() -> None:
    """Ten streams of four equal events each vary as ten, not as forty."""
    rows = []
    for k in range(10):
        spans = [[4.0 + 8 * j, 5.0 + 8 * j] for j in range(2)]
        text = said(10, 30, length=80) if k < 5 else said(length=80)
        row = stream(text, spans, ["yes", "yes"])
        row["item"]["facts"]["stream"] = k
        rows.append(row)
    low, high = kept.score(rows, draws=2000)["nano"]["2 short gaps"]["respond_recall"][1:]
    assert high - low == pytest.approx(2 * 1.96 * (0.25 / 10) ** 0.5, rel=0.15)


def test_heard_from_plan_to_table(index: list[Row], corpus: Path, tmp_path: Path) -> None:
    items = [i for i in events.plan(index, (1, 2), 2, 0) if i.facts["gaps"] != events.LONG]
    bad = next(i for i in items if i.facts["rounds"] == 2)
    systems = [FakeSystem("nano", hears_beeps), FakeSystem("rules", hears_beeps, fails_on=bad.seed)]
    rows = run("rounds", items, tmp_path, Setup(corpus), heard.hear, workers=0, systems=systems)
    figures = kept.score(rows, draws=50)
    assert figures["nano"]["2 short gaps"]["retention"] == [1.0, 1.0, 1.0]
    assert figures["rules"]["2 short gaps"]["failed"] == 1
    assert figures["rules"]["2 short gaps"]["retention"][0] < 1.0
    body = {"events": figures}
    made = shown.kept_tables(body)
    assert any("2 short gaps" in row for row in made[0].rows)
    assert len(made[1].rows) == 4
    series = shown.kept_series(body)
    assert [v[0] for _, v in series["nano, sounds, short gaps"]] == [1.0, 1.0]
    assert shown.curve(series, "x", "y", 1.0)[:4] == b"\x89PNG"


def test_compute_waits_for_what_is_late_by_hand() -> None:
    # Chunks end at 0.4, 0.8, 1.2 s; done at 1.4, 1.5, 1.6.
    assert heard.lateness([1000.0, 100.0, 100.0], CHUNK) == pytest.approx([1.0, 0.7, 0.4])
    assert heard.lateness([100.0, 100.0], CHUNK) == pytest.approx([0.1, 0.1])
    row = stream(said(12), [[4.0, 5.0]], ["yes"]) | {"step_ms": [100.0] * 12 + [500.0] + [100.0] * 47}
    found = kept.score([row], draws=5)["nano"]["1 short gaps"]["delay_s"]
    # The evidence ends at 5.0 s, chunk 12 at 5.2 s, its step 0.5 s later.
    assert found == {"audio": 0.2, "with_compute": 0.7}


def test_positions_are_binned() -> None:
    assert [(n, len(m)) for n, m in kept.binned(range(20), lambda k: k)] == [
        ("1", 1),
        ("2-3", 2),
        ("4-5", 2),
        ("6-10", 5),
        ("11 on", 10),
    ]
