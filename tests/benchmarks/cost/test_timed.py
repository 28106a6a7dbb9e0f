"""Points are timed in turn, a failing one is a row, and a run that was stopped goes on."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from benchmarks.cost import timed
from benchmarks.cost.timed import Clocks, Point, Work
from soundflow.errors import CapacityError


class Bench:
    """Points that take as long as they are told, on a clock of their own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order: list[str] = []
        self.clocks = Clocks(lambda: self.now, lambda: self.now / 2)

    def point(self, name: str, seconds: float, fails: Exception | None = None, **more: int) -> Point:
        def run() -> None:
            if fails:
                raise fails
            self.now += seconds
            self.order.append(name)

        def done() -> None:
            self.order.append(f"{name} done")

        return Point("curve", name, "int8", 1, Work(1.0, 2.0), run, done=done, **more)

    def times(self, points: list[Point], rounds: int, out: Path, seed: int = 0) -> list[dict]:
        return timed.run(points, rounds, out, seed, "nano", clocks=self.clocks, progress=io.StringIO())


def test_a_repeat_is_a_mean_over_calls_and_steps_and_the_first_call_does_not_count() -> None:
    bench = Bench()
    found = timed.once(bench.point("a", 0.2, repeats=3, calls=2, per=4), bench.clocks)
    assert found == {"ms": [50.0] * 3, "cpu_ms": [25.0] * 3}
    assert bench.order == ["a"] * 7 + ["a done"]


def test_every_round_times_each_point_once_in_an_order_of_its_own(tmp_path: Path) -> None:
    bench = Bench()
    points = [bench.point(name, 0.1, repeats=1) for name in "abcdefgh"]
    rows = bench.times(points, 3, tmp_path)
    names = [row["part"] for row in rows]
    rounds = [names[k : k + 8] for k in (0, 8, 16)]
    assert [sorted(r) for r in rounds] == [list("abcdefgh")] * 3
    assert len({tuple(r) for r in rounds}) == 3
    assert [row["round"] for row in rows] == [0] * 8 + [1] * 8 + [2] * 8


def test_a_point_that_fails_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    bench = Bench()
    points = [
        bench.point("full", 0.1, CapacityError("at most 8 tokens")),
        bench.point("memory", 0.1, RuntimeError("can't allocate memory")),
        bench.point("well", 0.1),
    ]
    rows = {row["part"]: row for row in bench.times(points, 1, tmp_path)}
    assert rows["full"]["error"] == "CapacityError: at most 8 tokens"
    assert "allocate" in rows["memory"]["error"]
    assert "error" not in rows["well"]
    assert bench.order.count("memory done") == 1, "what it held is given back"


def test_a_mistake_is_not_hidden_and_the_run_resumes_behind_it(tmp_path: Path) -> None:
    bench = Bench()
    bad = bench.point("bad", 0.1, TypeError("a mistake"))
    points = [bench.point("a", 0.1, repeats=1), bench.point("b", 0.1, repeats=1)]
    with pytest.raises(TypeError, match="a mistake"):
        bench.times([*points, bad], 4, tmp_path)
    there = (tmp_path / "instances.jsonl").read_text().splitlines()
    with (tmp_path / "instances.jsonl").open("a") as file:
        file.write('{"id": "curve/a')  # cut off by a kill
    again = Bench()
    points = [again.point("a", 0.3, repeats=1), again.point("b", 0.3, repeats=1)]
    rows = again.times(points, 4, tmp_path)
    assert len(rows) == 8
    assert rows[: len(there)] == [json.loads(line) for line in there], "what was measured stays"
    assert again.times(points, 4, tmp_path) == rows, "nothing is measured twice"
