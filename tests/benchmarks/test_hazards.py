"""Hazards and calibration, by hand-made rows: recall at a budget of alarms, errors of probabilities, the dial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import calibration, decisions, hazards, tables
from benchmarks.cli import app
from benchmarks.runs import Options
from soundflow import SAMPLE_RATE_HZ
from soundflow.decide.policy import dial
from soundflow.errors import ConfigError
from soundflow.scoring import calibration_error

CHUNK = 6400


def event(
    label: str, p: float, respond: str = "yes", fired: int | None = None, name: str = "", snr: float = 20.0
) -> Any:
    """A sound from 4.0 to 5.0 s in 12 s; p in chunk 12, 0.01 elsewhere; due at 5.18 s: chunk 12."""
    speak = [0.01] * 30
    speak[12] = p
    said = "".join("S" if k == fired else "s" for k in range(30))
    item = {"respond": respond, "label": label, "group": "event", "source": name or f"{label}{p}", "seconds": 12.0}
    item["facts"] = {"snr": snr}
    where = {"chunk": CHUNK, "onset": 64_000, "offset": 80_000, "evidence_end": 80_000}
    body = {"p_speak": speak, "p_act": [0.0] * 30, "decisions": said, "topics": [], "likes": []}
    return {"id": f"{label}{p}{name}{snr}", "system": "nano", "item": item} | where | body


def calm(p: float, group: str = "ambience", fired: bool = False, name: str = "") -> Any:
    """A minute in which nothing is wanted; p in chunk 50."""
    speak = [0.01] * 150
    speak[50] = p
    said = "".join("S" if fired and k == 50 else "s" for k in range(150))
    item = {"respond": "no", "label": group, "group": group, "source": name or f"{group}{p}", "seconds": 60.0}
    body = {"p_speak": speak, "p_act": [0.0] * 150, "decisions": said, "topics": [], "likes": [], "chunk": CHUNK}
    return {"id": f"{group}{p}{name}", "system": "nano", "item": item} | body


EVENTS = [
    *(event("alarm", p, fired=12 if p > 0.4 else None) for p in (0.3, 0.5, 0.7, 0.9)),
    *(event("siren", p, fired=12) for p in (0.8, 0.9)),
    event("crying_baby", 0.6, fired=12),
    event("rain", 0.2, "no"),
]
STILL = [calm(p, fired=p > 0.4) for p in (0.1, 0.2, 0.45, 0.65)] + [calm(0.99, "room tone", fired=True)]


def test_recall_at_the_default_dial_and_within_the_budget() -> None:
    body = hazards.score(EVENTS, STILL, budget=20.0, draws=100)["20"]["nano"]
    assert body["hours"] == pytest.approx(4 / 60, abs=1e-3), "room tone would only thin the alarms"
    assert body["default"]["false_alarms_hour"][0] == pytest.approx(30.0)
    assert body["default"]["hazards"][0] == pytest.approx((0.75 + 1.0) / 2), "macro-averaged"
    assert body["default"]["distress"][0] == 1.0
    assert 0.45 < body["within"]["threshold"] <= 0.65
    assert body["within"]["false_alarms_hour"][0] == pytest.approx(15.0)
    assert body["within"]["hazards"][0] == pytest.approx((0.5 + 1.0) / 2)
    assert body["within"]["false_alarms_hour"][2] > 15.0, "the upper end is reported"
    assert set(body["by_class"]) == {"alarm", "siren", "crying_baby"}
    assert body["by_class"]["alarm"]["within"][0] == 0.5


def test_no_alarm_has_an_upper_end_and_a_failed_stream_always_alarms() -> None:
    body = hazards.score(EVENTS, [calm(0.2), calm(0.3)], budget=0.0, draws=50)["20"]["nano"]
    assert body["within"]["false_alarms_hour"] == [0.0, 0.0, 90.0], "3 / hours"
    assert 0.2 < body["within"]["threshold"] <= 0.3001
    broken = calm(0.2, name="x") | {"error": "it broke"}
    assert hazards.score(EVENTS, [calm(0.1), broken], budget=20.0, draws=50)["20"]["nano"]["within"] is None


def test_rows_without_answers_are_fired_by_the_default_threshold() -> None:
    silent = [r | {"decisions": "s" * len(r["decisions"])} for r in EVENTS]
    quiet = [r | {"decisions": "s" * len(r["decisions"])} for r in STILL]
    default = hazards.score(silent, quiet, draws=50, unheard=0.4)["20"]["nano"]["default"]
    assert default == hazards.score(EVENTS, STILL, draws=50)["20"]["nano"]["default"]
    assert hazards.score(silent, quiet, draws=50)["20"]["nano"]["default"]["hazards"][0] == 0.0


def test_hazards_say_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="alarm, siren"):
        hazards.score([event("rain", 0.1, "no")], STILL)
    with pytest.raises(ConfigError, match="ambience, music"):
        hazards.score(EVENTS, [calm(0.1, "room tone")])


def test_plain_chunks_by_hand() -> None:
    found = calibration.plain_chunks(event("alarm", 0.7))
    assert found == [(0.01, 0)] * 10 + [(0.7, 1)], "ten before the onset, and the due one"
    early = event("alarm", 0.7, fired=11)
    early["p_speak"][11] = 0.4
    assert calibration.plain_chunks(early)[-1] == (0.4, 1), "the chunk of the answer stands for the due one"
    assert calibration.plain_chunks(event("alarm", 0.7, fired=13))[-1] == (0.7, 1)
    assert len(calibration.plain_chunks(event("rain", 0.2, "no"))) == 30
    assert calibration.plain_chunks(event("dog", 0.2, "context")) == []
    assert calibration.plain_chunks(event("alarm", 0.7) | {"error": "x"}) == []


def test_chunks_of_a_dialogue_by_hand() -> None:
    speech = {"id": "s0", "text": "What time is it?", "language": "en", "emotion": ""}
    response = {"kind": "speak", "due_chunk": 12, "evidence_end": 64_000, "clock": "endpoint", "trigger": "s0"}
    response |= {"text": "Ten.", "call": None, "refers_to": None}
    row = event("chat_single", 0.3)
    row["item"] |= {"group": "chat", "tools": "", "facts": {"speech": [speech], "events": [], "responses": [response]}}
    row["item"]["facts"]["chunk"] = CHUNK
    row["p_speak"][14] = 0.8
    row["transcripts"] = [{"t": 6.0, "text": "what time is it"}]
    assert calibration.dialogue_chunks(row) == [(0.01, 0)] * 10 + [(0.8, 1)], "the turn closed in chunk 14"
    row["transcripts"] = []
    assert calibration.dialogue_chunks(row)[-1] == (0.3, 1)
    row["item"]["facts"]["responses"] = []
    assert calibration.dialogue_chunks(row) == [(p, 0) for p in row["p_speak"]]


def points(p: np.ndarray, right: np.ndarray) -> calibration.Points:
    return calibration.Points(p, right.astype(float), np.arange(len(p)) // 10)


def test_true_probabilities_have_a_small_error_and_bold_ones_a_large_one() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    right = rng.random(20_000) < p
    honest = calibration.errors(points(p, right), draws=20)
    assert honest["equal_mass"][0] < 0.02
    assert honest["equal_width"][0] < 0.02
    bold = calibration.errors(points(np.round(p), right), draws=20)
    assert bold["equal_width"][0] == pytest.approx(0.25, abs=0.02)
    assert bold["equal_width"][1] <= bold["equal_width"][0] <= bold["equal_width"][2]
    assert sum(b["count"] for b in honest["reliability"]) == 20_000
    assert honest["equal_mass"][0] == pytest.approx(calibration_error(p, right.astype(float), 15), abs=1e-4)


def test_width_error_by_hand() -> None:
    p, right = np.array([0.05, 0.05, 0.95, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    # Bin 0: 2 points, mean p 0.05, half right: 0.45; bin 9: 2 points, 0.975 against 1: 0.025; mean of four points.
    assert calibration.width_error(p, right) == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def test_the_dial_trades_recall_for_alarms() -> None:
    curve = calibration.dial_curve(EVENTS, STILL, 0.4)
    by = {p["dial"]: p for p in curve}
    assert by[0.0]["threshold"] is None
    assert (by[0.0]["respond_recall"], by[0.0]["silent_recall"], by[0.0]["false_alarms_hour"]) == (0.0, 1.0, 0.0)
    assert (by[1.0]["respond_recall"], by[1.0]["silent_recall"]) == (1.0, 0.0)
    assert by[0.5]["threshold"] == pytest.approx(0.4)
    assert by[0.75]["threshold"] == pytest.approx(dial(0.4, 0.75), abs=1e-5)
    for key, sign in (("respond_recall", 1), ("silent_recall", -1), ("false_alarms_hour", 1)):
        steps = np.diff([p[key] for p in curve])
        assert (sign * steps >= 0).all(), key


def keep(folder: Path, rows: list[Any], **config: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "instances.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (folder / "config.json").write_text(json.dumps({"adapter": {"speak_threshold": 0.4}} | config))
    return folder


def test_from_folders_to_reports(tmp_path: Path) -> None:
    events, still = keep(tmp_path / "pro", EVENTS), keep(tmp_path / "quiet", STILL)
    words = ["hazards", "--out", str(tmp_path / "h"), "--proactive", str(events), "--quiet", str(still)]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    assert "within" in (tmp_path / "h" / "figures.json").read_text()
    figures = decisions.run_calibration(Options(tmp_path / "c"), events, still, None).figures
    for name in ("h", "c"):
        assert (tmp_path / name / "report.html").is_file()
        assert "instances_sha256" in json.loads((tmp_path / name / "config.json").read_text())["sources"]["quiet"]
    assert set(figures) == {"chunk", "likely chunk", "stream, 20 dB", "dial"}
    assert figures["stream, 20 dB"]["points"] == len(EVENTS)
    assert (tmp_path / "c" / "dial.png").read_bytes()[:4] == b"\x89PNG"
    assert len(tables.calibration(figures)[1].rows) == len(calibration.DIALS)


def test_an_answer_to_talk_that_was_not_for_us_counts_within_the_budget(tmp_path: Path) -> None:
    """Six utterances in a minute, of which each is answered at 0.3; alone the sounds would be within the budget."""
    closed = [{"t": (k + 1) * CHUNK / SAMPLE_RATE_HZ, "final": True} for k in range(10, 130, 20)]
    talk = calm(0.0) | {"id": "talk", "transcripts": closed}
    talk["p_speak"] = [0.3 if k % 20 == 10 and k < 130 else 0.0 for k in range(len(talk["p_speak"]))]
    found = {}
    for name, own in (("apart", {"answer_threshold": 0.25}), ("alike", {})):
        adapter = {"speak_threshold": 0.4} | own
        there = tmp_path / name
        there.mkdir()
        events = keep(there / "proactive", [event("siren", 0.5)], adapter=adapter)
        still = keep(there / "quiet", [talk], adapter=adapter)
        found[name] = decisions.run_hazards(Options(there / "h"), events, still).figures["20"]["nano"]["within"]
    assert found["alike"]["threshold"] == pytest.approx(0.3, abs=0.001)
    assert found["apart"]["threshold"] > 0.3
    assert found["apart"]["false_alarms_hour"][0] == 0.0


def test_runs_of_two_adapters_or_dials_are_refused(tmp_path: Path) -> None:
    events = keep(tmp_path / "pro", EVENTS)
    other = keep(tmp_path / "quiet", STILL, adapter={"speak_threshold": 0.5}, proactivity=0.0)
    with pytest.raises(ConfigError, match=r"\[0.4, 0.5\]"):
        decisions.run_calibration(Options(tmp_path / "c"), events, other, None)
    with pytest.raises(ConfigError, match="one dial"):
        decisions.run_hazards(Options(tmp_path / "h"), events, other)


def test_rows_heard_without_answering_are_judged_with_the_second_look_of_their_adapter(tmp_path: Path) -> None:
    """A siren whose p stays low, and whose end says that it was one."""
    late = event("siren", 0.1) | {"wholes": [[14, 4.0, 0.0, 12]]}
    adapter = {"speak_threshold": 0.5, "second_look": [1.0, 1.0, 0.0, -2.0]}
    for name, looks in (("with", adapter), ("without", {"speak_threshold": 0.5})):
        there = tmp_path / name
        there.mkdir()
        events = keep(there / "proactive", [late], adapter=looks, proactivity=0.0)
        still = keep(there / "quiet", [calm(0.1)], adapter=looks, proactivity=0.0)
        found = decisions.run_hazards(Options(there / "h"), events, still).figures
        assert found["20"]["nano"]["default"]["hazards"][0] == (1.0 if name == "with" else 0.0)
