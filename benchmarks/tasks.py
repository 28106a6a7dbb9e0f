"""All sub-tasks on held-out dialogues: shards of `soundflow data build --split dev` -> items -> instances.jsonl.

The shards are read as files (WebDataset tar of ID.flac and ID.json, schema 2: docs/corpus.md); nothing of the builder
is imported.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from benchmarks import instances, report, runs, task_scores, task_tables
from benchmarks.acts import tool_file
from benchmarks.compose import Item, looped
from benchmarks.hear import Shop, Tick, drive, each, record
from benchmarks.instances import Row
from benchmarks.plan import draw, item_seed
from benchmarks.systems import NO_MEMORY, OURS, Ask, Setup, System
from benchmarks.workers import run
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray

SCHEMA: Final = 2
SYSTEMS: Final = (OURS, NO_MEMORY, "always-silent")
TOOLS: Final = {"": "", "home": "tools.json", "coffee": "coffee_tools.json"}
TAIL_S: Final = 2.4  # a dialogue may end one chunk behind its last response; a microphone goes on
QUIET_S, NEAR_S = 0.6, 2.0
BIGGEST_JSON: Final = 4 << 20
KEPT: Final = ("subtask", "ability", "samples", "chunk", "responses", "avoid")
OF_EVENTS: Final = ("id", "label", "onset", "offset")
OF_SPEECH: Final = ("id", "onset", "offset", "text", "language", "emotion", "addressed")
Meta = dict[str, Any]


def read_metas(folder: Path) -> list[Meta]:
    """The JSON of every dialogue, with `shard`, and where its audio lies there (`at`, `size`).

    Raises:
        ConfigError: no shards. DataError: a shard that is not whole, a dialogue without its .flac or .json, an id
        twice, another schema, tools that nobody knows.
    """
    shards = sorted(folder.glob("*.tar")) if folder.is_dir() else []
    if not shards:
        raise ConfigError(f"{folder}: expected shards (*.tar) of `soundflow data build --split dev`, got none")
    found: dict[str, Meta] = {}
    for shard in shards:
        for name, meta in _shard(shard).items():
            if name in found:
                raise DataError(f"expected each dialogue once, got it in {found[name]['shard']} and {shard.name}", name)
            found[name] = meta
    return [found[name] for name in sorted(found)]


def _shard(path: Path) -> dict[str, Meta]:
    audio: dict[str, tuple[int, int]] = {}
    metas: dict[str, Meta] = {}
    size = path.stat().st_size
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                name, _, suffix = member.name.rpartition(".")
                held = audio if suffix == "flac" else metas
                if suffix not in ("flac", "json"):
                    continue
                if name in held:
                    raise DataError(f"{path}: expected {member.name} once, got it again", name)
                if not member.isfile() or member.offset_data + member.size > size:
                    raise DataError(f"{path}: expected a whole plain file, got a part of {member.name}", name)
                if suffix == "flac":
                    audio[name] = (member.offset_data, member.size)
                else:
                    body = tar.extractfile(member)
                    metas[name] = _checked(body.read(BIGGEST_JSON) if body else b"", name, path)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"expected a whole shard: {error}", str(path)) from error
    if lonely := sorted(audio.keys() ^ metas.keys()):
        raise DataError(f"{path}: expected .flac and .json of each dialogue, got only one of them", lonely[0])
    return {n: m | {"shard": path.name, "at": audio[n][0], "size": audio[n][1]} for n, m in metas.items()}


def _checked(body: bytes, name: str, shard: Path) -> Meta:
    try:
        meta: Meta = json.loads(body)
        wanted = {"schema": SCHEMA, "id": name}
        got = {k: meta[k] for k in wanted}
        missing = {"split", "instruction", "tools", "events", "speech", *KEPT} - meta.keys()
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{shard}: expected the JSON of a dialogue: {error!r}", name) from error
    if got != wanted or missing or meta["tools"] not in TOOLS:
        shown = f"{got}, tools {meta.get('tools')!r}, without {sorted(missing)}"
        raise DataError(f"{shard}: expected {wanted}, tools of {sorted(TOOLS)} and all fields, got {shown}", name)
    return meta


def plan(metas: Sequence[Meta], split: str, per_task: int, seed: int) -> list[Item]:
    """One item a dialogue, at most `per_task` of each sub-task (0: all), drawn by seed.

    In turn one that wants something and one that does not.

    ConfigError where a dialogue is of another split: what a model was trained on is not held out.
    """
    if strange := sorted({str(m["split"]) for m in metas} - {split}):
        raise ConfigError(f"--split: expected dialogues of split {split!r} alone, got {', '.join(strange)}")
    kept: list[Item] = []
    for subtask in sorted({str(m["subtask"]) for m in metas}):
        mine = [m for m in metas if m["subtask"] == subtask]
        draw(seed, "tasks", subtask).shuffle(mine)
        turns = {side: [m for m in mine if bool(m["responses"]) is side] for side in (True, False)}
        order = [m for pair in zip_longest(turns[True], turns[False]) for m in pair if m is not None]
        kept += [_item(m, seed) for m in order[: per_task or None]]
    return sorted(kept, key=lambda i: i.id)


def _item(meta: Meta, seed: int) -> Item:
    facts = {k: meta[k] for k in (*KEPT, "shard", "at", "size")}
    for name, keys in (("events", OF_EVENTS), ("speech", OF_SPEECH)):
        facts[name] = [{k: thing[k] for k in keys} for thing in meta[name]]
    file = TOOLS[meta["tools"]]
    return Item(
        meta["id"],
        meta["ability"],
        meta["subtask"],
        "yes" if meta["responses"] else "no",
        meta["id"],
        item_seed(seed, meta["id"]),
        seconds=meta["samples"] / SAMPLE_RATE_HZ + TAIL_S,
        instruction=meta["instruction"],
        tools=tool_file(file) if file else "",
        facts=facts,
    )


def audio_of(item: Item, folder: Path, chunk: int) -> FloatArray:
    """[n] samples of a dialogue and `TAIL_S` of its own noise, a whole number of chunks.

    DataError for audio that cannot be decoded or is not what its JSON says.
    """
    with (folder / item.facts["shard"]).open("rb") as file:
        file.seek(item.facts["at"])
        body = file.read(item.facts["size"])
    try:
        audio, rate = soundfile.read(io.BytesIO(body), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DataError(f"expected FLAC, got what cannot be decoded: {error}", item.id) from error
    if rate != SAMPLE_RATE_HZ or audio.shape != (item.facts["samples"], 1):
        wanted = f"{SAMPLE_RATE_HZ} Hz mono, {item.facts['samples']} samples"
        raise DataError(f"expected {wanted}, got {rate} Hz, {audio.shape}", item.id)
    heard = audio[:, 0]
    count = -(-(len(heard) + samples(TAIL_S)) // chunk) * chunk - len(heard)
    return np.concatenate([heard, looped(_quietest(heard), count)])


def _quietest(audio: FloatArray) -> FloatArray:
    """`QUIET_S` out of the last `NEAR_S`: what goes on when everything is over."""
    near, length = audio[-samples(NEAR_S) :], samples(QUIET_S)
    starts = range(0, max(1, len(near) - length), length // 6)
    begin = min(starts, key=lambda k: float(np.mean(np.square(near[k : k + length], dtype=np.float64))))
    return near[begin : begin + length]


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """One row for each system of `names`."""
    return each(item, names, shop.systems, lambda system: _row(item, system, shop, tick))


def _row(item: Item, system: System, shop: Shop, tick: Tick) -> Row:
    began = time.perf_counter()
    if system.chunk != item.facts["chunk"]:
        raise DataError(f"expected chunks of {system.chunk} samples, got {item.facts['chunk']}", item.id)
    audio = audio_of(item, shop.setup.audio, system.chunk)
    listener = system.open(Ask(item.instruction, shop.tools(item.tools), item.seed))
    body = record(drive(listener, audio, system.chunk, tick))
    facts = {"chunk": system.chunk, "samples": len(audio), "wall_s": round(time.perf_counter() - began, 3)}
    return {"id": item.id, "system": system.name, "item": item.to_dict()} | facts | body


def identity(folder: Path) -> str:
    """sha256 of the shards of a folder."""
    sha = hashlib.sha256()
    for shard in sorted(folder.glob("*.tar")):
        with shard.open("rb") as file:
            sha.update(f"{shard.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return sha.hexdigest()[:16]


def run_tasks(o: runs.Options, data: Path | None, split: str = "dev", per_task: int = 0) -> runs.Result:
    """Hear what is missing, score, and write the report. `o.systems` of `SYSTEMS`; without memory only what looks back.

    Raises:
        ConfigError: unknown systems, no data where something is to be heard, no rows. DataError: as `read_metas`.
    """
    if strange := set(o.systems) - set(SYSTEMS):
        raise ConfigError(f"--systems: expected some of {', '.join(SYSTEMS)}, got {', '.join(sorted(strange))}")
    if not o.score_only:
        if data is None:
            raise ConfigError("expected the folder of the dialogues, or --score-only")
        items = plan(read_metas(data), split, per_task, o.seed)
        _hear_all(replace(o, per_class=per_task), data, items)
    rows = instances.read(o.out)
    if not rows:
        raise ConfigError(f"{o.out}: expected instances.jsonl with rows of tasks, got none")
    figures = task_scores.score(rows)
    section = report.Section("tasks", task_tables.tables(figures), task_tables.pictures(figures))
    about = report.facts(runs.saved_config(o.out)) | {"instances_sha256": instances.digest(o.out)}
    report.write(o.out, "SoundFlow: all sub-tasks on held-out dialogues", [section], figures, about)
    return runs.Result(figures, section, rows)


def _hear_all(o: runs.Options, data: Path, items: Sequence[Item]) -> None:
    listed = hashlib.sha256(json.dumps([i.to_dict() for i in items], sort_keys=True).encode()).hexdigest()[:16]
    ours = {"adapter": runs.identity(o.adapter)} if {OURS, NO_MEMORY} & set(o.systems) else {}
    config = {"bench": "tasks", "seed": o.seed, "per_task": o.per_class, "shards": identity(data), "plan": listed}
    instances.check_config(o.out, config | ours | {"systems": list(o.systems)})
    everywhere = tuple(s for s in o.systems if s != NO_MEMORY)
    groups = [(everywhere, list(items))]
    if NO_MEMORY in o.systems:
        groups.append(((NO_MEMORY,), [i for i in items if _looks_back(i)]))
    for systems, mine in groups:
        if systems and mine:
            setup = Setup(data, systems, o.adapter)
            run("tasks", mine, o.out, setup, hear, workers=o.workers, lengths=[i.seconds for i in mine])


def _looks_back(item: Item) -> bool:
    """Whether a question of it is about an earlier turn or sound."""
    return any(r.get("refers_to") and r["clock"] == "endpoint" for r in item.facts["responses"])
