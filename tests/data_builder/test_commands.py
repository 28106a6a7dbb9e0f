"""`soundflow data` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from typer.testing import CliRunner

from data_builder.cli import app
from data_builder.subtasks import SUBTASKS
from tests.data_builder.conftest import VOICELESS


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, [str(w) for w in words])


def test_build_check_show_stats_remove_export(run, corpus: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out, shares = tmp_path / "out", tmp_path / "shares.json"
    shares.write_text(json.dumps(dict.fromkeys(VOICELESS, 1)))
    options = ("--audio", corpus, "--out", out, "--hours", "0.01", "--workers", 1, "--no-music", "--no-checked")
    made = run("build", *options, "--shares", shares)
    assert made.exit_code == 0, made.output
    for name in ("README.md", "croissant.json", "attribution.csv", "stats.json", "statistics.png", "index.json"):
        assert (out / name).stat().st_size > 100
    assert str(corpus) not in (out / "README.md").read_text()
    checked = run("check", out, "--audio", corpus)
    assert checked.exit_code == 0, checked.output
    assert "0 findings" in checked.output
    counts = json.loads(run("stats", out, "--json").output)
    assert set(counts["subtasks"]) == set(VOICELESS)
    assert "proactive_hazard" in run("stats", out).output
    picture = tmp_path / "deep" / "a.png"
    shown = run("show", out, "--out", picture)
    assert shown.exit_code == 0
    assert picture.stat().st_size > 10_000
    assert picture.with_suffix(".wav").stat().st_size > 10_000
    name = json.loads(shown.output)["id"]
    assert run("remove", out, name).exit_code == 0
    assert run("show", out, name, "--out", picture).exit_code == 2
    assert run("export", out, "--out", tmp_path / "paper", "--to", "paper").exit_code == 0
    streams = (tmp_path / "paper" / "streams.jsonl").read_text().splitlines()
    broken = tmp_path / "paper" / "broken.jsonl"
    broken.write_text("\n".join(["{", streams[0].replace('"turns"', '"torns"'), streams[0]]) + "\n")
    again = run("import", tmp_path / "paper", "--out", tmp_path / "back")
    assert again.exit_code == 0, again.output
    assert f"{len(streams)} dialogues" in again.output
    bad = json.loads((tmp_path / "back" / "quarantine.json").read_text())
    assert {Path(k).name for k in bad} == {"broken.jsonl:1", "broken.jsonl:2", "streams.jsonl:1"}
    assert run("import", tmp_path / "paper", "--out", tmp_path / "back").exit_code == 2
    assert '"dialogues": ' in run("stats", tmp_path / "back", "--json").output
    wrong = run("export", out, "--out", tmp_path / "x", "--to", "mp3")
    assert wrong.exit_code == 2
    assert "expected paper, hf, lhotse" in wrong.output


def test_tasks_lists_all_of_them(run) -> None:  # type: ignore[no-untyped-def]
    shown = run("tasks")
    assert shown.exit_code == 0
    assert all(name in shown.output for name in SUBTASKS)


def test_a_card_and_an_unknown_one(run) -> None:  # type: ignore[no-untyped-def]
    assert "negatives" in run("tasks", "timed").output
    wrong = run("tasks", "singing")
    assert wrong.exit_code == 2
    assert "expected a sub-task of" in wrong.output


def test_clean_reports_its_steps(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    tone = np.concatenate([np.zeros(22_050), 0.5 * np.sin(np.arange(44_100) * 0.1), np.zeros(22_050)])
    sf.write(tmp_path / "a.wav", tone, 44_100)
    report = json.loads(run("clean", tmp_path / "a.wav", tmp_path / "b.flac").output)
    assert abs(report["head_s"] - 0.5) < 0.03
    assert abs(sf.info(tmp_path / "b.flac").duration - 1.0) < 0.05
    same = json.loads(
        run("clean", tmp_path / "a.wav", tmp_path / "c.wav", "--no-silence", "--no-core", "--no-boundary").output
    )
    assert same["steps"] == []
    (tmp_path / "x.wav").write_text("no sound")
    assert run("clean", tmp_path / "x.wav", tmp_path / "y.wav").exit_code == 2


def test_corpora_lists_recipes(run) -> None:  # type: ignore[no-untyped-def]
    shown = run("corpora")
    assert all(name in shown.output for name in ("librispeech", "audioset", "musan", "crema_d"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--audio", "nowhere", "--no-checked"), "index.csv"),
        (("--audio", "nowhere", "--no-checked", "--subtask", "singing"), "singing"),
        (("--audio", "nowhere", "--no-checked", "--shares", "nowhere.json"), "--shares"),
        (("--audio", "nowhere", "--no-checked", "--hours", "-1"), "--hours"),
        (("--audio", "nowhere", "--no-checked", "--workers", "0"), "--workers"),
    ],
)
def test_wrong_options_end_with_a_clear_message(run, tmp_path: Path, words, expected: str) -> None:  # type: ignore[no-untyped-def]
    done = run("build", "--out", tmp_path / "out", *words)
    assert done.exit_code == 2
    assert expected in done.output


def test_a_folder_that_is_no_build_is_said_to_be_none(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for command in ("check", "show", "stats"):
        done = run(command, tmp_path)
        assert done.exit_code == 2, command
        assert "expected" in done.output
