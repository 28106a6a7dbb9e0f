"""Points of curves, timed in turn: every round times each point once, in an order of its own, so that a neighbour who
slows the machine for a while slows all points of that round and not one curve.
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
    `per`: steps that one `run` makes. `warm`: `run` goes once before, and that counts for nothing.
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
    said = _Progress(rounds, progress or sys.stderr)
    with instances.open_for_append(out) as file:
        for number in range(rounds):
            order = np.random.default_rng([seed, number]).permutation(len(points))
            left = [points[k] for k in order if (f"{points[k].name}#{number}", system) not in have]
            for point in left:
                row = {"id": f"{point.name}#{number}", "system": system, **_facts(point), "round": number}
                row["clock"] = on.clock
                instances.write(row | once(point, clocks or Clocks(), on), file)
            said.round(number, bool(left))
    return instances.read(out)


def once(point: Point, clocks: Clocks, on: Device = HOST) -> dict[str, Any]:
    """Wall and processor time of each repeat, ms a step; or `error`."""
    walls, cpus = [], []
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(point.threads)
        if point.warm:  # what is only slow the first time is not of the curve
            point.prepare()
            point.run()
        for _ in range(point.repeats):
            point.prepare()
            on.wait()
            wall, cpu = clocks.wall(), clocks.cpu()
            for _ in range(point.calls):
                point.run()
            on.wait()
            steps = point.calls * point.per
            cpus.append(round(1e3 * (clocks.cpu() - cpu) / steps, 4))
            walls.append(round(1e3 * (clocks.wall() - wall) / steps, 4))
    except (SoundflowError, RuntimeError, MemoryError) as error:  # torch says "out of memory" as a RuntimeError
        return {"error": f"{type(error).__name__}: {error}"[:400]}
    finally:
        torch.set_num_threads(before)
        point.done()
    return {"ms": walls, "cpu_ms": cpus}


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
