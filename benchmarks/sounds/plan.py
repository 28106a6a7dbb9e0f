"""Streams of several sounds over ambience, composed by a published seed; no recording is in two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.compose import Bed, Item, Part, cut
from benchmarks.corpus import Clips, Row
from benchmarks.plan import beds, capped, draw, item_seed
from benchmarks.sounds.classes import BED, Classes, read
from soundflow.clock import samples, seconds
from soundflow.errors import DataError

STREAM_S, FULL_S = 60.0, 56.0  # what is planned ends here; recordings without their quiet ends are shorter
EVENT_S = (2.0, 8.0)  # a sound is cut to so much at most
GAP_S = (0.8, 6.0)
OVERLAP, OVERLAP_S = 0.3, (0.4, 2.0)  # share of the sounds that begin before the one before has ended, and by how much
AGAIN = 0.3  # share of the sounds whose class was in the stream before
APART_S = 1.2  # between two sounds of one class
EMPTY = 0.1  # share of the streams with nothing but a bed
LEVEL_DB = (-32.0, -18.0)
SPREAD_DB = 3.0  # of sounds around the level of their stream
SHORTEST_S = 0.2
LEAST = 3  # recordings of a class in the split; classes of fewer are left out


@dataclass(frozen=True, slots=True)
class _Sound:
    row: Row
    label: str  # the class


def streams(
    rows: Sequence[Row],
    classes: Classes,
    minutes: float,
    seed: int,
    split: str = "dev",
    snr: float = 20.0,
    most: int = 0,
) -> list[Item]:
    """One-minute streams of a split. One in ten holds no sound; the bed is `snr` dB under the level of its stream.

    Recordings are taken class by class in turn, so that small classes are not drowned by large ones, each once: streams
    share no recording but their beds, and are what a bootstrap draws. A class that the bed is of is `ignored` in the
    stream. Where recordings run out there are fewer streams.

    Args:
        most: recordings of a class; 0 = all.

    Raises:
        DataError: no class has LEAST recordings, or a label that the classes do not have.
    """
    pool = _pool(rows, classes, split, seed, most)
    kinds = read(BED)
    lying = [(r.path, kinds.of(r.label, r.path)) for r in beds(rows, split)]
    found: list[Item] = []
    count = max(1, round(minutes * 60 / STREAM_S))
    for k in range(count):
        name = f"events/{split}/{snr:g}dB/{k:04d}"
        rng = draw(seed, name)
        empty = k % round(1 / EMPTY) == round(1 / EMPTY) - 1
        if not empty and not any(pool.values()):
            break
        level = float(rng.uniform(*LEVEL_DB))
        bed, under = _bed(lying, level - snr, rng)
        sounds, parts = ([], []) if empty else _fill({c: x for c, x in pool.items() if c != under}, level, rng)
        facts = {
            "split": split,
            "snr": snr,
            "set": classes.name,
            "ignored": [under] if under else [],
            "events": [{"class": s.label, "label": s.row.label, "open": s.row.open} for s in sounds],
        }
        fields = (name, "events", "empty" if empty else "sounds", "context", name, item_seed(seed, name))
        found.append(Item(*fields, tuple(parts), bed, 0.0, STREAM_S, facts=facts))
    return found


def placed(item: Item, clips: Clips) -> list[tuple[str, float, float]]:
    """(class, onset, offset) in seconds of every sound, as `benchmarks.compose.render` lays them; ordered by onset.

    Sounds behind the end of the stream are not in it. DataError as `cut`.
    """
    found, at, end = [], 0, samples(item.seconds)
    for part, fact in zip(item.parts, item.facts["events"], strict=True):
        at += samples(part.gap_s)
        length = len(cut(part, clips))
        if at < end:
            found.append((str(fact["class"]), seconds(at), seconds(min(end, at + length))))
        at += length
    return sorted(found, key=lambda x: x[1:])


def planned(item: Item) -> list[tuple[str, float, float]]:
    """The same without the audio, each sound as long as it may be: for a stream that could not be made."""
    if "truth" in item.facts:
        return [(str(c), float(a), float(b)) for c, a, b in item.facts["truth"]]
    found, at = [], 0.0
    for part, fact in zip(item.parts, item.facts["events"], strict=True):
        at += part.gap_s
        found.append((str(fact["class"]), round(at, 6), round(at + part.most_s, 6)))
        at += part.most_s
    return sorted(found, key=lambda x: x[1:])


def _pool(rows: Sequence[Row], classes: Classes, split: str, seed: int, most: int) -> dict[str, list[Row]]:
    """Class -> its recordings in the order in which they are taken."""
    by_class: dict[str, list[Row]] = {}
    for row in rows:
        if row.kind == "event" and row.split == split and (split != "train" or row.open):
            name = classes.of(row.label, row.path)
            if name and row.seconds >= SHORTEST_S:
                by_class.setdefault(name, []).append(row)
    kept = {name: by_class[name] for name in sorted(by_class) if len(by_class[name]) >= LEAST}
    if not kept:
        raise DataError(f"expected {LEAST} events of split {split} of at least one class of {classes.name!r}, got none")
    return {name: capped(members, most, seed, f"events/{name}") for name, members in kept.items()}


def _fill(pool: dict[str, list[Row]], level: float, rng: np.random.Generator) -> tuple[list[_Sound], list[Part]]:
    """Sounds of one stream, taken out of the pool, and how they are laid."""
    sounds: list[_Sound] = []
    parts: list[Part] = []
    at = least = 0.0  # `least`: where the next one would begin if those before had no length at all
    ends: dict[str, float] = {}
    taken: dict[str, int] = {}
    while any(pool.values()):
        row_class = _next(pool, taken, rng)
        row = pool[row_class][0]
        most = round(float(rng.uniform(*EVENT_S)), 2)
        length = min(most, row.seconds)
        gap = float(rng.uniform(*GAP_S))
        if parts and rng.random() < OVERLAP and sounds[-1].label != row_class:
            gap = -min(float(rng.uniform(*OVERLAP_S)), _length(parts[-1], sounds[-1].row) / 2)
        gap = round(max(gap, -least, ends.get(row_class, -APART_S) + APART_S - at), 2)
        if at + gap + length > FULL_S:
            break
        pool[row_class].pop(0)
        taken[row_class] = taken.get(row_class, 0) + 1
        db = round(level + float(rng.uniform(-SPREAD_DB, SPREAD_DB)), 1)
        parts.append(Part(row.path, gap, 0.0, most, db))
        sounds.append(_Sound(row, row_class))
        least += gap
        at += gap + length
        ends[row_class] = at
    return sounds, parts


def _length(part: Part, row: Row) -> float:
    return min(part.most_s, row.seconds)


def _next(pool: dict[str, list[Row]], taken: dict[str, int], rng: np.random.Generator) -> str:
    """A class of this stream once more, or else a new one; all classes are equally likely."""
    again = [c for c in taken if pool[c]]
    fresh = [c for c in pool if pool[c] and c not in taken]
    if again and (not fresh or rng.random() < AGAIN):
        return again[int(rng.integers(len(again)))]
    return fresh[int(rng.integers(len(fresh)))]


def _bed(lying: Sequence[tuple[str, str]], db: float, rng: np.random.Generator) -> tuple[Bed, str]:
    """Ambience in two streams of three, room tone in the others; and which class it is of ("": none)."""
    if not lying or rng.random() < 1 / 3:
        return Bed("room", round(db, 1)), ""
    path, under = lying[int(rng.integers(len(lying)))]
    return Bed("file", round(db, 1), path), under


def summary(items: Sequence[Item]) -> dict[str, Any]:
    """Streams, and how many sounds of each class were planned."""
    counts: dict[str, int] = {}
    for item in items:
        for name, *_ in planned(item):
            counts[name] = counts.get(name, 0) + 1
    return {"streams": len(items), "events": sum(counts.values()), "classes": dict(sorted(counts.items()))}
