"""Rows by hand: words, clocks, scenarios, figures, tables."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.compose import Item
from benchmarks.duplex import marks, score, shown
from benchmarks.hear import failed
from benchmarks.suite import headlines
from soundflow import SAMPLE_RATE_HZ

S = SAMPLE_RATE_HZ


def piece(start: float, end: float, text: str, born: float | None = None, whole: float | None = None) -> dict[str, Any]:
    times = {"start": start, "end": end, "born": start if born is None else born, "whole": whole or end}
    return {k: round(v * S) for k, v in times.items()} | {"text": text}


def row(group: str, *voice: dict[str, Any], system: str = "nano", name: str = "a", **more: Any) -> dict[str, Any]:
    label = {"pause": "read"}.get(group, "over")
    item = {"group": group, "label": label, "facts": more.pop("facts", {}), "source": name}
    base = {"id": f"{group}/{name}", "system": system, "item": item, "chunk": 6400, "samples": 14 * S}
    base |= {"user": [[S, 3 * S]], "over": None, "voice": list(voice), "step_ms": [0.0] * 35}
    return base | more


def test_lateness_is_carried_over() -> None:
    late = marks.lateness(row("turn", step_ms=[100.0, 700.0, 100.0, 100.0]))
    assert late == pytest.approx([0.1, 0.7, 0.4, 0.1])


def test_voice_with_compute_is_later_by_its_chunk() -> None:
    r = row("turn", piece(3.3, 4.0, "a b", born=3.2, whole=5.0), step_ms=[0.0] * 7 + [250.0, 0.0, 300.0, *[0.0] * 25])
    (late,) = marks.said(r, compute=True)
    assert (late.born, late.start, late.whole) == pytest.approx((3.45, 3.55, 5.25))
    assert late.end == pytest.approx(4.3), "cut in the chunk that ends at 4.0, which took 0.3 s"
    (plain,) = marks.said(r)
    assert (plain.start, plain.end, plain.whole) == (3.3, 4.0, 5.0)


def test_words_behind_a_cut_were_not_heard() -> None:
    (p,) = marks.said(row("turn", piece(1.0, 2.0, "aaa bbb ccc ddd", whole=3.0)))
    found = marks.chunks([p])
    assert [(c.text, c.start, c.end) for c in found] == [("aaa", 1.0, 1.5), ("bbb", 1.5, 2.0)]
    assert marks.chunks([]) == []


def test_a_pause_is_kept_or_taken() -> None:
    quiet = marks.mark(row("pause", user=[[S, 2 * S], [3 * S, 4 * S]]))
    assert quiet["right"]
    assert not quiet["any_voice"]
    taken = marks.mark(row("pause", piece(2.5, 4.0, "I see what you mean"), user=[[S, 2 * S], [3 * S, 4 * S]]))
    assert (taken["takeover"], taken["right"]) == (True, False)
    short = marks.mark(row("pause", piece(2.5, 2.9, "I see", whole=5.0), user=[[S, 2 * S], [3 * S, 4 * S]]))
    assert short["any_voice"]
    assert short["right"], "cut before it was a turn"
    after = marks.mark(row("pause", piece(4.8, 6.0, "It is spring"), user=[[S, 2 * S], [3 * S, 4 * S]]))
    assert after["right"]
    assert after["answered"]
    assert after["latency_s"] == pytest.approx(0.8)


def test_turns() -> None:
    facts = {"text": "Which season comes before summer?", "reference": "Spring comes before summer."}
    good = marks.mark(row("turn", piece(4.2, 6.0, "Spring comes before summer."), facts=facts))
    assert good["right"]
    assert good["latency_s"] == pytest.approx(1.2)
    assert good["on_topic"]
    assert good["correct"]
    wrong = marks.mark(row("turn", piece(4.2, 6.0, "Winter comes before summer."), facts=facts))
    assert (wrong["on_topic"], wrong["correct"]) == (True, False)
    off = marks.mark(row("turn", piece(4.2, 6.0, "I like apples a lot."), facts=facts))
    assert not off["on_topic"]
    early = marks.mark(row("turn", piece(2.0, 5.0, "Spring comes before summer."), facts=facts))
    assert (early["takeover"], early["early"], early["right"], early["latency_s"]) == (True, True, False, 0.0)
    assert marks.mark(row("turn", facts=facts))["latency_s"] is None


def test_listening_and_its_reference() -> None:
    facts = {"gaps": [[1.5, 1.6], [2.0, 2.5]]}
    bins = marks.human_like(row("listening", facts=facts), 3.0)
    assert [k for k, x in enumerate(bins) if x] == [10, 11, 12, 13, 14, 15], "of the gap of 0.5 s alone"
    assert marks.human_like(row("listening"), 3.0) == []
    found = marks.mark(row("listening", piece(2.1, 2.5, "Mm-hm."), facts=facts))
    assert found["right"]
    assert found["frequency"] == pytest.approx(1 / 3)
    assert found["divergence"] < 0.8
    assert marks.mark(row("listening", facts=facts))["divergence"] == 1.0


def test_an_interruption_by_hand() -> None:
    given = piece(1.2, 3.0, "Here is the plan for this afternoon.", born=1.2, whole=4.0)
    answer = piece(5.9, 7.0, "It is spring.")
    facts = {"text": "Wait, which season comes before summer?", "reference": "Spring comes before summer."}
    over = {"over": [int(2.8 * S), 5 * S], "user": [[int(2.8 * S), 5 * S]], "facts": facts}
    m = marks.mark(row("interruption", given, answer, **over))
    assert (m["behaviour"], m["right"], m["stopped"], m["takeover"]) == ("respond", True, True, True)
    assert m["stop_s"] == pytest.approx(0.2)
    assert m["overlaps_s"] == pytest.approx([0.2])
    assert m["responses_s"] == pytest.approx([0.9])
    assert m["latency_s"] == pytest.approx(0.9)
    assert m["correct"]
    same = marks.mark(row("backchannel", given, answer, **over))
    assert not same["right"], "over a backchannel the reply was to go on"


def rows_of(system: str, *right: bool) -> list[dict[str, Any]]:
    voice = (piece(3.8, 5.0, "It is spring."),)
    return [row("turn", *(voice if r else ()), system=system, name=str(k)) for k, r in enumerate(right)]


def test_figures_count_failures_as_wrong() -> None:
    item = Item("turn/9", "turn", "over", "", "9", 0)
    bad = failed(item, "nano", "weights: gone")
    figures = score.score(
        [*rows_of("nano", True, True, False), bad, *rows_of("vad-700", True, False, False)], draws=200
    )
    turn = figures["turn"]["nano"]
    assert (turn["samples"], turn["failed"]) == (4, 1)
    assert turn["right"][0] == pytest.approx(0.5)
    assert turn["takeover"][0] == pytest.approx(0.5)
    assert turn["latency_s"]["of"] == 2
    assert turn["latency_s"]["median"] == pytest.approx(0.8)
    assert "minus_peer" not in figures["all"]["nano"], "not the same samples"
    assert marks.mark(failed(Item("p", "pause", "read", "", "p", 0), "x", "e"))["takeover"]


def test_the_difference_is_drawn_in_pairs() -> None:
    figures = score.score([*rows_of("nano", True, True, False), *rows_of("vad-700", True, True, False)], draws=200)
    assert figures["all"]["nano"]["minus_peer"] == [0.0, 0.0, 0.0]
    better = score.score([*rows_of("nano", True, True, True), *rows_of("vad-700", True, False, False)], draws=200)
    value, low, high = better["all"]["nano"]["minus_peer"]
    assert value == pytest.approx(2 / 3, abs=1e-3)
    assert low < value < high + 1e-9


def test_shares_and_times() -> None:
    assert score.share([]) is None
    one = score.share([True] * 10)
    assert one is not None
    assert one[0] == 1.0
    assert 0.6 < one[1] < 0.8, "Wilson: ten of ten is not certainty"
    mixed = score.share([True, False] * 20)
    assert mixed is not None
    assert mixed[1] < 0.5 < mixed[2]
    assert score.times([]) == {"of": 0, "mean": None, "median": None, "p90": None}


def test_tables_show_every_system() -> None:
    over = {"over": [int(2.8 * S), 5 * S], "user": [[int(2.8 * S), 5 * S]]}
    rows = [
        *rows_of("nano", True, False),
        *rows_of("vad-700", True, True),
        row("background", piece(1.2, 9.0, "Here is the plan.", born=1.2), **over),
        row("listening"),
        row("pause"),
        failed(Item("o", "others", "over", "", "o", 0), "nano", "e"),
    ]
    right, first, over_table = shown.tables(score.score(rows, draws=50))
    assert [r[0] for r in right.rows] == ["nano", "vad-700"]
    assert right.columns[3:-1] == [
        "pause/read (n=1)",
        "listening (n=1)",
        "turn (n=2)",
        "others (n=1)",
        "background (n=1)",
    ]
    assert right.rows[0][-1] == "1"
    assert {r[0] for r in first.rows} == {"pause/read (low)", "listening (low)", "turn (high)"}
    assert [r[0] for r in over_table.rows] == ["others (resume)", "background (resume)"]
    assert over_table.rows[1][4] == "1.00"
    rest = headlines.duplex(score.score(rows, draws=50))
    assert [r[0] for r in rest] == ["right, mean over scenarios", "a turn taken behind a question"]
    assert rest[1][2].startswith("vad-700 1.00")
    assert headlines.duplex({"all": {}}) == []
    for table in (right, first, over_table):
        assert all(len(r) == len(table.columns) for r in table.rows)


def test_stopping_with_compute_adds_the_lateness_of_its_chunk() -> None:
    given = piece(1.2, 3.2, "Here is the plan for this afternoon.", born=1.2, whole=4.0)
    over = {"over": [int(2.8 * S), 5 * S], "user": [[int(2.8 * S), 5 * S]]}
    m = marks.mark(row("others", given, **over, step_ms=[0.0] * 7 + [150.0] + [0.0] * 27))
    assert m["stop_s"] == pytest.approx(0.4)
    assert m["stop_compute_s"] == pytest.approx(0.55)
