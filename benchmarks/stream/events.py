"""Streams of N single events: does the twentieth sound of a stream get the answer that it gets alone?

The same recordings at the same level over the same kind of bed, alone (N = 1) and one behind the other, once with gaps
so long that no cool-down and no wariness of the session reaches the next sound, once with gaps of a few seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.compose import EVIDENCE_S, Bed, Item, Part
from benchmarks.corpus import Row
from benchmarks.instances import Row as Instance
from benchmarks.plan import EVENT_S, LEAD_S, TAIL_S, a_bed, beds, draw, item_seed
from benchmarks.stream.heard import lateness
from soundflow.clock import chunk_of, samples, seconds
from soundflow.errors import ConfigError, DataError
from soundflow.session import SessionConfig

ROUNDS: Final = (1, 3, 5, 10, 20)
LONG_S: Final = SessionConfig().cooldown_s + 6.0  # cool-down, the 2 s in which an answer still counts, and the lead
SHORT_S: Final = (4.0, 8.0)
SNR_DB: Final = 20.0
LONG, SHORT, ALONE = "long gaps", "short gaps", "alone"
GAPS: Final = (LONG, SHORT)
FEWEST: Final = 5  # classes a side of a long stream, so that what comes again has long been over


def plan(
    rows: Sequence[Row],
    rounds: Sequence[int],
    streams: int,
    seed: int,
    split: str = "dev",
    gaps: Sequence[str] = GAPS,
) -> list[Item]:
    """Items of max(rounds) events in `streams` draws; each smaller N cuts the same events into pieces.

    A draw holds different classes, alerting and benign ones in random order, about half of each (odd N: one more of
    either side in turn); a class comes again when all others of its side have come. Classes come in turn over all
    draws and each recording of a class before one comes again, so that every class is asked for about as often. Level
    and bed are a draw's, so that an event alone differs only by what surrounds it.

    Raises:
        ConfigError: N or the number of streams is under 1, or a gap that nobody knows.
        DataError: too few classes for one stream.
    """
    if not rounds or min(rounds) < 1 or streams < 1:
        raise ConfigError(f"rounds: expected numbers of at least 1 and a stream, got {list(rounds)} and {streams}")
    if not gaps or set(gaps) - set(GAPS):
        raise ConfigError(f"gaps: expected some of {', '.join(GAPS)}, got {list(gaps)}")
    most = max(rounds)
    queues = {side: _Turns(rows, side, seed, split) for side in ("yes", "no")}
    fewest = min(-(-most // 2), FEWEST)
    if any(len(q.labels) < fewest for q in queues.values()):
        raise DataError(f"rounds of {most}: expected {fewest} classes a side among {split} events")
    lying = beds(rows, split)
    found: list[Item] = []
    for k in range(streams):
        rng = draw(seed, f"rounds/{k}")
        wanted = most // 2 + (most % 2 if k % 2 else 0)
        sides = ["yes"] * wanted + ["no"] * (most - wanted)
        rng.shuffle(sides)
        events = [queues[side].next(k) for side in sides]
        level = round(float(rng.uniform(-32.0, -18.0)), 1)
        bed = a_bed(lying, round(level - SNR_DB, 1), rng)
        shorts = [round(float(x), 2) for x in rng.uniform(*SHORT_S, most)]
        for n in sorted({1, *rounds}):
            for start in range(0, most - n + 1, n):
                piece = events[start : start + n]
                for gap in (ALONE,) if n == 1 else gaps:
                    pauses = shorts if gap == SHORT else [LONG_S] * most
                    found.append(_item(k, start, piece, gap, pauses, level, bed, seed))
    return found


def _item(
    k: int, start: int, events: Sequence[Row], gaps: str, pauses: Sequence[float], level: float, bed: Bed, seed: int
) -> Item:
    name = f"rounds/{k:03d}/{start}+{len(events)}/{gaps}"
    parts = tuple(Part(row.path, LEAD_S if not j else pauses[j], 0.0, EVENT_S, level) for j, row in enumerate(events))
    told = [{"label": r.label, "respond": r.respond, "path": r.path, "event": start + j} for j, r in enumerate(events)]
    facts = {"rounds": len(events), "gaps": gaps, "stream": k, "events": told}
    where = ("events", f"{len(events)} {gaps}", "yes", f"rounds/{k:03d}", item_seed(seed, name))
    return Item(name, *where, parts, bed, TAIL_S, facts=facts)


class _Turns:
    """Recordings of one side, a class a turn and within a class a recording a turn, in an order drawn by seed."""

    def __init__(self, rows: Sequence[Row], side: str, seed: int, split: str) -> None:
        self._by: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda r: r.path):
            if row.split == split and row.kind == "event" and row.respond == side:
                self._by.setdefault(row.label, []).append(row)
        self.labels = sorted(self._by)
        for label in self.labels:
            draw(seed, "rounds", side, label).shuffle(self._by[label])
        self._used = dict.fromkeys(self.labels, 0)
        self._rng, self._waiting = draw(seed, "rounds", side), list[str]()
        self._stream, self._here = -1, list[str]()

    def next(self, stream: int) -> Row:
        """A recording of a class that `stream` does not hold yet; where it holds all, of the one that came first."""
        if stream != self._stream:
            self._stream, self._here = stream, []
        label = self._here[0] if len(self._here) == len(self.labels) else self._fresh()
        if label in self._here:
            self._here.remove(label)
        self._here.append(label)
        self._used[label] += 1
        return self._by[label][(self._used[label] - 1) % len(self._by[label])]

    def _fresh(self) -> str:
        """The class that waits longest among those that the stream does not hold."""
        fresh = [x for x in self._waiting if x not in self._here]
        if not fresh:
            again = list(self.labels)
            self._rng.shuffle(again)
            self._waiting += again
            fresh = [x for x in self._waiting if x not in self._here]
        self._waiting.remove(fresh[0])
        return fresh[0]


def events(row: Instance) -> list[Instance]:
    """One row an event, as `benchmarks.proactive` scores it: the stretch from 4 s before the sound to 3.2 s behind it.

    Where the gap is shorter, the stretch begins behind the one before. What is decided between the stretches belongs to
    no event (`between`). `item` tells label, policy, source (the recording), position and event; `late`
    is what compute adds to each chunk (`lateness`).
    """
    told = row["item"]["facts"]["events"]
    base = [
        {"label": e["label"], "respond": e["respond"], "source": e["path"], "group": "event"}
        | {"position": j, "event": e["event"], "stream": row["item"]["facts"]["stream"]}
        for j, e in enumerate(told)
    ]
    if row.get("error"):
        return [{"item": item, "error": row["error"]} for item in base]
    size, free = row["chunk"], 0
    late = lateness(row.get("step_ms") or [], size)
    found: list[Instance] = []
    for item, (onset, offset) in zip(base, row["spans"], strict=True):
        first = max(free, chunk_of(max(0, onset - samples(LEAD_S)), size))
        free = min(chunk_of(offset + samples(TAIL_S), size) + 1, len(row["decisions"]))
        shift = first * size
        cuts = {k: row[k][first:free] for k in ("decisions", "p_speak", "p_act")}
        cuts["late"] = late[first:free]
        evidence = min(offset, onset + samples(EVIDENCE_S)) - shift
        times = {"chunk": size, "onset": onset - shift, "offset": offset - shift, "evidence_end": evidence}
        found.append({"item": item, "chunks": [first, free], **times, **cuts})
    return found


def between(row: Instance) -> tuple[int, float]:
    """(decisions to respond outside of all events' stretches, their hours)."""
    if row.get("error"):
        return 0, 0.0
    inside = {k for e in events(row) for k in range(*e["chunks"])}
    outside = [k for k in range(len(row["decisions"])) if k not in inside]
    return sum(row["decisions"][k] != "s" for k in outside), seconds(len(outside) * row["chunk"]) / 3600
