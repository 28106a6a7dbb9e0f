"""Catalog of a folder's clips: one pass that checks each, quarantines the bad, finds duplicates, and is never repeated.

What was found of a file is kept as a JSON line under a cache folder for as long as its size and time of change hold.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_builder.catalog_cache import Cache
from data_builder.clip_facts import CELLS, Facts, Limits
from data_builder.corpora.folder import Row
from data_builder.crew import Found, examine, examine_all
from soundflow.errors import ConfigError, DataError

KEPT_FIRST: Final = ("dev", "cal", "train")
LIKENESS: Final = 0.97  # of 8,757 clips none known to be different pass 0.945; 98 % of copies at 30 dB noise pass this
LENGTH_SHARE, LENGTH_S = 0.03, 0.03  # how much the spans of near-duplicates may differ
_ROWS, _COLUMNS = 256, 4096  # of the likeness matrix at once


@dataclass(frozen=True, slots=True)
class Entry:
    """A usable clip: its row of the index and what was measured."""

    row: Row
    facts: Facts


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A clip that is left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Usable clips and the others, in the order of the rows. `measured`: how many files were read this time."""

    entries: tuple[Entry, ...]
    quarantined: tuple[Quarantined, ...]
    measured: int


@dataclass(frozen=True, slots=True)
class Group:
    """Clips that are one recording: the one that stays, and the others. `likeness`: of the weakest link, 1 = exact."""

    keep: Entry
    drop: tuple[Entry, ...]
    likeness: float


