"""Makes blocks until the hours are there, and shards of them as they come."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from data_builder import spread
from data_builder.assemble import Shelf, block_path, blocks_a_shard, read_report, report_path
from data_builder.block import Kit, Made, make_block, open_kit
from data_builder.corpora.folder import Row
from data_builder.crew import follow_parent
from data_builder.plan import Plan
from data_builder.shards import write_json, write_shard
from soundflow.errors import DataError

LONGEST_REPORT: Final = 200  # failed tries that a block's report keeps
MOST_OVER: Final = 5  # times the blocks that should do: near-duplicates take the rest
LIKELY_SECONDS: Final = 9.0  # of a dialogue, until some are there
MOST_GIVEN_UP: Final = 0.05  # of the blocks, because workers died over them
Log = Callable[[str], None]


def fill(plan: Plan, kit: Kit, rows: list[Row], shelf: Shelf, workers: int, ray: str, log: Log) -> None:
    """Fill the shelf: as few blocks, in order, as give the plan's hours when near-duplicates are left out.

    Raises DataError where a block cannot be made at all, or too many had to be given up.
    """
    wanted = plan.hours * 3600
    target = wanted
    while shelf.seconds < wanted:
        made = _Round(plan, shelf, target, log).run(partial(_run, plan, kit, rows, workers=workers, ray=ray))
        target = made + max(0.0, wanted - shelf.seconds)  # what near-duplicates took
    for file in (shelf.out / "blocks").glob("block-*"):
        if int(file.stem.split("-")[1]) > shelf.shards[-1]["last"]:
            file.unlink()


class _Round:
    """Blocks until their lengths, near-duplicates counted, reach `target` seconds together with the full shards."""

    def __init__(self, plan: Plan, shelf: Shelf, target: float, log: Log) -> None:
        self.plan, self.shelf, self.target, self.log = plan, shelf, target, log
        self.size = blocks_a_shard(plan.shard_mb, plan.block)
        self.asked = shelf.next_block
        self.most = MOST_OVER * (1 + int(target / (plan.block * LIKELY_SECONDS)))
        self.ready: dict[int, float] = {}  # seconds of the blocks that are there, those of shards among them
        self.given_up = 0
        self.began, self.made_s = time.perf_counter(), 0.0

    def run(self, blocks: Callable[[spread.Numbers], Iterator[tuple[int, float | DataError]]]) -> float:
        """Make them; returns the seconds of the full shards and of the blocks after them, duplicates counted."""
        for number, seconds in blocks(self.number):
            if isinstance(seconds, DataError):
                self._give_up(number, seconds)
            else:
                self.ready[number] = seconds
                self.made_s += seconds
                self._tell(number)
            self._shelve()
        self._shelve()
        last = first = self.shelf.next_block
        while self._there(last) < self.target:
            last += 1
        total = self._there(last)
        if last > first:
            self.shelf.add(first, last - 1, full=False)
        return total

    def number(self) -> int | None:
        """The next block to make; None where those that are there and under way will do."""
        while self._expected() < self.target:
            if self.asked > self.most:
                hours = f"{self.target / 3600:.2f} h, got {self.shelf.seconds / 3600:.2f} h without near-duplicates"
                raise DataError(f"expected {hours} of {self.asked} blocks: more clips or sub-tasks are needed")
            number, self.asked = self.asked, self.asked + 1
            if (report := read_report(self.shelf.out, number)) is None:
                return number
            self.ready[number] = report["seconds"]
        return None

    def _there(self, end: int) -> float:
        """Seconds of the full shards and of the blocks after them and before `end`."""
        return self.shelf.full_seconds + sum(self.ready[n] for n in range(self.shelf.next_block, end))

    def _expected(self) -> float:
        lengths = self.ready.values()
        mean = sum(lengths) / len(lengths) if sum(lengths) else self.plan.block * LIKELY_SECONDS
        first = self.shelf.next_block
        return self.shelf.full_seconds + sum(self.ready.get(n, mean) for n in range(first, self.asked))

    def _shelve(self) -> None:
        """Write the shards whose blocks are all there and surely wanted."""
        while True:
            first = self.shelf.next_block
            if not all(n in self.ready for n in range(first, first + self.size)):
                return
            if self._there(first + self.size) > self.target:
                return
            self.shelf.add(first, first + self.size - 1, full=True)
            self.shelf.drop_blocks()

    def _give_up(self, number: int, why: DataError) -> None:
        """An empty block in the place of one over which workers died; not too many of them."""
        self.given_up += 1
        if self.given_up > max(1, MOST_GIVEN_UP * len(self.ready)):
            raise why
        self.log(f"block {number} given up: {why}")
        write_shard(block_path(self.shelf.out, number), iter(()))
        failed = [{"id": f"block {number}", "subtask": "", "reason": str(why)}]
        left_out = dict(Counter(name for name, _ in self.plan.slots(number)))
        body = {"streams": 0, "seconds": 0.0, "rejected": {}, "failed": failed, "tries": 1, "left_out": left_out}
        write_json(report_path(self.shelf.out, number), body)
        self.ready[number] = 0.0

    def _tell(self, number: int) -> None:
        rate = self.made_s / (time.perf_counter() - self.began)
        after = range(self.shelf.next_block, self.asked)
        done = self.shelf.full_seconds + sum(self.ready.get(n, 0.0) for n in after)
        self.log(
            f"block {number} done, {done / 3600:.2f} of {self.plan.hours:g} h, {rate:.0f} x real time, "
            f"{max(0.0, self.target - done) / rate:.0f} s left"
        )


_given: tuple[Plan, list[Row]] | None = None
_kit: Kit | None = None


def _start(plan: Plan, rows: list[Row]) -> None:
    """In a worker process: its kit is opened by its first block, as a worker that fails here is started for ever."""
    global _given  # noqa: PLW0603  what a process works on
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    follow_parent()
    os.nice(5)
    _given = (plan, rows)


def _work(number: int) -> float:
    """Make block `number` in a worker process; returns its seconds."""
    assert _given is not None
    return _cluster_work(_given, number)


def _cluster_work(job: tuple[Plan, list[Row]], number: int) -> float:
    """As `_work`, in a process of a Ray cluster."""
    global _given, _kit
    if _kit is None or _given is None or _given[0] != job[0]:
        _given, _kit = job, open_kit(*job)
    return _write(job[0], _kit, number)


def _run(
    plan: Plan, kit: Kit, rows: list[Row], numbers: spread.Numbers, *, workers: int, ray: str
) -> Iterator[tuple[int, float | DataError]]:
    if ray:
        yield from spread.cluster(_cluster_work, (plan, rows), numbers, ray)
    elif workers == 1:
        yield from spread.here(partial(_write, plan, kit), numbers)
    else:
        yield from spread.processes(_work, _start, (plan, rows), numbers, workers)


def _write(plan: Plan, kit: Kit, number: int) -> float:
    """Make block `number` and write it and its report; returns its seconds."""
    out, made = Path(plan.out), make_block(plan, kit, number)
    if not made.streams:
        first = made.failed[0]["reason"] if made.failed else "no dialogues were asked for"
        raise DataError(f"expected dialogues, got none: {first}", f"block {number}")
    write_shard(block_path(out, number), iter(made.streams))
    seconds = sum(meta["samples"] for meta, _ in made.streams) / 16_000
    body = {"streams": len(made.streams), "seconds": seconds, "rejected": made.rejected}
    left_out = _left_out(plan, number, made)
    body |= {"failed": made.failed[:LONGEST_REPORT], "tries": len(made.failed), "left_out": left_out}
    write_json(report_path(out, number), body)
    return seconds


def _left_out(plan: Plan, number: int, made: Made) -> dict[str, int]:
    """Sub-task -> dialogues of this block that could not be made at all."""
    wanted = Counter(name for name, _ in plan.slots(number))
    got = Counter(meta["subtask"] for meta, _ in made.streams)
    return {name: n for name in sorted(wanted) if (n := wanted[name] - got[name])}
