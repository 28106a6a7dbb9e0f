"""Ratios out of finished runs, by hand; runs that are broken or lack ours; the offline agreement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.corpus import read_index
from benchmarks.peers import catalog, table
from benchmarks.peers.runs import agreement, run_peers, some, written
from benchmarks.peers.table import Compared, compare, licences
from benchmarks.plan import single_events
from benchmarks.runs import Options
from soundflow.errors import ConfigError, DataError


def run(folder: Path, bench: str, figures: Any, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"bench": bench}))
    (folder / "figures.json").write_text(json.dumps({"about": {}, "figures": figures}))
    (folder / "instances.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return folder


def row(system: str, wall_s: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"id": "a", "system": system, "samples": 32_000, "wall_s": wall_s} | more


def proactive(balanced: list[float], delay: float) -> dict[str, Any]:
    return {"all": {"balanced_accuracy": balanced}, "delay_s": {"median": delay}}


def test_ratios_are_written_in_our_favour_and_a_peer_that_wins_is_named(tmp_path: Path) -> None:
    events = {"20": {"nano": proactive([0.9, 0.85, 0.95], 0.6), "cascade": proactive([0.5, 0.5, 0.5], 0.3)}}
    one = run(tmp_path / "p", "proactive", events, [row("nano", 0.5), row("cascade", 0.25)])
    words = {
        "all": {
            "nano": {"wer": [0.1, 0.05, 0.15], "laal": [1.5, 1.0, 2.0]},
            "vosk": {"wer": [0.12, 0.08, 0.2]},
            "whole": {"wer": [0.05, 0.0, 0.1]},
        }
    }
    two = run(tmp_path / "w", "asr", words, [row("nano"), row("vosk"), row("whole")])
    found = {(c.peer, c.metric): c for c in compare([one, two])}
    assert set(found) == {
        ("cascade", "balanced accuracy"),
        ("cascade", "delay s"),
        ("cascade", "compute s / audio s"),
        ("vosk", "WER"),
    }
    accuracy, delay = found["cascade", "balanced accuracy"], found["cascade", "delay s"]
    assert (accuracy.ratio, accuracy.verdict) == (pytest.approx(1.8), "ours")
    assert (delay.ratio, delay.verdict) == (pytest.approx(0.5), "the peer wins")
    cost = found["cascade", "compute s / audio s"]
    assert (cost.ours[0], cost.theirs[0], cost.ratio) == (0.25, 0.125, 0.5)
    wer = found["vosk", "WER"]
    assert (wer.ratio, wer.verdict) == (pytest.approx(1.2), "ours (intervals overlap)")
    shown = table.table(list(found.values()))
    assert ["cascade", "p", "delay s", "0.60", "0.30", "0.50", "the peer wins"] in [list(r) for r in shown.rows]
    assert ["vosk", "w", "WER", "0.100 [0.050, 0.150]", "0.120 [0.080, 0.200]", "1.20", "ours (intervals overlap)"] in [
        list(r) for r in shown.rows
    ]


def test_nothing_is_divided_by_zero_and_equal_is_equal() -> None:
    same = Compared("r", "asr", "WER", "x", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), False)
    assert (same.ratio, same.verdict) == (None, "equal")
    perfect = Compared("r", "asr", "WER", "x", (0.0, 0.0, 0.0), (0.1, 0.1, 0.1), False)
    assert (perfect.ratio, perfect.verdict) == (None, "ours")
    before = Compared("r", "proactive", "delay s", "x", (0.1, 0.1, 0.1), (-0.2, -0.2, -0.2), False)
    assert (before.ratio, before.verdict) == (None, "the peer wins")
    assert table._value([0.1, float("nan"), 0.2]) is None
    assert table._value(True) is None


def test_a_run_that_is_not_finished_or_without_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: expected config.json and figures.json"):
        compare([tmp_path / "empty"])
    broken = run(tmp_path / "broken", "asr", {}, [])
    (broken / "figures.json").write_text("{")
    with pytest.raises(DataError, match="broken"):
        compare([broken])
    listed = run(tmp_path / "listed", "asr", [], [])
    with pytest.raises(DataError, match="an object of figures"):
        compare([listed])
    alone = run(tmp_path / "alone", "asr", {"all": {"vosk": {"wer": 0.1}}}, [row("vosk")])
    with pytest.raises(ConfigError, match="in which nano and another system"):
        compare([alone])


def test_the_offline_one_is_compared_up_to_the_first_answer() -> None:
    def heard(system: str, name: str, decisions: str, p: list[float], wall_s: float) -> dict[str, Any]:
        return {
            "id": name,
            "system": system,
            "decisions": decisions,
            "p_speak": p,
            "p_act": [0.0] * len(p),
            "wall_s": wall_s,
        }

    rows = [
        heard("nano", "a", "ssSs", [0.1, 0.2, 0.9, 0.1], 1.0),
        heard("offline-lalm", "a", "ssSS", [0.1, 0.25, 0.9, 0.9], 6.0),
        heard("nano", "b", "sss", [0.1, 0.1, 0.1], 1.0),
        heard("offline-lalm", "b", "sSs", [0.1, 0.6, 0.1], 4.0),
        {"id": "c", "system": "offline-lalm", "error": "x"},
    ]
    found = agreement(rows)
    assert found == {"chunks": 5, "decided_alike": 0.8, "most_apart": 0.5, "time_ratio": 5.0, "failed": 1}


def test_a_run_without_parts_is_refused_and_a_report_is_written(tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(ConfigError, match="a size above 0"):
        run_peers(Options(tmp_path, corpus), 0, 0, 0, 0)
    items = some(single_events(read_index(corpus), "dev", 1, 0, (20.0,)), 4)
    assert [i.respond for i in items] == ["yes", "no", "yes", "no"]
    figures = {"20": {"nano": proactive([0.9, 0.85, 0.95], 0.6), "rules": proactive([0.8, 0.7, 0.9], 0.6)}}
    folder = run(tmp_path / "p", "proactive", figures, [row("nano"), row("rules")])
    result = written(tmp_path / "out", [folder], {})
    page = (tmp_path / "out" / "report.md").read_text()
    assert "| rules | p | balanced accuracy | 0.900 [0.850, 0.950] |" in page
    assert "non-commercial" in page
    assert result.figures["compared"][0]["better"] == "ours (intervals overlap)"


def test_the_licences_name_every_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = licences()
    assert [r[0] for r in shown.rows] == list(catalog.NAMES)
    assert all(len(r) == len(shown.columns) for r in shown.rows)
