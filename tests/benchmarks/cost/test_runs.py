"""`bench cost`, `bench latency` and `bench capacity` from command to report, on what is tiny."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.cost import cli, runs
from benchmarks.cost.curves import Size
from benchmarks.cost.runs import Wanted
from benchmarks.cost.shapes import Shape
from benchmarks.runs import Options
from benchmarks.serve import capacity
from soundflow.errors import ConfigError, DataError
from tests.decide.tiny import CONFIG

SHAPE = Shape("tiny", CONFIG, held=24)
FEW = {"bf16": (8, 64), "fp32": (8, 64)}
TINY = Wanted(
    Size((8, 16), (1, 2), (), (6, 24), (3, 9), 10), 2, ("bf16", "fp32"), ("fp32",), shape=SHAPE, read_mb=4,
    products=FEW,
)  # fmt: skip


def app() -> typer.Typer:
    made = typer.Typer()
    for name in ("latency", "cost", "capacity"):
        made.command(name)(getattr(cli, name))
    return made


def test_cost_from_points_to_report_and_again_from_the_rows(tmp_path: Path) -> None:
    found = runs.run_cost(Options(tmp_path), TINY)
    figures = found.figures
    assert {(p["numbers"], p["x"]) for p in figures["context"]} == {(n, x) for n in ("bf16", "fp32") for x in (8, 16)}
    assert figures["failed"] == []
    assert all(p["share"][0] > 0 and p["limit_ms"][0] > 0 for p in figures["context"])
    assert [p["x"] for p in figures["naive"]] == [6, 24]
    assert [(p["numbers"], p["x"]) for p in figures["again"]] == [("fp32", 1), ("fp32", 2)], "those of the history"
    assert [len(r["ms"]) for r in found.rows if r["curve"] == "age"] == [5] * 2 * 2 * 2, "ages, numbers, rounds"
    page = (tmp_path / "report.html").read_text()
    assert "Limits of this machine" in page
    assert "the last 4 s of each encoded again" in page
    assert "data:image/png" in page
    body = json.loads((tmp_path / "figures.json").read_text())
    assert body["about"]["machine"]["cores"] >= 1
    assert body["about"]["config"]["weights"] == "random"
    scored = runs.run_cost(Options(tmp_path, score_only=True), TINY)
    assert scored.figures == figures


def test_more_rounds_may_follow_but_not_another_plan(tmp_path: Path) -> None:
    one = Wanted(Size((8,), (), (), ()), 1, ("fp32",), curves=("context",), shape=SHAPE, read_mb=4, products=FEW)
    rows = runs.run_cost(Options(tmp_path), one).rows
    more = Wanted(Size((8,), (), (), ()), 3, ("fp32",), curves=("context",), shape=SHAPE, read_mb=4, products=FEW)
    again = runs.run_cost(Options(tmp_path), more)
    assert again.figures["rounds"] == 3
    assert list(again.rows[: len(rows)]) == list(rows)
    other = Wanted(Size((16,), (), (), ()), 1, ("fp32",), curves=("context",), shape=SHAPE, read_mb=4, products=FEW)
    with pytest.raises(DataError, match="expected the configuration"):
        runs.run_cost(Options(tmp_path), other)


def test_what_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--curves: expected some of context"):
        runs.run_cost(Options(tmp_path), Wanted(curves=("colour",), shape=SHAPE))
    with pytest.raises(ConfigError, match="--numbers"):
        runs.run_cost(Options(tmp_path), Wanted(numbers=("int4",), shape=SHAPE))
    with pytest.raises(ConfigError, match=r"instances\.jsonl with rows of cost"):
        runs.run_cost(Options(tmp_path / "empty", score_only=True))
    for words in (["--streams", "a"], ["--streams", "8,1"], ["--streams", "0,1"]):
        done = CliRunner().invoke(app(), ["capacity", "--out", str(tmp_path), *words])
        assert isinstance(done.exception, ConfigError), done.output
    done = CliRunner().invoke(app(), ["cost", "--out", str(tmp_path), "--numbers", " , "])
    assert isinstance(done.exception, ConfigError)


def test_capacity_keeps_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    climbed = []

    def climb(case: str, counts: list[int], seconds: float) -> list[capacity.Level]:
        climbed.append((case, counts, seconds))
        waits = ((1, 90.0), (8, 700.0))
        return [capacity.Level(case, n, p99 / 2, p99, 1.0, 0.9, 800.0, 20.0, 10.0) for n, p99 in waits]

    monkeypatch.setattr(capacity, "climb", climb)
    monkeypatch.setattr(capacity, "read_bandwidth_gb_s", lambda: 20.0)
    monkeypatch.setattr(capacity, "weight_bytes", lambda case: 100_000_000)
    monkeypatch.setattr(runs, "identity", lambda adapter: {"sha256": "x"})
    found = runs.run_capacity_small(Options(tmp_path), (1, 8), 8.0)
    assert found.figures["most"] == 1
    assert [x["holds"] for x in found.figures["levels"]] == [True, False]
    assert found.figures["levels"][0]["share"] == 0.05, "10 passes a second of 100 MB are 1 of 20 GB/s"
    assert (tmp_path / "capacity.png").read_bytes().startswith(b"\x89PNG")
    assert runs.run_capacity_small(Options(tmp_path), (1, 8), 8.0).figures == found.figures
    assert len(climbed) == 1, "what was measured stays"
    with pytest.raises(ConfigError, match="adapter that ships"):
        runs.run_capacity_small(Options(tmp_path, adapter=tmp_path))


def test_latency_scores_rows_that_are_there(tmp_path: Path) -> None:
    item = {"group": "quiet"}
    spoken = {"group": "spoken"}
    rows = [
        {"id": "a", "system": "nano", "item": item, "chunk": 6400, "samples": 64_000, "wall_s": 0.4, "cpu_s": 0.3,
         "step_ms": [10.0] * 10, "rss_mb": [100.0], "rss_every_chunks": 25, "peak_rss_mb": 120.0, "energy_j": 8.0},
        {"id": "b", "system": "nano", "item": spoken, "decision_ms": 40.0, "token_ms": 100.0, "audio_ms": 600.0,
         "heard_ms": 640.0},
        {"id": "c", "system": "nano", "item": spoken, "error": "the worker died"},
    ]  # fmt: skip
    (tmp_path / "instances.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    done = CliRunner().invoke(app(), ["latency", "--out", str(tmp_path), "--score-only"], catch_exceptions=False)
    assert done.exit_code == 0
    figures = json.loads((tmp_path / "figures.json").read_text())["figures"]
    assert figures["quiet"]["joules_a_second"] == 2.0
    assert figures["quiet"]["rtf"] == 0.1
    assert figures["spoken"]["heard_ms"]["p50"] == 640.0
    assert "1 of 2 alarming sounds were answered aloud (1 failed)" in (tmp_path / "report.md").read_text()
