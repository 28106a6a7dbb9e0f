"""A build: clips checked, blocks made in parallel, shards put together, cards written. Killed anywhere, it resumes to
the same bytes.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from data_builder import spread, synth_music
from data_builder.assemble import Shelf, block_path, blocks_a_shard, read_report, report_path
from data_builder.block import Kit, Made, make_block, open_kit
from data_builder.catalog import build_catalog, near_duplicates, without_duplicates
from data_builder.corpora.folder import SPLITS, Row, read_index, select
from data_builder.crew import follow_parent
from data_builder.plan import Plan, claim, digest, read_removed
from data_builder.shards import write_json, write_shard
from data_builder.talk import INTENT_PREFIX
from soundflow.errors import ConfigError, DataError

MUSIC_PIECES: Final = 120
LONGEST_REPORT: Final = 200  # failed tries that a block's report keeps
Log = Callable[[str], None]


def usable_rows(plan: Plan, cache: Path, workers: int, log: Log) -> tuple[list[Row], dict[str, str]]:
    """(clips of the plan's split that may be used, path -> why another may not be)."""
    entries, bad = [], dict[str, str]()
    for folder in map(Path, plan.audio):
        rows = read_index(folder, check_files=False)
        began = time.perf_counter()

        def progress(done: int, of: int, began: float = began, folder: Path = folder) -> None:
            if done % 500 == 0 or done == of:
                left = (time.perf_counter() - began) / done * (of - done)
                log(f"{folder}: {done} of {of} clips checked, {left:.0f} s left")

        found = build_catalog(folder, rows, cache, workers if workers > 1 else 0, progress=progress)
        entries += found.entries
        bad |= {q.path: q.reason for q in found.quarantined}
    groups = near_duplicates(entries)
    bad |= {e.row.path: f"near-duplicate of {g.keep.row.path}" for g in groups for e in g.drop}
    kept = without_duplicates(entries, groups)
    rows = select([e.row for e in kept], plan.split, plan.noncommercial)
    if not plan.orders:
        rows = [r for r in rows if not r.label.startswith(INTENT_PREFIX)]
    if not rows:
        raise DataError(f"expected usable clips of split {plan.split!r} in {', '.join(plan.audio)}, got none")
    return rows, bad


def build(plan: Plan, cache: Path, workers: int = 1, ray: str = "", log: Log = lambda text: None) -> dict[str, Any]:
    """Build or resume `plan.out`; returns what was written to index.json.

    Args:
        plan: its `corpus` and `voices` are filled in here.
        cache: folder for what is known of clips.
        workers: processes of this machine. ray: address of a cluster instead, or "local".

    Raises:
        ConfigError: the folder holds another build, or the plan is wrong.
        DataError: the corpus is, or a block could not be made at all.
    """
    if workers < 1:
        raise ConfigError(f"--workers: expected at least 1, got {workers}")
    out = Path(plan.out)
    rows, bad = usable_rows(plan, cache, workers, log)
    if plan.music and synth_music.available():
        synth_music.render(Path(plan.music), MUSIC_PIECES, SPLITS.index(plan.split))
    elif plan.music:
        log("fluidsynth or its sound font is missing: music is recorded and additive synthesis alone")
    facts = {"corpus": digest([f"{r.path} {r.label} {r.licence}" for r in rows])}
    removed = set(read_removed(out))
    rows = [r for r in rows if r.path not in removed and (not r.speaker or r.speaker not in removed)]
    kit = open_kit(plan, rows)
    if not kit.people:
        log("no speech engine is installed: only what recordings can say is built (apt-get install espeak-ng flite)")
    plan = replace(plan, **facts, voices=kit.voices)
    claim(plan)
    (out / "blocks").mkdir(parents=True, exist_ok=True)
    for rest in (*out.glob("*.part"), *out.glob("blocks/*.part")):
        rest.unlink()
    write_json(out / "quarantine.json", dict(sorted(bad.items())))
    shelf = Shelf.open(out)
    _blocks(plan, kit, rows, shelf, workers, ray, log)
    return _finish(plan, shelf, len(bad))


def _blocks(plan: Plan, kit: Kit, rows: list[Row], shelf: Shelf, workers: int, ray: str, log: Log) -> None:
    """Make blocks until the hours are there, and shards of them as they come."""
    out, size = Path(plan.out), blocks_a_shard(plan.shard_mb, plan.block)
    wanted = plan.hours * 3600
    full = [s for s in shelf.shards if s["full"]]
    at = full[-1]["last"] + 1 if full else 0
    gone = sum(s["seconds"] for s in full)
    if gone >= wanted:
        return
    ready: dict[int, float] = {}
    began, made_s = time.perf_counter(), 0.0
    first = at

    def reach() -> float:
        """Seconds that are there, or will be when all under way are done."""
        mean = (sum(ready.values()) / len(ready)) if ready else plan.block * 11.0
        return gone + sum(ready.values()) + mean * (asked - first - len(ready))

    asked = at

    def numbers() -> int | None:
        nonlocal asked
        while reach() < wanted:
            number = asked
            asked += 1
            if (report := read_report(out, number)) is None:
                return number
            ready[number] = report["seconds"]
        return None

    for number, seconds in _run(plan, kit, rows, numbers, workers, ray):
        if isinstance(seconds, DataError):
            raise seconds
        ready[number] = seconds
        made_s += seconds
        rate = made_s / (time.perf_counter() - began)
        done = gone + sum(ready.values())
        log(
            f"block {number} done, {done / 3600:.2f} of {plan.hours:g} h, {rate:.0f} x real time, "
            f"{max(0.0, wanted - done) / rate:.0f} s left"
        )
        at = _shelve(shelf, ready, at, size, wanted)
    total, last = _before(shelf), at
    while total < wanted:
        total += ready[last]
        last += 1
        if last - at == size:
            at = _full(shelf, at, size)
    if last > at:
        shelf.add(at, last - 1, full=False)
    for file in (out / "blocks").glob("block-*"):
        if int(file.stem.split("-")[1]) > shelf.shards[-1]["last"]:
            file.unlink()


def _before(shelf: Shelf) -> float:
    return float(sum(s["seconds"] for s in shelf.shards if s["full"]))


def _shelve(shelf: Shelf, ready: dict[int, float], at: int, size: int, wanted: float) -> int:
    """Write the shards whose blocks are all there and surely wanted; returns the first block of the next one."""
    while all(n in ready for n in range(at, at + size)):
        if _before(shelf) + sum(ready[n] for n in range(at, at + size)) > wanted:
            break
        at = _full(shelf, at, size)
    return at


def _full(shelf: Shelf, at: int, size: int) -> int:
    shelf.add(at, at + size - 1, full=True)
    shelf.drop_blocks()
    return at + size


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
    plan: Plan, kit: Kit, rows: list[Row], numbers: spread.Numbers, workers: int, ray: str
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


def _finish(plan: Plan, shelf: Shelf, quarantined: int) -> dict[str, Any]:
    """Write index.json, and what went wrong into failed.json."""
    out = Path(plan.out)
    reports = {}
    for path in sorted((out / "blocks").glob("block-*.json")):
        reports[path.stem] = json.loads(path.read_text())
    left_out: Counter[str] = Counter()
    for report in reports.values():
        left_out.update(report["left_out"])
    write_json(out / "failed.json", {k: r["failed"] for k, r in reports.items() if r["failed"]})
    shards = list(shelf.listing())
    seconds = sum(s["seconds"] for s in shards)
    index = {
        **plan.identity(),
        "wanted_hours": plan.hours,
        "streams": sum(s["streams"] for s in shards),
        "seconds": seconds,
        "hours": round(seconds / 3600, 4),
        "duplicates": sum(s["duplicates"] for s in shelf.shards),
        "clips_quarantined": quarantined,
        "tries_drawn_anew": sum(r["tries"] for r in reports.values()),
        "left_out": dict(sorted(left_out.items())),
        "shards": shards,
    }
    write_json(out / "index.json", index)
    return index
