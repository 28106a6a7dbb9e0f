"""False alarms: the plan holds nothing to answer, rates have intervals, a replayed threshold gives the same alarms."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import quiet
from benchmarks.compose import television
from benchmarks.corpus import read_index
from benchmarks.gate import COOLDOWN_S, Gate, Likes, odds_between
from benchmarks.hear import hear
from benchmarks.systems import Chunked, Setup
from benchmarks.workers import run
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError
from soundflow.types import FloatArray
from tests.benchmarks.fakes import CHUNK, FakeSystem, hears_beeps, silent


def test_plan_has_its_shares_and_no_alerting_sound(corpus: Path) -> None:
    rows = read_index(corpus)
    items = quiet.plan(rows, 60, 0)
    counts = Counter(i.group for i in items)
    assert sum(n for g, n in counts.items() if g not in ("context", "television")) == 60
    assert counts["television"] == 12
    assert counts["ambience"] == 20
    alerting = {r.path for r in rows if r.respond == "yes" or r.split == "train"}
    used = {p.path for i in items for p in i.parts} | {i.bed.path for i in items}
    assert not used & alerting
    assert all(i.seconds == 60.0 for i in items)
    assert items == quiet.plan(rows, 60, 0)
    with pytest.raises(DataError, match="ambience"):
        quiet.plan([r for r in rows if r.kind != "ambience"], 60, 0)


def test_rates_and_groups(corpus: Path, tmp_path: Path) -> None:
    items = quiet.plan(read_index(corpus), 6, 0)
    systems = [FakeSystem("nano", silent), FakeSystem("rules", lambda pcm: 0.9)]
    rows = run("quiet", items, tmp_path, Setup(corpus), hear, workers=0, systems=systems)
    figures = quiet.score(rows)
    calm, nervous = figures["nano"], figures["rules"]
    assert calm["alarms"] == 0
    assert calm["false_alarms_hour"][2] == pytest.approx(3 / calm["hours"], rel=4e-3)  # rule of three
    assert nervous["false_alarms_hour"][0] == pytest.approx(3600 / 1.6, rel=0.02)
    assert "context" in nervous["by_group"]
    assert calm["hours"] == pytest.approx(sum(i.group != "context" for i in items) / 60, abs=1e-3)
    failed = {"id": "q", "system": "nano", "item": items[0].to_dict(), "error": "x"}
    assert quiet.score([*rows, failed])["nano"]["alarms"] == 37


class _Drawn(Chunked):
    """p, topic and sound out of a list; its own gate decides."""

    def __init__(self, drawn: list[tuple[float, str, FloatArray]]) -> None:
        super().__init__(CHUNK, 0.5, COOLDOWN_S)
        self._drawn = drawn

    def score(self, pcm: FloatArray) -> tuple[float, str, FloatArray]:
        return self._drawn[len(self.topics)]


def test_a_replayed_threshold_gives_the_alarms_of_the_run() -> None:
    rng = np.random.default_rng(0)
    sounds = np.eye(9, dtype=np.float32)
    names, heard = rng.integers(0, 26, 400), rng.integers(0, 9, 400)
    drawn = [(float(rng.random()), chr(97 + int(n)), sounds[k]) for n, k in zip(names, heard, strict=True)]
    listener = _Drawn(drawn)
    events = listener.push(np.zeros(400 * CHUNK, np.float32))
    said = sum(e.to_dict()["decision"] == "speak" for e in events)
    row: dict[str, Any] = {"chunk": CHUNK, "p_speak": [p for p, _, _ in drawn], "p_act": [0.0] * 400}
    row |= {"topics": listener.topics, "likes": listener.likes}
    assert quiet.alarms_at(row, 0.5) == said > 4
    assert quiet.alarms_at(row | {"likes": []}, 0.5) > said, "by name alone"
    assert quiet.alarms_at(row, 1.1) == 0


def test_a_replay_answers_talk_at_the_threshold_of_answers() -> None:
    """p is 0.55 where an utterance closes, 0.7 in the next chunk and 0.95 later, when a sound has to be surer."""
    p = np.zeros(40)
    p[[10, 11, 30]] = 0.55, 0.7, 0.95
    final = {"t": 11 * CHUNK / SAMPLE_RATE_HZ, "final": True}
    row: dict[str, Any] = {"chunk": CHUNK, "p_speak": p.tolist(), "p_act": [0.0] * 40}
    row["topics"] = [str(k) for k in range(40)]
    row["transcripts"] = [final, {"t": 31 * CHUNK / SAMPLE_RATE_HZ, "final": False}]
    easier = odds_between(0.6, 0.5)
    assert easier == pytest.approx(-math.log(1.5))
    assert quiet.alarms_at(row, 0.6) == 2, "the two sounds"
    assert quiet.alarms_at(row, 0.6, easier) == 2, "the answer, behind which the next chunk holds, and the later sound"
    assert quiet.alarms_at(row | {"p_speak": [*p[:11], *[0.0] * 29]}, 0.6, easier) == 1, "the answer alone"
    assert quiet.alarms_at(row | {"p_speak": [*p[:11], *[0.0] * 29]}, 0.68, easier) == 0, "the dial moves both: 0.59"
    assert quiet.alarms_at(row | {"transcripts": []}, 0.6, easier) == 2
    assert quiet.alarms_at(row, math.inf, easier) == 0


def test_curve_falls_and_words_are_counted(corpus: Path, tmp_path: Path) -> None:
    items = quiet.plan(read_index(corpus), 6, 0)
    rows = run("quiet", items, tmp_path, Setup(corpus), hear, workers=0, systems=[FakeSystem("nano", hears_beeps)])
    points = quiet.curve(rows, [])
    rates = [p["false_alarms_hour"] for p in points]
    assert rates == sorted(rates, reverse=True)
    bare = next(r for r in rows if r["item"]["group"] == "room tone")
    bare["transcripts"] = [{"text": "three words here"}]
    assert quiet.score(rows)["nano"]["invented_words"] == 3


def test_the_gate_is_wary_for_a_minute_after_an_alarm() -> None:
    gate = Gate(0.5)
    ends = [(k + 1) * CHUNK for k in range(200)]
    assert gate.fires(0, ends[0], 0.6, "siren")
    assert not gate.fires(20, ends[20], 0.8, "glass"), "log-odds 1.5 above 0.5 is 0.818"
    assert gate.fires(30, ends[30], 0.83, "glass")
    assert not gate.fires(179, ends[179], 0.6, "explosion")
    assert gate.fires(185, ends[185], 0.6, "explosion")


def test_what_sounds_like_an_alarm_of_the_last_minute_is_part_of_it() -> None:
    wind, glass = np.eye(2, dtype=np.float32)
    likes, gate = Likes(), Gate(0.5)
    heard = [likes.hear(glass if k == 50 else wind + 0.5 * glass) for k in range(200)]
    assert int(heard[49], 16) == (1 << 49) - 1
    assert int(heard[50], 16) == 0
    assert len(heard[199]) <= 38, "a minute, no more"
    ends = [(k + 1) * CHUNK for k in range(200)]
    assert gate.fires(0, ends[0], 0.6, "siren", heard[0])
    assert not gate.fires(20, ends[20], 0.99, "gunshot", heard[20])
    assert gate.fires(50, ends[50], 0.99, "glass", heard[50])
    assert not gate.fires(120, ends[120], 0.99, "explosion", heard[120])
    assert gate.fires(199, ends[199], 0.99, "explosion", heard[199]), "a minute after the siren"


def test_television_talks_through_a_small_speaker_in_a_room(corpus: Path) -> None:
    rows = read_index(corpus)
    items = [i for i in quiet.plan(rows, 10, 0) if i.group == "television"]
    assert len(items) == 2
    assert {p.through for i in items for p in i.parts} == {"television"}
    assert {i.respond for i in items} == {"no"}
    heard = {p.path.split("/")[0] for i in items for p in i.parts}
    assert heard <= {"librispeech_train-clean-100_3spk", "fake"}
    times = np.arange(16_000) / 16_000
    levels = {}
    for hz in (60.0, 1000.0, 7900.0):
        tone = (0.1 * np.sin(2 * np.pi * hz * times)).astype(np.float32)
        played = television(tone, 3, "x")
        assert len(played) == len(tone)
        levels[hz] = float(np.sqrt(np.mean(played[4000:] ** 2)))
    assert levels[60.0] < 0.3 * levels[1000.0]
    click = np.zeros(16_000, np.float32)
    click[100] = 0.5
    tail = television(click, 3, "x")[2000:6000]
    assert np.abs(tail).max() > 1e-4, "the room goes on"
    assert np.array_equal(television(click, 3, "x"), television(click, 3, "x"))
    assert not np.array_equal(television(click, 4, "x"), television(click, 3, "x"))
    with pytest.raises(DataError, match="radio"):
        television(click, 3, "x", "radio")
