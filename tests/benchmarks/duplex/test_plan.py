"""The composed set: where pauses go, what each sample is made of, and what makes it fail."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compose import Part
from benchmarks.corpus import Clips, read_index
from benchmarks.duplex import lines, plan, scene, texts
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.duplex.voices import tone_lines
from tests.benchmarks.fakes import beeps, hiss


def test_gaps_are_found_and_a_pause_goes_into_the_longest() -> None:
    quiet = np.zeros(SAMPLE_RATE_HZ // 10, np.float32)
    audio = np.concatenate([beeps(0.5), quiet, beeps(0.5), quiet, quiet, beeps(0.9)])
    assert plan.gaps(audio) == [(8000, 9600), (17_600, 20_800)]
    assert plan.split_at(audio, 0.0, 1.0) == 19_200
    assert plan.split_at(audio, 0.0, 0.4) == 8800
    assert plan.gaps(beeps(1.0)) == []
    dip = hiss(2.0)
    dip[16_000:16_800] *= 0.5
    assert abs(plan.split_at(dip, 0.3, 0.7) - 16_400) < 200, "without a gap the quietest 50 ms"


def test_both_halves_of_a_paused_clip_keep_their_gain() -> None:
    audio = np.concatenate([0.5 * hiss(1.0), 0.1 * hiss(1.0)])
    first, second = plan._levels(audio, 16_000, -22.0)
    assert first - second == pytest.approx(20 * np.log10(5), abs=0.05)


def test_the_plan_is_whole_and_repeats(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "READ_S", (1.5, 7.0))
    monkeypatch.setattr(plan, "LISTEN_S", (3.0, 14.0))
    rows, said = read_index(corpus), tone_lines(tmp_path / "v")
    items = plan.plan(rows, Clips(corpus), said, 2, 5, plan.SCENARIOS)
    again = plan.plan(rows, Clips(corpus), said, 2, 5, plan.SCENARIOS)
    assert [i.to_dict() for i in items] == [i.to_dict() for i in again]
    assert len({i.id for i in items}) == len(items)
    counts = {g: sum(i.group == g for i in items) for g in plan.SCENARIOS}
    assert counts == {"pause": 4, "listening": 1} | dict.fromkeys(plan.SCENARIOS[2:], 2), "the corpus has one long clip"
    other = plan.plan(rows, Clips(corpus), said, 2, 6, plan.SCENARIOS)
    assert {i.facts.get("pause_s") for i in items} != {i.facts.get("pause_s") for i in other}
    for item in items:
        s = scene.script(item, Clips(corpus), 6400)
        assert len(s.audio) % 6400 == 0
        if item.group == "pause":
            (_, a), (b, end) = s.user
            assert (b - a) / SAMPLE_RATE_HZ == pytest.approx(item.facts["pause_s"], abs=1e-3)
            assert plan.PAUSE_S[0] <= item.facts["pause_s"] <= plan.PAUSE_S[1]
            assert end <= len(s.audio) - SAMPLE_RATE_HZ * plan.END_S
        if item.group in plan.OVERLAPS:
            assert s.say in texts.GIVEN
            assert len(s.over) > 0
            assert not s.user
            assert plan.AFTER_S[0] <= s.after / SAMPLE_RATE_HZ <= plan.AFTER_S[1]
    assert len({i.facts["after_s"] for i in items if i.group in plan.OVERLAPS}) == 8, (
        "not always at one place of a chunk"
    )


def test_parts_lie_one_behind_the_other(corpus: Path, tmp_path: Path) -> None:
    line = tone_lines(tmp_path / "v")[texts.BACKCHANNELS[0]][0]
    parts = [Part(line.path, 0.5, 0.0, 15.0, -22.0), Part(line.path, 0.25, 0.0, 15.0, -22.0, "television")]
    audio, spans = scene.laid(parts, Clips(corpus), 1)
    size = int(1.8 * SAMPLE_RATE_HZ)
    assert spans == [(8000, 8000 + size), (12_000 + size, 12_000 + 2 * size)]
    assert len(audio) == 12_000 + 2 * size
    assert not audio[:8000].any()
    assert Part(**asdict(parts[1])) == parts[1]


def test_what_is_missing_is_named(corpus: Path, tmp_path: Path) -> None:
    said = tone_lines(tmp_path / "v")
    with pytest.raises(ConfigError, match="pause, listening"):
        plan.plan([], Clips(corpus), said, 1, 0, ["gossip"])
    with pytest.raises(DataError, match="dev speech"):
        plan.plan([], Clips(corpus), said, 1, 0, ["pause"])


def test_lines_of_other_voices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"index\.csv"):
        lines.spoken(tmp_path)
    head = "path,text,voice\n"
    every = list(dict.fromkeys(texts.lines()))
    body = "".join(f'{k}.wav,"{text}",v\n' for k, text in enumerate(every))
    (tmp_path / "index.csv").write_text(head + body)
    found = lines.spoken(tmp_path)
    assert found[every[3]][0].path == str((tmp_path / "3.wav").resolve())
    (tmp_path / "index.csv").write_text(head + body[: body.rindex("\n", 0, -1) + 1])
    with pytest.raises(ConfigError, match="1 are missing"):
        lines.spoken(tmp_path)


def test_lines_are_told_apart() -> None:
    assert texts.paused_line(0) == "Could you tell me, which season comes before summer?"
    assert texts.break_in(0) == "Wait, which season comes before summer?"
    assert len({q for q, _ in texts.QUESTIONS}) == 30
