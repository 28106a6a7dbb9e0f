"""Checks every invariant of a set of shards."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_builder.corpora.folder import read_index, select
from data_builder.schema import CHUNK, DELAY_MS, MAX_CHUNKS, MIN_CHUNKS, SCHEMA, due_chunk, evidence_end
from data_builder.shards import read_shard, sha256, shard_paths
from data_builder.texts.devices import TOOL_SETS
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

MIN_SILENT = 0.40
SHARE_FROM = 200  # streams from which the share of silent ones is checked
MADE = ("synth:", "music:", "bank:", "noise:")


def check_sample(meta: dict[str, Any], audio: NDArray[np.int16], rate: int) -> list[str]:
    """What is wrong with one sample; empty where it is right."""
    bad: list[str] = []

    def need(ok: bool, what: str) -> None:
        if not ok:
            bad.append(what)

    n = meta["samples"]
    need(meta["schema"] == SCHEMA, f"schema: expected {SCHEMA}, got {meta['schema']}")
    need(rate == SAMPLE_RATE_HZ and audio.ndim == 1, f"expected 16 kHz mono, got {rate} Hz, {audio.ndim} axes")
    need(len(audio) == n, f"expected {n} samples of audio, got {len(audio)}")
    need(n % CHUNK == 0 and MIN_CHUNKS <= n // CHUNK <= MAX_CHUNKS, f"length {n}: expected 20 to 50 whole chunks")
    need(meta["tools"] in ("", *TOOL_SETS), f"tools: got {meta['tools']!r}")
    things = {t["id"]: t for t in (*meta["events"], *meta["speech"])}
    need(len(things) == len(meta["events"]) + len(meta["speech"]), "an id is used twice")
    for t in things.values():
        need(0 <= t["onset"] < t["offset"] <= n, f"{t['id']}: onset and offset outside the stream")
    for e in meta["events"]:
        need(e["evidence_end"] == evidence_end(e["onset"], e["offset"]), f"{e['id']}: wrong evidence_end")
    avoided = {a["id"] for a in meta["avoid"]}
    answered = [r["trigger"] for r in meta["responses"]]
    need(not avoided & set(answered), f"a negative is answered: {sorted(avoided & set(answered))}")
    need(avoided | set(answered) == set(things), "an item is neither answered nor to be avoided")
    need(len(set(answered)) == len(answered), "an item is answered twice")
    need(meta["subtask"] != "silence" or not answered, "a silence stream has a response")
    for r in meta["responses"]:
        bad += _response(meta, r, things.get(r["trigger"]))
    dues = [r["due_chunk"] for r in meta["responses"]]
    need(len(set(dues)) == len(dues), "two responses in one chunk")
    used = {t["licence"] for t in things.values()}
    need(used <= set(meta["licences"]), f"licences: {sorted(used - set(meta['licences']))} missing")
    return bad


def _response(meta: dict[str, Any], r: dict[str, Any], trigger: dict[str, Any] | None) -> list[str]:
    if trigger is None:
        return [f"response to unknown {r['trigger']!r}"]
    bad: list[str] = []
    speech = trigger["id"].startswith("s")
    clock, end = ("endpoint", trigger["offset"]) if speech else ("sound", trigger.get("evidence_end"))
    if r["clock"] != clock or r["evidence_end"] != end:
        bad.append(
            f"{r['trigger']}: expected clock {clock} and evidence {end}, got {r['clock']} and {r['evidence_end']}"
        )
    if not DELAY_MS[0] <= r["delay_ms"] <= DELAY_MS[1]:
        bad.append(f"{r['trigger']}: delay {r['delay_ms']} ms outside {DELAY_MS}")
    expected = due_chunk(r["evidence_end"], r["delay_ms"], r["clock"])
    if r["due_chunk"] != expected or expected >= meta["samples"] // CHUNK:
        bad.append(f"{r['trigger']}: due_chunk {r['due_chunk']}, expected {expected}, inside the stream")
    if r["kind"] == "act":
        names = [t["name"] for t in TOOL_SETS.get(meta["tools"], ())]
        if not r["call"] or r["call"]["name"] not in names or r["text"]:
            bad.append(f"{r['trigger']}: call {r['call']} not of tool set {meta['tools']!r}")
    elif r["kind"] != "speak" or not r["text"] or r["call"] or len(r["text"].split()) > 40:
        bad.append(f"{r['trigger']}: expected a short text to speak, got {r['text']!r}")
    if speech and not trigger["addressed"]:
        bad.append(f"{r['trigger']}: answers speech that is not addressed")
    return bad


def _sources(meta: dict[str, Any]) -> set[str]:
    names = {t["source"] for t in (*meta["events"], *meta["speech"])} | {meta["mix"]["bed"]}
    if "backdrop" in meta["mix"]:
        names.add(meta["mix"]["backdrop"]["source"])
    return {s for s in names if not s.startswith(MADE) and s not in ("room_tone", "zero")}


def check(folder: Path, audio: Sequence[Path] = ()) -> tuple[list[str], dict[str, Any]]:
    """(findings, statistics) of a build.

    With `audio` (every folder of the build), sources are held against splits and licences.
    """
    index_file = folder / "index.json"
    if not index_file.is_file():
        raise DataError(f"expected a finished build in {folder}, got no index.json")
    index = json.loads(index_file.read_text())
    allowed: set[str] | None = None
    if audio:
        rows = [row for root in audio for row in read_index(root)]
        allowed = {r.path for r in select(rows, index["split"], index["noncommercial"])}
    findings: list[str] = []
    listed = {s["name"]: s for s in index["shards"]}
    if set(listed) != {p.name for p in shard_paths(folder)}:
        findings.append("index.json and the shards in the folder differ")
    tally: Counter[str] = Counter()
    seen: set[str] = set()
    for path in shard_paths(folder):
        if path.name in listed and sha256(path) != listed[path.name]["sha256"]:
            findings.append(f"{path.name}: sha256 differs from index.json")
        for meta, samples, rate in read_shard(path):
            where = meta["id"]
            findings += [f"{where}: {b}" for b in check_sample(meta, samples, rate)]
            if meta["split"] != index["split"] or meta["seed"] != index["seed"]:
                findings.append(f"{where}: split or seed differs from index.json")
            if where in seen:
                findings.append(f"{where}: id used twice")
            seen.add(where)
            if allowed is not None and (stray := _sources(meta) - allowed):
                findings.append(f"{where}: {sorted(stray)} not of split {index['split']} or not openly licensed")
            count(tally, meta)
    if len(seen) != index["streams"]:
        findings.append(f"expected {index['streams']} streams, got {len(seen)}")
    silent = tally["without a response"] / max(1, len(seen))
    if not index["subtask"] and len(seen) >= SHARE_FROM and silent < MIN_SILENT:
        findings.append(f"expected at least {MIN_SILENT:.0%} of streams without a response, got {silent:.1%}")
    return findings, dict(tally)


def count(tally: Counter[str], meta: dict[str, Any]) -> None:
    """Add a sample to a tally: streams, chunks, sub-tasks, responses by kind, events by label and source."""
    tally["streams"] += 1
    tally["chunks"] += meta["samples"] // meta["chunk"]
    tally[f"subtask {meta['subtask']}"] += 1
    tally["without a response"] += not meta["responses"]
    for r in meta["responses"]:
        tally[f"response {r['kind']}"] += 1
    answered = {r["trigger"] for r in meta["responses"]}
    for e in meta["events"]:
        tally[f"event {e['label']} {'answered' if e['id'] in answered else 'silent'}"] += 1
        tally[f"events {e['kind']}"] += 1
    for s in meta["speech"]:
        tally[f"speech {'synthetic' if s['source'].startswith('bank:') else 'real'}"] += 1
        tally[f"speech {'addressed' if s['addressed'] else 'not addressed'}"] += 1
