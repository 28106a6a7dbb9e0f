"""Checks every invariant of builds: each sample alone, and what must hold of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_builder.check_sample import check_sample
from data_builder.corpora import drums, instruments
from data_builder.corpora.folder import read_index, select
from data_builder.shards import read_shard, sha256, shard_paths
from data_builder.stats import build_index
from data_builder.subtasks import SUBTASKS
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

MIN_SILENT: Final = 0.40
REAL_SPEECH: Final = (0.25, 0.50)
SHARE_FROM: Final = 150  # streams from which shares are checked
MUSIC: Final = "music:"
MADE: Final = ("synth:", "tts:", "noise:")
PLAYED: Final = tuple(MUSIC + recipe.PREFIX for recipe in (instruments, drums))  # pieces made of recorded notes
MOST_FINDINGS: Final = 1000


@dataclass(slots=True)
class Checked:
    """`findings`: what is wrong, at most MOST_FINDINGS. The rest is counted over all samples."""

    findings: list[str] = field(default_factory=list)
    streams: int = 0
    silent: int = 0
    seconds: float = 0.0
    real_speech: float = 0.0
    made_speech: float = 0.0
    subtasks: Counter[str] = field(default_factory=Counter)
    sources: dict[str, str] = field(default_factory=dict)  # recording or speaker -> split of the build that uses it

    @property
    def silent_share(self) -> float:
        return self.silent / max(1, self.streams)

    @property
    def real_share(self) -> float:
        return self.real_speech / max(1e-9, self.real_speech + self.made_speech)

    def find(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(what)


def check(folders: Sequence[Path], audio: Sequence[Path] = ()) -> Checked:
    """Check builds. With `audio` (every folder of clips of them), recordings are held against splits and licences.

    Over several builds no recording and no speaker may be in two splits. Raises DataError for a folder that is no
    finished build.
    """
    if not folders:
        raise DataError("expected at least one folder of a build, got none")
    result = Checked()
    for folder in folders:
        _check_build(folder, audio, result)
    return result


def _check_build(folder: Path, audio: Sequence[Path], result: Checked) -> None:
    index = build_index(folder)
    allowed: set[str] | None = None
    if audio:
        rows = [row for root in audio for row in read_index(root)]
        allowed = {r.path for r in select(rows, index["split"], index["noncommercial"])}
    listed = {s["name"]: s for s in index["shards"]}
    paths = shard_paths(folder)
    if set(listed) != {p.name for p in paths}:
        result.find(f"{folder}: index.json and the shards in the folder differ")
    before, seen = result.streams, set[str]()
    share = Checked()
    for path in paths:
        row = listed.get(path.name)
        if row is not None and (path.stat().st_size != row["bytes"] or sha256(path) != row["sha256"]):
            result.find(f"{path}: size or sha256 differs from index.json")
        for meta, pcm, rate in read_shard(path):
            _check_stream(meta, pcm, rate, index, seen, allowed, result)
            _count(share, meta)
    if len(seen) != index["streams"]:
        result.find(f"{folder}: expected {index['streams']} streams, got {len(seen)}")
    _check_shares(folder, index, share, result)
    result.streams = before + share.streams
    for name in ("silent", "seconds", "real_speech", "made_speech"):
        setattr(result, name, getattr(result, name) + getattr(share, name))
    result.subtasks.update(share.subtasks)


def _check_stream(
    meta: dict[str, Any],
    pcm: NDArray[np.int16],
    rate: int,
    index: dict[str, Any],
    seen: set[str],
    allowed: set[str] | None,
    result: Checked,
) -> None:
    where = str(meta.get("id"))
    for finding in check_sample(meta, pcm, rate):
        result.find(f"{where}: {finding}")
    if meta["split"] != index["split"] or meta["seed"] != index["seed"]:
        result.find(f"{where}: split or seed differs from index.json")
    if where in seen:
        result.find(f"{where}: id used twice")
    seen.add(where)
    names = {s["source"] for s in meta["sources"]}
    real = {s for s in names if not s.startswith((*MADE, MUSIC))}
    if allowed is not None and (stray := real - allowed):
        result.find(f"{where}: {sorted(stray)[:3]} not of split {index['split']}, or not openly licensed")
    played = {s.rsplit("-", 1)[0] for s in names if s.startswith(PLAYED)}  # all pieces of an instrument are its notes
    for name in real | played | {s["speaker"] for s in meta["sources"] if s["speaker"]}:
        other = result.sources.setdefault(name, meta["split"])
        if other != meta["split"]:
            result.find(f"{where}: {name!r} is used by split {other} too")


def _count(tally: Checked, meta: dict[str, Any]) -> None:
    tally.streams += 1
    tally.silent += not meta["responses"]
    tally.seconds += meta["samples"] / SAMPLE_RATE_HZ
    tally.subtasks[meta["subtask"]] += 1
    for s in meta["speech"]:
        length = (s["offset"] - s["onset"]) / SAMPLE_RATE_HZ
        if s["source"].startswith("tts:"):
            tally.made_speech += length
        else:
            tally.real_speech += length


def _check_shares(folder: Path, index: dict[str, Any], share: Checked, result: Checked) -> None:
    whole = {k: v for k, v in index["shares"].items() if v > 0}
    if set(whole) != set(SUBTASKS) or len(set(whole.values())) > 1 or share.streams < SHARE_FROM:
        return  # a build of a part, or a short one: shares are what was asked for
    if missing := sorted(set(SUBTASKS) - set(share.subtasks)):
        result.find(f"{folder}: no dialogue of {', '.join(missing)}")
    if share.silent_share < MIN_SILENT:
        result.find(f"{folder}: expected {MIN_SILENT:.0%} of streams without a response, got {share.silent_share:.1%}")
    low, high = REAL_SPEECH
    if not low <= share.real_share <= high:
        result.find(f"{folder}: expected {low:.0%} to {high:.0%} real speech, got {share.real_share:.1%}")
