"""Streams of N single events: does the fifth sound of a stream get the answer that it gets alone?

The same recordings at the same level over the same kind of bed, alone (N = 1) and one behind the other, once with gaps
so long that no cool-down and no wariness of the session reaches the next sound, once with gaps of a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.compose import EVIDENCE_S, Bed, Item, Part, cut
from benchmarks.corpus import Clips, Row
from benchmarks.hear import Shop, Tick
from benchmarks.hear import hear as hear_item
from benchmarks.instances import Row as Instance
from benchmarks.plan import EVENT_S, LEAD_S, TAIL_S, a_bed, beds, draw, item_seed
from benchmarks.proactive import outcome
from soundflow.clock import chunk_of, samples, seconds
from soundflow.errors import ConfigError, DataError
from soundflow.scoring import Interval, Outcome, percentiles
from soundflow.session import SessionConfig

LONG_S: Final = SessionConfig().cooldown_s + 6.0  # cool-down, the 2 s in which an answer still counts, and the lead
SHORT_S: Final = (4.0, 8.0)
SNR_DB: Final = 20.0
LONG, SHORT, ALONE = "long gaps", "short gaps", "alone"
Tallies = dict[tuple[bool, str], NDArray[np.float64]]  # (side, class) -> [streams, 2] right and all


def plan(rows: Sequence[Row], rounds: Sequence[int], streams: int, seed: int, split: str = "dev") -> list[Item]:
    """Items of max(rounds) events in `streams` draws; each smaller N cuts the same events into pieces.

    A draw holds different classes, alerting and benign ones in random order, about half of each (odd N: one more of
    either side in turn). Classes come in turn and each recording of a class before one comes again, so that every class
    is asked for about as often. Level and bed are a draw's, so that an event alone differs only by what surrounds it.

    Raises:
        ConfigError: N or the number of streams is under 1.
        DataError: too few classes for one stream.
    """
    if not rounds or min(rounds) < 1 or streams < 1:
        raise ConfigError(f"rounds: expected numbers of at least 1 and a stream, got {list(rounds)} and {streams}")
    most = max(rounds)
    queues = {side: _Turns(rows, side, seed, split) for side in ("yes", "no")}
    if any(len(q.labels) < -(-most // 2) for q in queues.values()):
        raise DataError(f"rounds of {most}: expected {-(-most // 2)} classes a side among {split} events")
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
                for gaps in (ALONE,) if n == 1 else (LONG, SHORT):
                    pauses = shorts if gaps == SHORT else [LONG_S] * most
                    found.append(_item(k, start, piece, gaps, pauses, level, bed, seed))
    return found


def _item(
    k: int, start: int, events: Sequence[Row], gaps: str, pauses: Sequence[float], level: float, bed: Bed, seed: int
) -> Item:
    name = f"rounds/{k:03d}/{start}+{len(events)}/{gaps}"
    parts = tuple(Part(row.path, LEAD_S if not j else pauses[j], 0.0, EVENT_S, level) for j, row in enumerate(events))
    told = [{"label": r.label, "respond": r.respond, "path": r.path, "event": start + j} for j, r in enumerate(events)]
    facts = {"rounds": len(events), "gaps": gaps, "stream": k, "events": told}
    where = ("rounds", f"{len(events)} {gaps}", "yes", f"rounds/{k:03d}", item_seed(seed, name))
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
        self._stream, self._here = -1, set[str]()

    def next(self, stream: int) -> Row:
        """A recording of a class that `stream` does not hold yet."""
        if stream != self._stream:
            self._stream, self._here = stream, set()
        fresh = [x for x in self._waiting if x not in self._here]
        if not fresh:
            again = list(self.labels)
            self._rng.shuffle(again)
            self._waiting += again
            fresh = [x for x in self._waiting if x not in self._here]
        label = fresh[0]
        self._waiting.remove(label)
        self._here.add(label)
        self._used[label] += 1
        return self._by[label][(self._used[label] - 1) % len(self._by[label])]


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Instance]:
    """As `benchmarks.hear.hear`; each row also tells where its events lie (`spans`, samples)."""
    rows = hear_item(item, names, shop, tick)
    where = spans(item, shop.clips) if any(not r.get("error") for r in rows) else []
    return [r if r.get("error") else r | {"spans": where} for r in rows]


def spans(item: Item, clips: Clips) -> list[list[int]]:
    """[first, last + 1] sample of every part of `item`, as `benchmarks.compose.render` places them."""
    found: list[list[int]] = []
    at = 0
    for part in item.parts:
        at += samples(part.gap_s)
        found.append([at, at + len(cut(part, clips))])
        at = found[-1][1]
    return found


def events(row: Instance) -> list[Instance]:
    """One row an event, as `benchmarks.proactive` scores it: the stretch from 4 s before the sound to 3.2 s behind it.

    Where the gap is shorter, the stretch begins behind the one before. What is decided between the stretches belongs to
    no event (`between`). `item` tells label, policy, source (the recording), position and event.
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
    found: list[Instance] = []
    for item, (onset, offset) in zip(base, row["spans"], strict=True):
        first = max(free, chunk_of(max(0, onset - samples(LEAD_S)), size))
        free = min(chunk_of(offset + samples(TAIL_S), size) + 1, len(row["decisions"]))
        shift = first * size
        cuts = {k: row[k][first:free] for k in ("decisions", "p_speak", "p_act")}
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