def build_catalog(
    root: Path,
    rows: Sequence[Row],
    cache: Path,
    workers: int = 0,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Catalog:
    """Measure and check every clip of `rows` under `root`; a second call reads only what has changed.

    Args:
        root: folder that the paths of `rows` are relative to.
        rows: of the folder's index.
        cache: folder for what was found; nothing is written elsewhere.
        workers: processes; a file that crashes or hangs its process is quarantined. 0 = in this process, unguarded.
        limits: bounds of a clip.
        progress: called with (files measured, files to measure) as results come in.

    Raises:
        ConfigError: `workers` is negative, or the cache folder cannot be written.
        DataError: worker processes do not start at all.
    """
    if workers < 0:
        raise ConfigError(f"catalog: workers: expected 0 or more, got {workers}")
    limits = limits or Limits()
    known: dict[str, Facts | str] = {}
    stamps: dict[str, str] = {}
    with Cache(cache, root) as kept:
        for path in dict.fromkeys(row.path for row in rows):
            try:
                stamp = _stamp(root, path, limits)
            except DataError as err:
                known[path] = str(err)
                continue
            before = kept.get(path, stamp)
            if before is None:
                stamps[path] = stamp
            else:
                known[path] = before
        for done, found in enumerate(_measured(root, limits, list(stamps), workers), 1):
            known[found.path] = found.outcome
            if found.lasting:
                kept.add(found.path, stamps[found.path], found.outcome)
            if progress:
                progress(done, len(stamps))
    entries: list[Entry] = []
    quarantined: list[Quarantined] = []
    for row in rows:
        facts = known[row.path]
        reason = facts if isinstance(facts, str) else _fault(row, facts, limits)
        if isinstance(facts, Facts) and not reason:
            entries.append(Entry(row, facts))
        else:
            quarantined.append(Quarantined(row.path, reason))
    return Catalog(tuple(entries), tuple(quarantined), len(stamps))


def _measured(root: Path, limits: Limits, paths: list[str], workers: int) -> Iterable[Found]:
    if workers == 0:
        return (examine(root, limits, path) for path in paths)
    return examine_all(root, limits, paths, workers)


def _stamp(root: Path, path: str, limits: Limits) -> str:
    """Changes when the file, or a limit that decides how it is read, does. Raises DataError where there is no file."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts:
        raise DataError("expected a path inside the folder")
    try:
        found = os.stat(root / path)
    except OSError as err:
        raise DataError(f"expected a file, got none: {err.strerror}") from err
    except ValueError as err:
        raise DataError(f"expected the name of a file: {err}") from err
    return f"{found.st_size}:{found.st_mtime_ns}:{limits.max_bytes}:{limits.max_s:g}"


def _fault(row: Row, facts: Facts, limits: Limits) -> str:
    """Why a clip that could be read is still not usable; "" where it is."""
    if facts.clipped > limits.clipped:
        return f"expected at most {limits.clipped:.0%} of the samples at full scale, got {facts.clipped:.1%}"
    if abs(facts.seconds - row.seconds) > max(limits.off_s, limits.off_share * row.seconds):
        return f"expected the {row.seconds:.3f} s of the index, got {facts.seconds:.3f} s"
    return ""


def _standing(entry: Entry) -> tuple[int, str]:
    return KEPT_FIRST.index(entry.row.split), entry.row.path


def near_duplicates(entries: Sequence[Entry], likeness: float = LIKENESS) -> list[Group]:
    """Groups of clips that are one recording: same samples, or alike in length and fingerprint.

    Two clips are alike where both cosines reach `likeness`: of the fingerprints as they are (what it sounds like), and
    with every band about its own mean (how it goes in time), without which any two steady sounds of one colour would
    pass. Of a group one stays: from dev before cal before train, and of these the first path.
    """
    leader = list(range(len(entries)))
    weakest = [1.0] * len(entries)

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    def join(i: int, j: int, how: float) -> None:
        a, b = find(i), find(j)
        low = min(weakest[a], weakest[b], how)
        if a != b:
            leader[max(a, b)] = min(a, b)
            weakest[min(a, b)] = low

    first: dict[str, int] = {}
    for i, entry in enumerate(entries):
        join(first.setdefault(entry.facts.sha256, i), i, 1.0)
    alone = [i for i in range(len(entries)) if find(i) == i]
    for i, j, how in likely_pairs([entries[i].facts for i in alone], likeness):
        join(alone[i], alone[j], how)
    members: dict[int, list[Entry]] = {}
    for i, entry in enumerate(entries):
        members.setdefault(find(i), []).append(entry)
    groups = []
    for head, group in members.items():
        if len(group) > 1:
            keep, *drop = sorted(group, key=_standing)
            groups.append(Group(keep, tuple(drop), weakest[head]))
    return groups


def without_duplicates(entries: Sequence[Entry], groups: Sequence[Group]) -> list[Entry]:
    """`entries` in their order, less those that `groups` drop."""
    gone = {id(entry) for group in groups for entry in group.drop}
    return [entry for entry in entries if id(entry) not in gone]


def likely_pairs(facts: Sequence[Facts], likeness: float) -> Iterator[tuple[int, int, float]]:
    """(i, j, likeness) of the pairs alike in length whose fingerprints are; memory is bounded by tiles."""
    order = np.argsort([f.span_s for f in facts], kind="stable")
    lengths = np.array([facts[i].span_s for i in order])
    codes = np.array([np.frombuffer(base64.b64decode(facts[i].fingerprint), np.int8) for i in order])
    for top in range(0, len(order), _ROWS):
        rows = _unit(codes[top : top + _ROWS])
        reach = lengths[top : top + _ROWS] * (1 + LENGTH_SHARE) + LENGTH_S
        end = int(np.searchsorted(lengths, reach[-1], side="right"))
        for left in range(top, end, _COLUMNS):
            right = min(end, left + _COLUMNS)
            alike = rows @ _unit(codes[left:right]).T
            near = (alike >= likeness) & (lengths[left:right] <= reach[:, None])
            near &= np.arange(left, right) > np.arange(top, top + len(rows))[:, None]
            i, j = np.nonzero(near)
            for part in range(0, len(i), _COLUMNS):
                a, b = i[part : part + _COLUMNS], j[part : part + _COLUMNS]
                moving = np.sum(_unit(_moving(codes[top + a])) * _unit(_moving(codes[left + b])), axis=1)
                both = np.minimum(moving, alike[a, b])
                found = np.flatnonzero(both >= likeness)
                yield from ((int(order[top + a[k]]), int(order[left + b[k]]), float(both[k])) for k in found)


def _moving(codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """[M, 512] with each band about its own mean over time."""
    cells = codes.reshape(len(codes), CELLS, -1).astype(np.float32)
    return np.asarray((cells - cells.mean(axis=1, keepdims=True)).reshape(len(codes), -1), dtype=np.float32)


def _unit(codes: NDArray[np.int8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """[M, 512] of length one, or of zeros."""
    x = codes.astype(np.float32)
    return np.asarray(x / np.maximum(np.sqrt(np.sum(x * x, axis=1, keepdims=True)), 1e-6), dtype=np.float32)
