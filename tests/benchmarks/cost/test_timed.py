"""Points are timed in turn, a failing one is a row, and a run that was stopped goes on."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

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

    def point(self, name: str, seconds: float, fails: Exception | None = None, **more: Any) -> Point:
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


def test_points_of_one_name_take_turns_and_the_last_turn_favours_none() -> None:
    bench = Bench()
    young = bench.point("young", 0.1, repeats=3, together="age")
    old = bench.point("old", 0.2, repeats=3, together="age", warm=False)
    found = timed.in_turn([young, old], bench.clocks)
    assert bench.order == ["young", "young", "old", "old", "young", "young", "old", "young done", "old done"]
    assert [f["ms"] for f in found] == [[100.0] * 3, [200.0] * 3]


def test_a_point_that_fails_leaves_its_turns_to_the_others_and_names_keep_points_side_by_side(tmp_path: Path) -> None:
    bench = Bench()
    points = [bench.point(name, 0.1, repeats=2, together="age") for name in "ab"]
    points += [bench.point(name, 0.1, repeats=1) for name in "cdefgh"]
    points.append(bench.point("full", 0.1, CapacityError("at most 8 tokens"), together="age"))
    rows = bench.times(points, 3, tmp_path)
    for number in range(3):
        parts = [row["part"] for row in rows if row["round"] == number]
        assert "".join(parts).count("abfull") == 1, "wherever the round has them"
        assert [row["part"] for row in rows if row["round"] == number and "error" in row] == ["full"]
    assert all(row["ms"] == [100.0] * 2 for row in rows if row["part"] in ("a", "b"))


def test_what_takes_long_is_timed_in_the_first_rounds_only(tmp_path: Path) -> None:
    bench = Bench()
    points = [bench.point("long", 9.0, repeats=1, rounds=2), bench.point("short", 0.1, repeats=1)]
    rows = bench.times(points, 4, tmp_path)
    found = {name: [row["round"] for row in rows if row["part"] == name] for name in ("long", "short")}
    assert found == {"long": [0, 1], "short": [0, 1, 2, 3]}


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