def score(rows: Sequence[Instance], draws: int = 2000, seed: int = 0) -> dict[str, Any]:
    """System -> "N gaps" -> balanced accuracy of its events in all and by position, and what is kept of N = 1.

    Recalls are macro-averaged over classes, as in `benchmarks.proactive`. `retention` is balanced accuracy over that of
    the same recordings alone; `retention_by_position` likewise. Intervals: percentile bootstrap over streams, as the
    events of one stream are not independent of each other (cluster bootstrap, Field and Welsh 2007); N and 1 are drawn
    together, so that a hard recording is hard in both (paired, Koehn 2004).
    """
    found: dict[str, Any] = {}
    for system in dict.fromkeys(r["system"] for r in rows):
        mine = [r for r in rows if r["system"] == system]
        setups = dict.fromkeys((r["item"]["facts"]["rounds"], r["item"]["facts"]["gaps"]) for r in mine)
        alone = {_name(e): e for r in mine if r["item"]["facts"]["rounds"] == 1 for e in events(r)}
        found[system] = {}
        for n, gaps in setups:
            here = [r for r in mine if (r["item"]["facts"]["rounds"], r["item"]["facts"]["gaps"]) == (n, gaps)]
            body = _figures(here, alone if n > 1 else {}, n, draws, seed)
            found[system][f"{n} {gaps}"] = body
    return found


def _name(event: Instance) -> tuple[int, int]:
    return event["item"]["stream"], event["item"]["event"]


def _figures(
    rows: Sequence[Instance], alone: dict[tuple[int, int], Instance], n: int, draws: int, seed: int
) -> dict[str, Any]:
    every = [e for r in rows for e in events(r)]
    streams = sorted({e["item"]["stream"] for e in every})
    weights = _weights(len(streams), draws, seed)
    extra = [between(r) for r in rows]
    hours = sum(h for _, h in extra)
    body: dict[str, Any] = {
        "streams": len(streams),
        "events": len(every),
        "failed": sum(bool(r.get("error")) for r in rows),
        **_recalls(every, streams, weights),
        "between": {"alarms": sum(a for a, _ in extra), "hours": round(hours, 3)},
    }
    if n == 1:
        return body
    body["by_position"] = [
        _recalls([e for e in every if e["item"]["position"] == j], streams, weights) for j in range(n)
    ]
    if all(_name(e) in alone for e in every):
        body["retention"] = _retention(every, [alone[_name(e)] for e in every], streams, weights)
        body["retention_by_position"] = [
            _retention(part, [alone[_name(e)] for e in part], streams, weights)
            for part in ([e for e in every if e["item"]["position"] == j] for j in range(n))
        ]
    return body


def _weights(streams: int, draws: int, seed: int) -> NDArray[np.float64]:
    """[draws, streams] how often each stream is drawn."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(streams, np.full(streams, 1 / streams), draws).astype(np.float64)


def _tallies(scored: Sequence[tuple[int, Outcome]], streams: Sequence[int]) -> Tallies:
    place = {name: k for k, name in enumerate(streams)}
    found: Tallies = {}
    for stream, o in scored:
        tally = found.setdefault((o.respond, o.label), np.zeros((len(streams), 2)))
        tally[place[stream]] += (o.fired is o.respond, 1)
    return found


def _sides(tallies: Tallies, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """[draws, 2] (respond-recall, silent-recall), macro-averaged over the classes that a draw holds."""
    found = []
    for side in (True, False):
        drawn = [weights @ t for (respond, _), t in tallies.items() if respond is side]
        with np.errstate(invalid="ignore"):
            shares = [d[:, 0] / d[:, 1] for d in drawn]
        held = [~np.isnan(s) for s in shares]
        total = sum((np.nan_to_num(s) for s in shares), np.zeros(len(weights)))
        counts = sum((h.astype(float) for h in held), np.zeros(len(weights)))
        found.append(np.where(counts > 0, total / np.maximum(counts, 1), np.nan))
    return np.stack(found, axis=1)


def _both(every: Sequence[Instance], streams: Sequence[int], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """[1 + draws, 2] recalls: the figure itself, then its draws."""
    tallies = _tallies([(e["item"]["stream"], outcome(e)) for e in every], streams)
    return _sides(tallies, np.vstack([np.ones((1, len(streams))), weights]))


def _recalls(every: Sequence[Instance], streams: Sequence[int], weights: NDArray[np.float64]) -> dict[str, Any]:
    both = _both(every, streams, weights)
    named: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
        "balanced_accuracy": lambda d: d.mean(axis=1),
        "respond_recall": lambda d: d[:, 0],
        "silent_recall": lambda d: d[:, 1],
    }
    return {name: _shown(figure(both)) for name, figure in named.items()}


def _retention(
    many: Sequence[Instance], alone: Sequence[Instance], streams: Sequence[int], weights: NDArray[np.float64]
) -> list[float | None]:
    a, b = (_both(x, streams, weights).mean(axis=1) for x in (many, alone))
    return _shown(np.where(b > 0, a / np.maximum(b, 1e-9), np.nan))


def _shown(values: NDArray[np.float64]) -> list[float | None]:
    """[value, low, high] out of the figure and its draws; None where there is none."""
    found: Interval = percentiles(float(values[0]), values[1:])
    return [None if np.isnan(x) else round(float(x), 4) for x in (found.value, found.low, found.high)]
