"""What a run's configuration says, which systems a benchmark takes, and what the rules are fitted on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks import rules, runs
from benchmarks.cli import app
from benchmarks.compose import Item
from benchmarks.corpus import read_index
from benchmarks.hear import hear
from benchmarks.runs import Options
from benchmarks.systems import Setup
from soundflow.errors import ConfigError


def config(corpus: Path, out: Path, **more: Any) -> dict[str, Any]:
    o = Options(out, corpus, systems=("rules",), **more)
    runs.heard("x", o, [], runs.setup_of(o), hear)
    body: dict[str, Any] = json.loads((out / "config.json").read_text())
    return body


def test_the_dial_is_in_the_configuration_where_it_is_not_the_default(corpus: Path, tmp_path: Path) -> None:
    assert "proactivity" not in config(corpus, tmp_path / "a"), "old runs stay resumable"
    assert config(corpus, tmp_path / "b", proactivity=0.0)["proactivity"] == 0.0
    assert runs.setup_of(Options(tmp_path, corpus, proactivity=0.0)).proactivity == 0.0


def test_an_ablation_is_of_an_adapter(corpus: Path, tmp_path: Path) -> None:
    o = Options(tmp_path, corpus, systems=("nano-no-tags",))
    runs.heard("x", o, [], runs.setup_of(o), hear)
    assert "sha256" in json.loads((tmp_path / "config.json").read_text())["adapter"]


def test_systems_that_a_benchmark_takes(corpus: Path, tmp_path: Path) -> None:
    o = Options(tmp_path, corpus, systems=("nano", "random", "rules"))
    assert runs.only(o, "nano", "rules").systems == ("nano", "rules")
    with pytest.raises(ConfigError, match="expected some of nano-no-words, got nano, random, rules"):
        runs.only(o, "nano-no-words")
    with pytest.raises(ConfigError, match="nano-no-sound"):
        runs.setup_of(Options(tmp_path, corpus, systems=("nano-no-taste",)))
    done = CliRunner().invoke(app, ["stream", "retention", "--out", str(tmp_path), "--rounds", "one"])
    assert isinstance(done.exception, ConfigError)
    assert "--rounds: expected whole numbers" in str(done.exception)


def test_the_threshold_for_asked_sounds_is_fitted_on_train_once(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Item] = []

    def fake(name: str, items: Sequence[Item], *rest: Any, **more: Any) -> list[dict[str, Any]]:
        heard.extend(items)
        p = {"yes": 0.3, "no": 0.1}
        times = {"chunk": 6400, "onset": 64_000, "offset": 80_000, "evidence_end": 80_000, "decisions": "s" * 30}
        return [{"item": i.to_dict(), "p_speak": [p[i.respond]] * 30, "p_act": [0.0] * 30} | times for i in items]

    monkeypatch.setattr(rules, "run", fake)
    index = read_index(corpus)
    for _ in range(2):
        body = rules.fit_asked(index, Setup(corpus), tmp_path, per_class=2, seed=0, workers=0)
    assert 0.1 < body["threshold"] < 0.3
    assert body["train_balanced_accuracy"] == 1.0
    train = {r.path for r in index if r.split == "train"}
    assert {p.path for i in heard for p in i.parts} <= train
    assert {i.label for i in heard} == {"rain", "dog"}, "classes of training alone"
    assert len(heard) == len({i.id for i in heard}), "the second call reads the file"
