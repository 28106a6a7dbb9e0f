"""Building shards: a stream depends only on (seed, split, number), so any number of workers gives the same bytes."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_builder import synth_music
from data_builder.clips import FloatArray
from data_builder.corpora.folder import SPLITS, read_index, select
from data_builder.schema import SCHEMA
from data_builder.shards import sha256, write_json, write_shard
from data_builder.sources import INTENT_PREFIX, Sources, open_sources
from data_builder.subtasks import SHARES, SUBTASKS
from data_builder.variants import watch_variants
from data_builder.voices import read_bank
from soundflow.errors import ConfigError, DataError

SHARD_STREAMS = 100
TRIES = 6
MUSIC_PIECES = 120


@dataclass(frozen=True)
class Plan:
    """All that decides the bytes of a build, but for the files it reads.

    `more`: folders of clips beside `audio`. `judge`: YAMNet's file, for `data_builder.judge`.
    """

    audio: str
    out: str
    streams: int
    seed: int
    split: str
    bank: str = ""
    subtask: str = ""
    music: str = ""
    shard_streams: int = SHARD_STREAMS
    noncommercial: bool = False
    coffee: bool = True
    more: tuple[str, ...] = ()
    judge: str = ""
    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))

    def identity(self) -> dict[str, Any]:
        """What must not change between a build and its resumption; `streams` may grow by whole shards."""
        keep = ("seed", "split", "subtask", "shard_streams", "noncommercial", "coffee", "shares")
        body = asdict(self)
        given = {k: bool(body[k]) for k in ("bank", "music", "more", "judge")}
        return {"schema": SCHEMA, **{k: body[k] for k in keep}, **given}

    def folders(self) -> tuple[Path, ...]:
        """Every folder of clips, each with its index.csv."""
        return tuple(map(Path, (self.audio, *self.more)))

    def shards(self) -> list[tuple[int, int]]:
        """(number, streams) of each shard."""
        size = self.shard_streams
        return [(k, min(size, self.streams - k * size)) for k in range(-(-self.streams // size))]


def load_sources(plan: Plan) -> Sources:
    """Sources of the plan's split."""
    audio = plan.folders()
    found = [row for folder in audio for row in read_index(folder, check_files=False)]
    rows = select(found, plan.split, plan.noncommercial)
    if not plan.coffee:
        rows = [r for r in rows if not r.label.startswith(INTENT_PREFIX)]
    bank = Path(plan.bank) if plan.bank else None
    bank_rows = [r for r in read_bank(bank) if r["split"] == plan.split] if bank else []
    return open_sources(
        rows, audio, bank, bank_rows, Path(plan.music) if plan.music else audio[0] / ".no-music", _judge(plan)
    )


def _judge(plan: Plan) -> Callable[[FloatArray, str], bool] | None:
    if not plan.judge:
        return None
    from data_builder.judge import Judge

    return Judge(Path(plan.judge))


def stream(plan: Plan, sources: Sources, number: int) -> tuple[dict[str, Any], FloatArray, list[str]]:
    """Stream `number`: its JSON, audio and why tries failed. A bad clip is left behind by drawing anew."""
    sample_id = f"{plan.split}-{plan.seed}-{number:07d}"
    key = [plan.seed, SPLITS.index(plan.split), number]
    names = sorted(plan.shares)
    weights = np.array([plan.shares[n] for n in names])
    name = plan.subtask or names[int(np.random.default_rng([*key, 9]).choice(len(names), p=weights / weights.sum()))]
    failed: list[str] = []
    for attempt in range(TRIES):
        rng = np.random.default_rng(np.random.SeedSequence([*key, attempt]))
        try:
            scene = SUBTASKS[name](rng, sources)
            sample, audio = scene.compose(sources, sample_id, plan.seed, plan.split)
        except DataError as err:
            failed.append(f"{name}: {err}")
            continue
        meta = sample.to_dict()
        if asked := watch_variants(np.random.default_rng([*key, 10]), meta):
            meta["variants"] = asked
        return meta, audio, failed
    raise DataError(f"expected a stream after {TRIES} tries, got: {failed[-1]}", sample_id)


_worker: tuple[Plan, Sources | None] | None = None


def _start(plan: Plan) -> None:
    global _worker  # noqa: PLW0603  one set of sources a process
    # Sources are loaded by the first shard: a pool starts a worker that fails here again for ever.
    if mp.parent_process() is not None:
        os.nice(5)
    _worker = (plan, None)


