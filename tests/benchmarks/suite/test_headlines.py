"""The first table shows ours beside each system, and nothing where there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.suite import headlines
from benchmarks.suite.parts import PARTS, named
from soundflow.errors import ConfigError


def test_ours_beside_the_others() -> None:
    values = {"nano": [0.91, 0.88, 0.94], "rules": 0.85, "random": None, "peer": [None, None, None]}
    assert headlines.beside("x", values) == [("x", "0.91 [0.88, 0.94]", "rules 0.85")]
    assert headlines.beside("x", {"nano": [0.5, 0.4, 0.6]}) == [("x", "0.50 [0.40, 0.60]", "-")]
    assert headlines.beside("x", {"rules": 0.85}) == []


def test_of_systems_goes_down_a_path() -> None:
    figures = {"nano": {"a": {"b": 1}}, "rules": {"a": None}, "random": {}}
    assert headlines.of_systems(figures, "a", "b") == {"nano": 1, "rules": None, "random": None}


def test_proactive_and_tasks() -> None:
    figures = {
        "20": {s: {"all": {"balanced_accuracy": b, "respond_recall": b}} for s, b in (("nano", 0.9), ("r", 0.5))}
    }
    assert [r[:2] for r in headlines.proactive(figures)] == [
        ("balanced accuracy, 20 dB", "0.90"),
        ("respond recall, 20 dB", "0.90"),
    ]
    some = {"systems": {"nano": {"abilities": {"asr": {"balanced_accuracy": 0.7}}}, "nano-no-memory": {}}}
    assert headlines.tasks(some) == [("asr: balanced", "0.70", "-")]


def test_parts_by_name() -> None:
    assert [p.name for p in named("quiet, proactive")] == ["proactive", "quiet"]
    for wrong in ("quite", ","):
        with pytest.raises(ConfigError, match="--only"):
            named(wrong)
    assert len({p.name for p in PARTS}) == len(PARTS)


def test_the_command_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOUNDFLOW_AUDIO", raising=False)
    done = CliRunner().invoke(app, ["all", "--out", str(tmp_path)])
    assert isinstance(done.exception, ConfigError)
    assert "SOUNDFLOW_AUDIO" in str(done.exception)
    done = CliRunner().invoke(app, ["all", "--out", str(tmp_path), "--only", "nothing"])
    assert isinstance(done.exception, ConfigError)
