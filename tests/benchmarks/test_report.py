"""The page is self-contained; tables say the same in all forms; workers survive a crash."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import charts, instances, proactive, quiet, report, runs, tables
from benchmarks.cli import app
from benchmarks.compose import Item, render
from benchmarks.corpus import Clips, read_index
from benchmarks.hear import Shop, Tick, failed, hear
from benchmarks.instances import Row
from benchmarks.plan import single_events
from benchmarks.report import Picture, Section
from benchmarks.runs import Options
from benchmarks.systems import Setup, Trivial
from benchmarks.workers import Progress, run
from soundflow.errors import ConfigError
from tests.benchmarks.fakes import FakeSystem, hears_beeps, loud


def test_page_of_fake_figures(corpus: Path, tmp_path: Path) -> None:
    index = read_index(corpus)
    systems = [FakeSystem("nano", hears_beeps), FakeSystem("rules", loud), Trivial("always-silent")]
    events = single_events(index, "dev", 2, 0, (20.0,))
    rows = run("e", events, tmp_path / "proactive", Setup(corpus), hear, workers=0, systems=systems)
    calm = quiet.plan(index, 6, 0)
    run("q", calm, tmp_path / "quiet", Setup(corpus), hear, workers=0, systems=systems[:2])
    result = runs.run_quiet(Options(tmp_path / "quiet", score_only=True))
    assert [p.name for p in result.section.pictures] == ["recall_alarms"]
    assert result.figures["nano"]["recall"] == 1.0
    figures = proactive.score(rows, 20)
    row = next(r for r in rows if r["system"] == "nano" and r["item"]["respond"] == "yes")
    drawn = render(Item.from_dict(row["item"]), Clips(corpus), row["chunk"])
    pictures = [
        Picture("timeline", "One <item>", charts.timeline(row, drawn, 0.5, "alarm")),
        Picture("steps", "Steps", charts.step_times([40.0, 50.0, 60.0], 400.0)),
        Picture("classes", "Classes", charts.classes(figures["20"])),
    ]
    section = Section("Events", tables.proactive(figures), pictures)
    report.write(tmp_path, "A & B", [section, result.section], figures, report.facts({"seed": 0}))
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "A &amp; B" in page
    assert "One &lt;item&gt;" in page
    assert "| nano |" in (tmp_path / "report.md").read_text()


def test_cli_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOUNDFLOW_AUDIO", raising=False)
    for name in ("proactive", "quiet", "watch", "acts", "asr", "latency", "echo", "quick"):
        done = CliRunner().invoke(app, [name, "--out", str(tmp_path / name)])
        assert isinstance(done.exception, ConfigError), name
        assert "SOUNDFLOW_AUDIO" in str(done.exception)
    done = CliRunner().invoke(app, ["proactive", "--out", str(tmp_path), "--snr", "loud"])
    assert isinstance(done.exception, ConfigError)
    done = CliRunner().invoke(app, ["asr", "--out", str(tmp_path), "--score-only"])
    assert isinstance(done.exception, ConfigError)


def test_progress_says_when_it_will_end() -> None:
    progress = Progress("x", 100.0, clock=lambda: 0.0)
    progress.add(25.0)
    assert progress.line(50.0) == "x  25 of 100 s of audio (25%), 50 s gone, about 150 s left"


def crashes(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """Stands in for a system that takes its process down on one item."""
    if item.label == "rain":
        os._exit(7)
    tick(1.0)
    return [failed(item, name, "") | {"error": None} for name in names]


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_item(corpus: Path, tmp_path: Path) -> None:
    items = [i for i in single_events(read_index(corpus), "dev", 1, 0, (20.0,)) if i.group == "event"]
    rows = run("c", items, tmp_path, Setup(corpus, ("nano",)), crashes, workers=2)
    assert len(rows) == len(items)
    broken = [r for r in rows if r["error"]]
    assert [r["item"]["label"] for r in broken] == ["rain"]
    assert "code 7" in broken[0]["error"]
    assert len(instances.read(tmp_path)) == len(items)