def _one_shard(job: tuple[int, int]) -> tuple[int, list[str]]:
    global _worker  # noqa: PLW0603
    assert _worker is not None
    plan, held = _worker
    sources = held or load_sources(plan)
    _worker = (plan, sources)
    number, count = job
    failed: list[str] = []

    def make() -> Iterator[tuple[dict[str, Any], FloatArray]]:
        for i in range(count):
            meta, audio, bad = stream(plan, sources, number * plan.shard_streams + i)
            failed.extend(f"{meta['id']}: {reason}" for reason in bad)
            yield meta, audio

    write_shard(_path(plan, number), make())
    return number, failed


def _path(plan: Plan, number: int) -> Path:
    return Path(plan.out) / f"shard-{number:06d}.tar"


def _key(job: tuple[int, int]) -> str:
    """Name of a finished shard in quarantine.json; with its size, as a build that grows makes its last shard anew."""
    return f"{job[0]:06d}:{job[1]}"


def build(plan: Plan, workers: int, log: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Build or resume; returns the index that was written to `out`/index.json.

    Raises ConfigError where `out` holds another build or the plan is wrong, DataError where the corpus is.
    """
    _check(plan, workers)
    out = Path(plan.out)
    out.mkdir(parents=True, exist_ok=True)
    for rest in out.glob("*.part"):
        rest.unlink()
    _claim(plan, out)
    if plan.music and synth_music.available():
        synth_music.render(Path(plan.music), MUSIC_PIECES, SPLITS.index(plan.split))
    elif plan.music:
        log("fluidsynth or its sound font is missing: music is additive synthesis alone")
    done_file = out / "quarantine.json"
    bad: dict[str, list[str]] = json.loads(done_file.read_text()) if done_file.is_file() else {}
    jobs = [job for job in plan.shards() if not (_path(plan, job[0]).is_file() and _key(job) in bad)]
    began, finished = time.perf_counter(), 0
    for number, failed in _run(plan, jobs, workers):
        count = dict(jobs)[number]
        bad[_key((number, count))] = failed
        write_json(done_file, dict(bad))
        finished += count
        rate = finished / (time.perf_counter() - began)
        left = (sum(c for _, c in jobs) - finished) / rate
        log(f"shard {number} done, {finished} streams, {rate:.1f} streams/s, {left:.0f} s left")
    index = {
        **plan.identity(),
        "streams": plan.streams,
        "music_pieces": len(list(Path(plan.music).glob("*.flac"))) if plan.music else 0,
        "quarantined": sum(len(bad[_key(job)]) for job in plan.shards()),
        "shards": [
            {"name": _path(plan, n).name, "streams": count, "sha256": sha256(_path(plan, n))}
            for n, count in plan.shards()
        ],
    }
    write_json(out / "index.json", index)
    return index


def _run(plan: Plan, jobs: list[tuple[int, int]], workers: int) -> Iterator[tuple[int, list[str]]]:
    if not jobs:
        return
    if workers == 1:
        _start(plan)
        yield from map(_one_shard, jobs)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with mp.get_context("spawn").Pool(min(workers, len(jobs)), _start, (plan,)) as pool:
        yield from pool.imap_unordered(_one_shard, jobs)


def _check(plan: Plan, workers: int) -> None:
    if plan.split not in SPLITS:
        raise ConfigError(f"--split: expected {', '.join(SPLITS)}; got {plan.split!r}")
    if plan.subtask and plan.subtask not in SUBTASKS:
        raise ConfigError(f"--subtask: expected {', '.join(SUBTASKS)}; got {plan.subtask!r}")
    if plan.streams < 1 or workers < 1:
        raise ConfigError(f"--streams and --workers: expected at least 1, got {plan.streams} and {workers}")
    if unknown := set(plan.shares) - set(SUBTASKS):
        raise ConfigError(f"shares: expected {', '.join(SUBTASKS)}; got {', '.join(sorted(unknown))}")
    wants = {plan.subtask} if plan.subtask else {n for n, share in plan.shares.items() if share > 0}
    if not plan.bank and "question" in wants:
        raise ConfigError("sub-task 'question' needs --bank DIR; make one: soundflow data voices --out DIR --count 500")
    for folder in plan.folders():
        read_index(folder)  # every row and file, once, before the workers start


def _claim(plan: Plan, out: Path) -> None:
    """Write the plan's identity at the first run; refuse a folder that holds another build."""
    path = out / "plan.json"
    if not path.is_file():
        write_json(path, plan.identity())
        return
    before = json.loads(path.read_text())
    now = plan.identity()
    changed = [k for k in sorted(set(now) | set(before)) if now.get(k) != before.get(k)]
    if changed:
        what = "; ".join(f"{k}: expected {before.get(k)!r}, got {now.get(k)!r}" for k in changed)
        raise ConfigError(f"{out} holds another build ({what}); use an empty folder")
