"""Two (or n) worker processes over the items of a benchmark: progress with ETA, resume, a crash costs one item."""

from __future__ import annotations

import multiprocessing as mp
import os
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TextIO

from benchmarks import instances
from benchmarks.compose import Item
from benchmarks.hear import Shop, Tick, failed
from benchmarks.instances import Row
from benchmarks.systems import Setup, System
from soundflow.errors import SoundflowError

Runner = Callable[[Item, Sequence[str], Shop, Tick], list[Row]]
MAX_RESTARTS = 3
LINE_EVERY_S = 15.0


class Progress:
    """A line on stderr now and then: seconds of audio done, of all, and what is left at this pace."""

    def __init__(
        self, what: str, total: float, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what, self._total, self._out, self._clock = what, max(total, 1e-9), out or sys.stderr, clock
        self._begin = self._said = clock()
        self._done = 0.0
        self._live = self._out.isatty()

    def add(self, seconds: float) -> None:
        self._done += seconds
        now = self._clock()
        if now - self._said >= (1.0 if self._live else LINE_EVERY_S):
            self._said = now
            self._out.write(f"{self.line(now)}{chr(13) if self._live else chr(10)}")
            self._out.flush()

    def line(self, now: float) -> str:
        """E.g. "proactive  120 of 600 s of audio (20 %), 45 s gone, about 180 s left"."""
        gone, share = now - self._begin, min(1.0, self._done / self._total)
        left = f"about {gone * (1 - share) / share:.0f} s left" if share > 0 else "starting"
        return (
            f"{self._what}  {self._done:.0f} of {self._total:.0f} s of audio ({share:.0%}), {gone:.0f} s gone, {left}"
        )

    def close(self) -> None:
        self._out.write(f"{self.line(self._clock())}\n")


def run(
    name: str,
    items: Sequence[Item],
    out: Path,
    setup: Setup,
    runner: Runner,
    *,
    workers: int = 2,
    lengths: Sequence[float] | None = None,
    systems: Sequence[System] | None = None,
) -> list[Row]:
    """Hear what `out`/instances.jsonl does not hold yet, and return all its rows.

    Args:
        lengths: seconds of audio of each item and system, for the ETA.
        systems: given ones are used in this process (tests); else each worker makes its own from `setup`.
    """
    names = tuple(s.name for s in systems) if systems is not None else setup.systems
    have = {instances.key(row) for row in instances.read(out)}
    tasks: list[tuple[Item, tuple[str, ...]]] = []
    total = 0.0
    for item, seconds in zip(items, lengths or [12.0] * len(items), strict=True):
        missing = tuple(n for n in names if (item.id, n) not in have)
        if missing:
            tasks.append((item, missing))
            total += seconds * len(missing)
    if tasks:
        progress = Progress(name, total)
        with instances.open_for_append(out) as file:
            if workers == 0 or systems is not None:
                shop = Shop(setup, systems)
                for item, missing in tasks:
                    for row in runner(item, missing, shop, progress.add):
                        instances.write(row, file)
            else:
                _spread(tasks, setup, runner, min(workers, len(tasks)), progress, file)
        progress.close()
    return instances.read(out)


def _spread(
    tasks: list[tuple[Item, tuple[str, ...]]],
    setup: Setup,
    runner: Runner,
    workers: int,
    progress: Progress,
    file: TextIO,
) -> None:
    context, waiting, restarts = mp.get_context("spawn"), list(reversed(tasks)), 0
    crews: dict[Connection, tuple[Any, tuple[Item, tuple[str, ...]] | None]] = {}

    def start() -> None:
        mine, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, setup, runner), daemon=True)
        process.start()
        theirs.close()
        crews[mine] = (process, None)
        hand_out(mine)

    def hand_out(pipe: Connection) -> None:
        task = waiting.pop() if waiting else None
        pipe.send(task)
        crews[pipe] = (crews[pipe][0], task)
        if task is None:
            crews.pop(pipe)[0].join()

    for _ in range(workers):
        start()
    while crews:
        for ready in wait(list(crews)):
            assert isinstance(ready, Connection)
            process, task = crews[ready]
            try:
                kind, body = ready.recv()
            except (EOFError, OSError):
                process.join()
                del crews[ready]
                restarts += 1
                assert task is not None
                for system in task[1]:
                    instances.write(failed(task[0], system, f"the worker died (code {process.exitcode})"), file)
                if restarts > MAX_RESTARTS:
                    raise SoundflowError(f"workers died {restarts} times, last on {task[0].id}") from None
                start()
                continue
            if kind == "tick":
                progress.add(body)
            elif kind == "rows":
                for row in body:
                    instances.write(row, file)
                hand_out(ready)
            else:
                for other, _ in crews.values():
                    other.terminate()
                raise SoundflowError(str(body))


def _serve(pipe: Connection, setup: Setup, runner: Runner) -> None:
    """A worker: items in, ("tick", seconds), ("rows", rows) or ("error", text) out; None ends it."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    shop = Shop(setup)

    def tick(seconds: float) -> None:
        pipe.send(("tick", seconds))

    while (task := pipe.recv()) is not None:
        try:
            pipe.send(("rows", runner(task[0], task[1], shop, tick)))
        except SoundflowError as error:
            pipe.send(("error", f"{task[0].id}: {error}"))
            return
