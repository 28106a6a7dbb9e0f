"""A build: clips checked, blocks made in parallel, shards put together, cards written. Killed anywhere, it resumes to
the same bytes.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from data_builder import synth_music
from data_builder.assemble import Shelf
from data_builder.block import Kit, open_kit
from data_builder.catalog import build_catalog, near_duplicates, without_duplicates
from data_builder.corpora.folder import SPLITS, Row, read_index, select
from data_builder.fill import fill
from data_builder.plan import Plan, claim, digest, read_removed
from data_builder.shards import sha256, write_json
from data_builder.talk import INTENT_PREFIX
from soundflow.errors import ConfigError, DataError

MUSIC_PIECES: Final = 120
Log = Callable[[str], None]


def usable_rows(plan: Plan, cache: Path, workers: int, log: Log) -> tuple[list[Row], dict[str, str], str]:
    """(clips of the plan's split that may be used, path -> why another may not be, digest of what was found).

    Raises ConfigError for a path that two folders have, DataError where nothing is left.
    """
    entries, bad, owner = [], dict[str, str](), dict[str, Path]()
    for folder in map(Path, plan.audio):
        rows = read_index(folder, check_files=False)
        for row in rows:
            other = owner.setdefault(row.path, folder)
            if other != folder:
                where = f"{other} and {folder}"
                raise ConfigError(f"--audio: expected each path in one folder, got {row.path!r} in {where}")
        began = time.perf_counter()

        def progress(done: int, of: int, began: float = began, folder: Path = folder) -> None:
            if done % 500 == 0 or done == of:
                left = (time.perf_counter() - began) / done * (of - done)
                log(f"{folder}: {done} of {of} clips checked, {left:.0f} s left")

        found = build_catalog(folder, rows, cache, workers, progress=progress)
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
    heard = {e.row.path: e.facts.sha256 for e in kept}
    told = [f"{heard[r.path]} {r.path} {r.label} {r.text} {r.speaker} {r.respond} {r.licence}" for r in rows]
    return rows, bad, digest(told)


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
    rows, bad, corpus = usable_rows(plan, cache, workers, log)
    if plan.music and synth_music.available():
        synth_music.render(Path(plan.music), MUSIC_PIECES, SPLITS.index(plan.split))
    elif plan.music:
        log("fluidsynth or its sound font is missing: music is recorded and additive synthesis alone")
    removed = set(read_removed(out))
    rows = [r for r in rows if r.path not in removed and (not r.speaker or r.speaker not in removed)]
    kit = open_kit(plan, rows)
    if not kit.people:
        log("no speech engine is installed: only what recordings can say is built (apt-get install espeak-ng flite)")
    plan = replace(plan, corpus=corpus, voices=kit.voices, models=_models(plan), code=_code())
    with _alone(out):
        return _build(plan, kit, rows, bad, workers, ray, log)


def _models(plan: Plan) -> str:
    """Digest of the weights and of the rendered music that decide bytes."""
    files = [Path(p) for p in (plan.judge, plan.transcripts, *plan.dialogues) if p]
    for folder in (plan.ear, plan.piper, plan.kokoro):
        files += sorted(p for p in Path(folder).rglob("*") if p.is_file()) if folder else []
    music = sorted(Path(plan.music).glob("*.flac")) if plan.music else []
    return digest([*(f"{p.name} {sha256(p)}" for p in files), *(f"{p.name} {p.stat().st_size}" for p in music)])


@cache
def _code() -> str:
    """Digest of the builder itself: other code makes other bytes."""
    here = Path(__file__).parent
    return digest([f"{p.relative_to(here)} {sha256(p)}" for p in sorted(here.rglob("*.py"))])


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder's lock: two builds would overwrite each other's parts. ConfigError where one is at work."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"{out}: expected no other build at work here, got one ({error.strerror})") from error
        yield


def _build(
    plan: Plan, kit: Kit, rows: list[Row], bad: dict[str, str], workers: int, ray: str, log: Log
) -> dict[str, Any]:
    out = Path(plan.out)
    claim(plan)
    (out / "blocks").mkdir(parents=True, exist_ok=True)
    for rest in (*out.glob("*.part"), *out.glob("blocks/*.part")):
        rest.unlink()
    write_json(out / "quarantine.json", dict(sorted(bad.items())))
    shelf = Shelf.open(out)
    fill(plan, kit, rows, shelf, workers, ray, log)
    return _finish(plan, shelf, len(bad))


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
