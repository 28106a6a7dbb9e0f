"""Points of curves, timed in turn: every round times each point once, in an order of its own, so that a neighbour who
slows the machine for a while slows all points of that round and not one curve. Points that are to be compared closely
are timed `together`, repeat by repeat.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch

from benchmarks import instances
from benchmarks.cost.device import HOST, Device
from benchmarks.instances import Row
from soundflow.errors import SoundflowError


def nothing() -> None:
    """Prepares or cleans up nothing."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one call must do: operations (a multiply-add is two), and bytes that it reads from memory at least."""

    ops: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to time. `run` is timed, `calls` of them at a time (a mean), `repeats` times a round.

    curve, part, numbers and x name it; `prepare` goes before each repeat and `done` behind the last, both untimed.
    `per`: steps that one `run` makes. `warm`: `run` goes once before, and that counts for nothing. `together`: points
    of one such name take turns, a repeat each. `rounds`: it is timed in the first so many; 0 is all.
    """

    curve: str
    part: str
    numbers: str
    x: int
    work: Work
    run: Callable[[], object]
    prepare: Callable[[], None] = nothing
    done: Callable[[], None] = nothing
    repeats: int = 3
    calls: int = 1
    threads: int = 1
    per: int = 1
    warm: bool = True
    together: str = ""
    rounds: int = 0

    @property
    def name(self) -> str:
        return "/".join(x for x in (self.curve, self.part, self.numbers, str(self.x)) if x).replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Clocks:
    """Wall time, and the time that the processor gave to this process."""

    wall: Callable[[], float] = time.perf_counter
    cpu: Callable[[], float] = time.process_time


def run(
    points: Sequence[Point],
    rounds: int,
    out: Path,
    seed: int,
    system: str,
    *,
    clocks: Clocks | None = None,
    progress: TextIO | None = None,
    on: Device = HOST,
) -> list[Row]:
    """Time what `out`/instances.jsonl does not hold yet; one row a point and round. All rows come back.

    A point that fails is a row with `error` in that round; the others go on. `on`: what is waited for before a clock is
    read.
    """
    have = {instances.key(row) for row in instances.read(out)}
    said, groups = _Progress(rounds, progress or sys.stderr), _groups(points)
    with instances.open_for_append(out) as file:
        for number in range(rounds):
            some = False
            for k in np.random.default_rng([seed, number]).permutation(len(groups)):
                due = [p for p in groups[k] if not p.rounds or number < p.rounds]
                left = [p for p in due if (f"{p.name}#{number}", system) not in have]
                for point, found in zip(left, in_turn(left, clocks or Clocks(), on), strict=True):
                    row = {"id": f"{point.name}#{number}", "system": system, **_facts(point), "round": number}
                    instances.write(row | {"clock": on.clock} | found, file)
                some = some or bool(left)
            said.round(number, some)
    return instances.read(out)


def _groups(points: Sequence[Point]) -> list[list[Point]]:
    made: dict[str, list[Point]] = {}
    for point in points:
        made.setdefault(point.together or point.name, []).append(point)
    return list(made.values())


def once(point: Point, clocks: Clocks, on: Device = HOST) -> dict[str, Any]:
    """`in_turn` of one point."""
    return in_turn([point], clocks, on)[0]


def in_turn(points: Sequence[Point], clocks: Clocks, on: Device = HOST) -> list[dict[str, Any]]:
    """Wall and processor time of each repeat, ms a step, or `error`: first repeats of all points, then the second."""
    takes = [_Take(point, clocks, on) for point in points]
    try:
        for take in takes:
            take.warm()
        for k in range(max((p.repeats for p in points), default=0)):
            for take in takes if k % 2 == 0 else takes[::-1]:  # there and back: the last turn favours none
                if k < take.point.repeats:
                    take.repeat()
    finally:
        for point in points:
            point.done()
    return [take.found() for take in takes]


class _Take:
    """The repeats of one point; behind its first error nothing more."""

    def __init__(self, point: Point, clocks: Clocks, on: Device) -> None:
        self.point, self._clocks, self._on = point, clocks, on
        self._walls: list[float] = []
        self._cpus: list[float] = []
        self._error = ""

    def warm(self) -> None:
        """What is only slow the first time is not of the curve."""
        if self.point.warm:
            self._try(self._run)

    def repeat(self) -> None:
        self._try(self._timed)

    def found(self) -> dict[str, Any]:
        return {"error": self._error} if self._error else {"ms": self._walls, "cpu_ms": self._cpus}

    def _try(self, one: Callable[[], object]) -> None:
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(self.point.threads)
            if not self._error:
                one()
        except (SoundflowError, RuntimeError, MemoryError) as error:  # torch says "out of memory" as a RuntimeError
            self._error = f"{type(error).__name__}: {error}"[:400]
        finally:
            torch.set_num_threads(before)

    def _run(self) -> None:
        self.point.prepare()
        self.point.run()

    def _timed(self) -> None:
        point, clocks = self.point, self._clocks
        point.prepare()
        self._on.wait()
        wall, cpu = clocks.wall(), clocks.cpu()
        for _ in range(point.calls):
            point.run()
        self._on.wait()
        steps = point.calls * point.per
        self._cpus.append(round(1e3 * (clocks.cpu() - cpu) / steps, 4))
        self._walls.append(round(1e3 * (clocks.wall() - wall) / steps, 4))


def _facts(point: Point) -> dict[str, Any]:
    return {
        "curve": point.curve, "part": point.part, "numbers": point.numbers, "x": point.x,
        "ops": point.work.ops, "bytes": point.work.bytes, "threads": point.threads,
    }  # fmt: skip


class _Progress:
    """A line a round: how long it took and what is left at this pace."""

    def __init__(self, rounds: int, out: TextIO) -> None:
        self._rounds, self._out = rounds, out
        self._began, self._timed = time.monotonic(), 0

    def round(self, number: int, timed: bool) -> None:
        self._timed += timed
        gone, left = time.monotonic() - self._began, self._rounds - number - 1
        guess = f"about {gone / self._timed * left:.0f} s left" if self._timed else "was there"
        self._out.write(f"cost  round {number + 1} of {self._rounds}, {gone:.0f} s gone, {guess}\n")
        self._out.flush()
