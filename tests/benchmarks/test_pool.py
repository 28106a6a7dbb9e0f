"""Runs of different seeds are one: ids apart, recordings the same; what is no such pair is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks import decisions, instances
from benchmarks.cli import app
from benchmarks.options import Options
from benchmarks.pool import pool
from soundflow.errors import ConfigError
from tests.benchmarks.test_hazards import EVENTS, STILL


def _run(folder: Path, rows: list[Any], seed: int, **config: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "instances.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    own = {"bench": "proactive", "seed": seed, "plan": f"p{seed}", "adapter": {"speak_threshold": 0.4}}
    (folder / "config.json").write_text(json.dumps(own | config))
    return folder


def test_two_draws_make_one_run_whose_recordings_are_drawn_together(tmp_path: Path) -> None:
    pro = [_run(tmp_path / f"p{k}", EVENTS, k) for k in (0, 1)]
    still = [_run(tmp_path / f"q{k}", STILL, k, bench="quiet") for k in (0, 1)]
    for name, runs in (("p", pro), ("q", still)):
        done = CliRunner().invoke(app, ["pool", *map(str, runs), "--out", str(tmp_path / name)], catch_exceptions=False)
        assert done.exit_code == 0
        assert "rows of 2 runs" in done.stdout
    rows = instances.read(tmp_path / "p")
    assert len(rows) == 2 * len(EVENTS)
    assert {r["id"].rsplit("@", 1)[1] for r in rows} == {"0", "1"}
    assert {r["item"]["source"] for r in rows} == {r["item"]["source"] for r in EVENTS}
    one = decisions.run_hazards(Options(tmp_path / "h1"), pro[0], still[0]).figures["20"]["nano"]
    both = decisions.run_hazards(Options(tmp_path / "h2"), tmp_path / "p", tmp_path / "q").figures["20"]["nano"]
    assert both["default"]["hazards"] == one["default"]["hazards"]
    assert both["hours"] == pytest.approx(2 * one["hours"], abs=0.002)
    assert both["sources"] == one["sources"]


def test_what_differs_in_more_than_its_seed_is_refused(tmp_path: Path) -> None:
    first = _run(tmp_path / "a", EVENTS, 0)
    other = _run(tmp_path / "b", EVENTS, 1, adapter={"speak_threshold": 0.5})
    again = _run(tmp_path / "c", EVENTS, 0)
    empty = _run(tmp_path / "d", [], 1)
    for runs, message in (
        ([first], "two runs"),
        ([first, other], "adapter"),
        ([first, again], "each seed once"),
        ([first, empty], "a run with instances.jsonl"),
    ):
        with pytest.raises(ConfigError, match=message):
            pool(runs, tmp_path / "out")
    assert not (tmp_path / "out").exists()
