"""Which recordings go into which stream of single events, drawn by a published seed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.compose import Bed, Item, Part
from benchmarks.corpus import ADDRESSED, Row
from soundflow.errors import DataError

LEAD_S, TAIL_S, EVENT_S = 4.0, 3.2, 5.0
SPEECH_GROUPS = {
    "librispeech_train-clean-100_3spk": "read speech",
    "an4_test": "spelling",
    "speech_commands_subset": "single words",
    "fsdd": "single words",
}
NO_BED = ("alarm",)
CROPS = 4  # ambience crops of one recording


def draw(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and on names, and on nothing else."""
    return np.random.default_rng(np.random.SeedSequence([seed, *(zlib.crc32(n.encode()) for n in names)]))


def item_seed(seed: int, name: str) -> int:
    """A number of its own for each item."""
    return (seed * 1_000_003 + zlib.crc32(name.encode())) % 2**31


def capped(rows: Iterable[Row], per_class: int, seed: int, what: str) -> list[Row]:
    """At most `per_class` of the rows (0 = all), drawn by seed; within a class open and closed rows in turn."""
    ordered = sorted(rows, key=lambda r: r.path)
    draw(seed, "cap", what).shuffle(ordered)
    turns: dict[bool, int] = {}
    ranked = []
    for row in ordered:
        turns[row.open] = turns.get(row.open, 0) + 1
        ranked.append((turns[row.open], not row.open, row))
    ranked.sort(key=lambda r: r[:2])
    kept = [r[2] for r in ranked]
    return kept[:per_class] if per_class else kept


def beds(rows: Sequence[Row], split: str) -> list[Row]:
    """Ambience that may lie under a stream."""
    return [r for r in rows if r.kind == "ambience" and r.split == split and r.label not in NO_BED]


def a_bed(rows: Sequence[Row], db: float, rng: np.random.Generator) -> Bed:
    """Room tone in half of the streams, ambience in the others."""
    if not rows or rng.random() < 0.5:
        return Bed("room", db)
    return Bed("file", db, rows[int(rng.integers(len(rows)))].path)


def single_events(rows: Sequence[Row], split: str, per_class: int, seed: int, snrs: Sequence[float]) -> list[Item]:
    """Streams of 4 s bed, one sound, 3.2 s tail, the bed going through at `snr` dB under the sound.

    Groups: "event" (respond yes, no, context), "ambience" (5 s crops), "music", "speech" (not addressed). Train keeps
    to openly licensed rows.

    Raises:
        DataError: no clip of one of the two sides.
    """
    mine = [r for r in rows if r.split == split and (split != "train" or r.open)]
    lying = beds(rows, split)
    found: list[Item] = []
    for snr in snrs:
        for (group, label, respond), members in _classes(mine).items():
            count = 1 if group == "ambience" else 0
            for row in capped(members, count or per_class, seed, f"{group}/{label}"):
                for k, start in enumerate(_crops(row, group, per_class)):
                    name = f"{snr:g}dB/{group}/{label}/{row.path}" + (f"#{k}" if group == "ambience" else "")
                    rng = draw(seed, name)
                    level = float(rng.uniform(-32.0, -18.0))
                    part = Part(row.path, LEAD_S, start, EVENT_S, round(level, 1))
                    bed = a_bed([b for b in lying if b.path != row.path], round(level - snr, 1), rng)
                    facts = {"open": row.open, "dataset": row.dataset, "snr": snr}
                    who = (row.speaker if group == "speech" else "") or row.path
                    shown = "ambience" if group == "ambience" and respond == "no" else label
                    seeded = item_seed(seed, name)
                    found.append(Item(name, group, shown, respond, who, seeded, (part,), bed, TAIL_S, facts=facts))
    for side in ("yes", "no"):
        if not any(i.respond == side for i in found):
            raise DataError(f"expected clips of split {split} with respond={side}, got none")
    return found


def _classes(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """(group, label, respond) -> rows; speech by kind of speech, an alerting ambience row counts as an event."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row.kind == "speech":
            kind = SPEECH_GROUPS.get(row.dataset)
            if kind is not None and row.dataset not in ADDRESSED:
                found.setdefault(("speech", kind, "no"), []).append(row)
        elif row.kind == "ambience" and row.respond == "no":
            found.setdefault(("ambience", row.label, "no"), []).append(row)
        else:
            group = "event" if row.kind == "ambience" else row.kind
            found.setdefault((group, row.label, row.respond), []).append(row)
    return dict(sorted(found.items()))


def _crops(row: Row, group: str, per_class: int) -> list[float]:
    """Where the crops of a long recording begin; a single 0.0 for other groups."""
    if group != "ambience":
        return [0.0]
    room = max(0.0, row.seconds - EVENT_S - 1.0)
    count = min(CROPS if per_class == 0 else max(1, per_class // 6), 1 + int(room // EVENT_S))
    return [round(float(x), 2) for x in np.linspace(0.0, room, count)] if count > 1 else [0.0]
