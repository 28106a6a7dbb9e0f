"""What a stream keeps of its events alone: balanced accuracy by N, gap and position, with intervals over streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.instances import Row as Instance
from benchmarks.proactive import delay, outcome, window
from benchmarks.stream.events import between, events
from soundflow.scoring import Interval, Outcome, percentiles

T = TypeVar("T")
Array = NDArray[np.float64]
Tallies = dict[tuple[bool, str], Array]  # (side, class) -> [streams, 2] right and all
BINS: Final = ((1, 1), (2, 3), (4, 5), (6, 10), (11, 0))  # positions, counted from 1; 0 is no end


def score(rows: Sequence[Instance], draws: int = 2000, seed: int = 0) -> dict[str, Any]:
    """System -> "N gaps" -> balanced accuracy of its events in all and by position, and what is kept of N = 1.

    Recalls are macro-averaged over classes, as in `benchmarks.proactive`. retention = balanced accuracy of the events
    in streams of N / balanced accuracy of the same recordings alone; by position likewise. Intervals: percentile
    bootstrap over streams, as the events of one stream are not independent of each other (cluster bootstrap, Field and
    Welsh 2007); N and 1 are drawn together, so that a hard recording is hard in both (paired, Koehn 2004).
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


def binned(many: Sequence[T], position: Callable[[T], int]) -> list[tuple[str, list[T]]]:
    """(name, members) of the bins of positions that have any; `position` counts from 0."""
    found = []
    for first, last in BINS:
        part = [x for x in many if position(x) + 1 >= first and (not last or position(x) + 1 <= last)]
        if part:
            found.append((str(first) if first == last else f"{first}-{last}" if last else f"{first} on", part))
    return found


def weights_of(streams: int, draws: int, seed: int) -> Array:
    """[draws, streams] how often each stream is drawn."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(streams, np.full(streams, 1 / streams), draws).astype(np.float64)


def drawn(tally: Array, weights: Array) -> Array:
    """[1 + draws] shares of tallies [streams, 2] (right, all): the figure itself, then its draws; nan for none."""
    sums = np.vstack([tally.sum(axis=0), weights @ tally])
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan), dtype=np.float64)


def shown(values: Array) -> list[float | None]:
    """[value, low, high] out of the figure and its draws; None where there is none."""
    found: Interval = percentiles(float(values[0]), values[1:])
    return [None if np.isnan(x) else round(float(x), 4) for x in (found.value, found.low, found.high)]


def _name(event: Instance) -> tuple[int, int]:
    return event["item"]["stream"], event["item"]["event"]


def _figures(
    rows: Sequence[Instance], alone: dict[tuple[int, int], Instance], n: int, draws: int, seed: int
) -> dict[str, Any]:
    every = [e for r in rows for e in events(r)]
    streams = sorted({e["item"]["stream"] for e in every})
    weights = weights_of(len(streams), draws, seed)
    extra = [between(r) for r in rows]
    hours = sum(h for _, h in extra)
    body: dict[str, Any] = {
        "streams": len(streams),
        "events": len(every),
        "failed": sum(bool(r.get("error")) for r in rows),
        **_recalls(every, streams, weights),
        "delay_s": _delays(every),
        "between": {"alarms": sum(a for a, _ in extra), "hours": round(hours, 3)},
    }
    if n == 1:
        return body
    paired = all(_name(e) in alone for e in every)
    body["by_position"] = []
    for name, part in binned(every, lambda e: int(e["item"]["position"])):
        kept = {"retention": _retention(part, [alone[_name(e)] for e in part], streams, weights)} if paired else {}
        body["by_position"].append({"positions": name, **_recalls(part, streams, weights), **kept})
    if paired:
        body["retention"] = _retention(every, [alone[_name(e)] for e in every], streams, weights)
    return body


def _delays(every: Sequence[Instance]) -> dict[str, float | None]:
    """Median delay of the answers in time on both clocks: audio heard, and with compute (`lateness`)."""
    audio, more = [], []
    for event in every:
        waited = delay(event)
        if waited is None:
            continue
        first, last = window(event)
        fired = next(k for k in range(first, last + 1) if event["decisions"][k] != "s")
        late = event.get("late") or []
        audio.append(waited)
        more.append(waited + (late[fired] if fired < len(late) else 0.0))
    if not audio:
        return {"audio": None, "with_compute": None}
    return {"audio": round(float(np.median(audio)), 3), "with_compute": round(float(np.median(more)), 3)}


def _tallies(scored: Sequence[tuple[int, Outcome]], streams: Sequence[int]) -> Tallies:
    place = {name: k for k, name in enumerate(streams)}
    found: Tallies = {}
    for stream, o in scored:
        tally = found.setdefault((o.respond, o.label), np.zeros((len(streams), 2)))
        tally[place[stream]] += (o.fired is o.respond, 1)
    return found


def _sides(tallies: Tallies, weights: Array) -> Array:
    """[draws, 2] (respond-recall, silent-recall), macro-averaged over the classes that a draw holds."""
    found = []
    for side in (True, False):
        sums = [weights @ t for (respond, _), t in tallies.items() if respond is side]
        with np.errstate(invalid="ignore"):
            shares = [d[:, 0] / d[:, 1] for d in sums]
        held = [~np.isnan(s) for s in shares]
        total = sum((np.nan_to_num(s) for s in shares), np.zeros(len(weights)))
        counts = sum((h.astype(float) for h in held), np.zeros(len(weights)))
        found.append(np.where(counts > 0, total / np.maximum(counts, 1), np.nan))
    return np.stack(found, axis=1)


def _both(every: Sequence[Instance], streams: Sequence[int], weights: Array) -> Array:
    """[1 + draws, 2] recalls: the figure itself, then its draws."""
    tallies = _tallies([(e["item"]["stream"], outcome(e)) for e in every], streams)
    return _sides(tallies, np.vstack([np.ones((1, len(streams))), weights]))


def _recalls(every: Sequence[Instance], streams: Sequence[int], weights: Array) -> dict[str, Any]:
    both = _both(every, streams, weights)
    named: dict[str, Callable[[Array], Array]] = {
        "balanced_accuracy": lambda d: d.mean(axis=1),
        "respond_recall": lambda d: d[:, 0],
        "silent_recall": lambda d: d[:, 1],
    }
    return {name: shown(figure(both)) for name, figure in named.items()}


def _retention(
    many: Sequence[Instance], alone: Sequence[Instance], streams: Sequence[int], weights: Array
) -> list[float | None]:
    a, b = (_both(x, streams, weights).mean(axis=1) for x in (many, alone))
    return shown(np.where(b > 0, a / np.maximum(b, 1e-9), np.nan))
