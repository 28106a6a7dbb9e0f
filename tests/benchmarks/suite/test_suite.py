"""A suite goes on behind a part that fails, resumes at the same sizes, and says what it left out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import Section
from benchmarks.runs import Options, Result
from benchmarks.suite.budget import Size
from benchmarks.suite.run import STATE, Headline, Part, run_all
from benchmarks.tables import Table
from soundflow.errors import ConfigError, DataError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def headline(figures: Mapping[str, Any]) -> list[Headline]:
    return [("scale", f"{figures['scale']:.2f}", "always-silent 0.50")]


def part(name: str, size: Size, clock: Clock, seen: list[tuple[str, float]], slow: float = 1.0) -> Part:
    def go(o: Options, scale: float) -> Result:
        assert o.out.name == name
        seen.append((name, scale))
        clock.now += 60 * size.minutes(scale) * slow
        return Result({"scale": scale}, Section(name, [Table(name, ("a",), [("b",)])], []), [])

    return Part(name, size, go, headline)


def failing(name: str, error: Exception) -> Part:
    def go(o: Options, scale: float) -> Result:
        raise error

    return Part(name, Size(1.0, 1.0), go, headline)


def run(parts: list[Part], out: Path, minutes: float, clock: Callable[[], float], seed: int = 0) -> Any:
    return run_all(parts, Options(out, seed=seed), minutes, out=io.StringIO(), clock=clock)


def test_page_has_all_parts_and_a_failure_is_one_of_them(tmp_path: Path) -> None:
    clock, seen = Clock(), list[tuple[str, float]]()
    parts = [
        part("a", Size(0, 10), clock, seen),
        failing("b", DataError("no such clip", "x.wav")),
        part("c", Size(0, 10), clock, seen),
        failing("d", ZeroDivisionError("a bug")),
    ]
    ran = run(parts, tmp_path, 100, clock)
    assert [r.state for r in ran.values()] == ["done", "failed", "done", "failed"]
    assert seen == [("a", 1.0), ("c", 1.0)]
    page, body = (tmp_path / "report.html").read_text(), json.loads((tmp_path / "figures.json").read_text())
    assert "x.wav: no such clip" in page
    assert "ZeroDivisionError: a bug" in page
    assert "always-silent 0.50" in page
    assert set(body["figures"]) == {"a", "c"}
    assert body["about"]["parts"]["b"]["state"] == "failed"


def test_slow_parts_make_the_next_ones_smaller_and_the_last_ones_go(tmp_path: Path) -> None:
    clock, seen = Clock(), list[tuple[str, float]]()
    parts = [
        part("a", Size(0, 10), clock, seen, 4.0),
        part("b", Size(0, 10), clock, seen, 4.0),
        part("c", Size(20, 0), clock, seen, 4.0),
    ]
    ran = run(parts, tmp_path, 80, clock)
    assert seen[0] == ("a", 1.0)
    assert seen[1] == ("b", pytest.approx(0.9, abs=0.01))
    assert (ran["c"].state, ran["c"].scale) == ("left out", 0.0)
    assert "of the budget were left" in (tmp_path / "report.html").read_text()
    assert clock.now <= 80 * 60


def test_a_resumed_suite_keeps_its_sizes(tmp_path: Path) -> None:
    clock, seen = Clock(), list[tuple[str, float]]()
    first = [part("a", Size(0, 30), clock, seen), failing("b", DataError("down")), part("c", Size(0, 30), clock, seen)]
    run(first, tmp_path, 30, clock)
    sizes = dict(seen)
    assert sizes["a"] < 1
    seen.clear()
    clock.now = 0.0
    again = [part(n, Size(0, 30), clock, seen) for n in "abc"]
    ran = run(again, tmp_path, 500, clock)
    assert dict(seen)["a"] == sizes["a"]
    assert dict(seen)["c"] == sizes["c"]
    assert [r.state for r in ran.values()] == ["done"] * 3


def test_state_of_another_suite_and_broken_state(tmp_path: Path) -> None:
    clock = Clock()
    parts = [part("a", Size(0, 1), clock, [])]
    run(parts, tmp_path, 30, clock)
    with pytest.raises(ConfigError, match="another --out"):
        run(parts, tmp_path, 30, clock, seed=1)
    (tmp_path / STATE).write_text('{"parts": [')
    with pytest.raises(DataError, match="state of a suite"):
        run(parts, tmp_path, 30, clock)


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"failed or was left out: a: DataError: gone"):
        run([failing("a", DataError("gone"))], tmp_path, 30, Clock())
