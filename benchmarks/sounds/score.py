"""Rows -> figures: F1 by events and segments, PSDS, delay, counting error, false alarms an hour; with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.compose import Item
from benchmarks.instances import Row
from benchmarks.sounds import counts, psds
from benchmarks.sounds.classes import Classes
from benchmarks.sounds.counts import Collar, Span
from benchmarks.sounds.delays import Delay, delays, figures_of
from benchmarks.sounds.plan import planned
from soundflow import SAMPLE_RATE_HZ
from soundflow.scoring import percentiles, rate_interval

COLLARS: Mapping[str, Collar] = {
    "event 0.2 s": Collar(0.2, 0.2),
    "event 0.8 s": Collar(0.8, 0.8),
    "onset 0.8 s": Collar(0.8, offset=False),
}
"""The collar of DCASE; two chunks; and two chunks where the end does not count. A system that says in which chunk a
sound began is up to 0.4 s off, and one window of YAMNet is 0.975 s long."""
SEGMENT = "segment 1 s"
HEADLINE = "event 0.8 s"
DRAWS, PSDS_DRAWS = 1000, 200

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stream:
    """A row, read: truth and what was told by class, seconds, scores [K, classes] (None without) and edges [K + 1]."""

    id: str
    seconds: float
    truth: Mapping[str, Sequence[Span]]
    told: Mapping[str, Sequence[Span]]
    outside: int  # told sounds that are in no class
    delays: Sequence[Delay]
    scores: Array | None
    edges: Array
    failed: bool


def stream(row: Row, classes: Classes) -> Stream:
    """Of a failed row nothing was told at any threshold: its events are missed, its time counts.

    Of a class that the bed is of (`ignored`) nothing counts in the stream, neither truth nor what is told.
    """
    item = Item.from_dict(row["item"])
    failed = bool(row.get("error"))
    true = planned(item) if failed else row["truth"]
    length = item.seconds if failed else row["samples"] / SAMPLE_RATE_HZ
    truth: dict[str, list[Span]] = {name: [] for name in classes.names}
    said: dict[str, list[Span]] = {name: [] for name in classes.names}
    outside = 0
    for name, onset, offset in true:
        truth[name].append(Span(onset, offset))
    for entry in [] if failed else row["told"]:
        label = entry["label"]
        name = classes.of_tag.get(label, label if label in said else "")
        if name:
            said[name].append(Span(entry["onset"], entry["offset"], entry["t"]))
        else:
            outside += 1
    ignored = set(item.facts.get("ignored", ()))
    for name in ignored:
        truth[name], said[name] = [], []
    merged = {name: counts.merged(spans) for name, spans in truth.items()}
    told = {name: counts.merged(spans) for name, spans in said.items()}
    scores, edges = None, np.array([0.0, length])
    if failed:
        scores = np.full((1, len(classes.names)), -np.inf)
    elif row.get("scores"):
        scores = np.array(row["scores"], float).T
        scores[:, [classes.names.index(name) for name in ignored]] = -np.inf
        edges = np.minimum(np.arange(len(scores) + 1) * row["chunk"] / SAMPLE_RATE_HZ, length)
    found = [] if failed else delays(merged, told, row["step_ms"], row["chunk"])
    return Stream(row["id"], length, merged, told, outside, found, scores, edges, failed)


def score(rows: Sequence[Row], classes: Classes, draws: int = DRAWS, psds_draws: int = PSDS_DRAWS) -> dict[str, Any]:
    """System -> figures. Macro: the mean over classes that the truth has. 95 % percentile bootstrap over streams (Efron
    1979), which share no recording; all systems are drawn alike, so that `minus` is paired (Koehn 2004).

    Counting error of a class: sum over streams of |told - true| / true events; always-silent has 1.
    False alarms: told events that share no time with a true one of their class, an hour of audio.
    """
    by_system: dict[str, list[Stream]] = {}
    for row in sorted(rows, key=lambda r: str(r["id"])):
        by_system.setdefault(row["system"], []).append(stream(row, classes))
    found: dict[str, Any] = {}
    drawn: dict[str, dict[str, Array]] = {}
    for system, streams in by_system.items():
        found[system], drawn[system] = _system(streams, classes, draws, psds_draws)
    ids = {system: [s.id for s in streams] for system, streams in by_system.items()}
    for a, body in found.items():
        same = [b for b in found if b != a and ids[b] == ids[a]]
        body["minus"] = {b: _minus(body, found[b], drawn[a], drawn[b]) for b in same}
    return found


def _system(
    streams: Sequence[Stream], classes: Classes, draws: int, psds_draws: int
) -> tuple[dict[str, Any], dict[str, Array]]:
    names = [n for n in classes.names if any(s.truth[n] for s in streams)]
    weights = np.random.default_rng(0).multinomial(len(streams), np.full(len(streams), 1 / len(streams)), draws)
    body: dict[str, Any] = {
        "streams": len(streams),
        "hours": round(sum(s.seconds for s in streams) / 3600, 4),
        "events": sum(len(s.truth[n]) for s in streams for n in names),
        "classes": len(names),
        "failed": sum(s.failed for s in streams),
    }
    drawn: dict[str, Array] = {}
    by_class: dict[str, dict[str, Any]] = {n: {} for n in names}
    for kind in (*COLLARS, SEGMENT):
        table = np.array([[_counts(kind, s, n) for n in names] for s in streams], float)
        values = _f1(table.sum(axis=0))
        drawn[kind] = np.array([_macro(_f1(np.tensordot(w, table, 1)), np.tensordot(w, table, 1)) for w in weights])
        body[kind] = _list(_macro(values, table.sum(axis=0)), drawn[kind])
        body[f"{kind} parts"] = _parts(table.sum(axis=0))
        for n, value, of in zip(names, values, table.sum(axis=0), strict=True):
            by_class[n][kind] = round(float(value), 4)
            by_class[n] |= {"true": int(of[1]), "told": int(of[2])} if kind == HEADLINE else {}
    _counting(body, drawn, by_class, streams, weights)
    _alarms(body, by_class, streams, classes)
    body["delay"] = figures_of([d for s in streams for d in s.delays], body["events"])
    body["by_class"] = by_class
    if all(s.scores is not None for s in streams):
        body["psds"] = _psds(streams, names, classes, weights[:psds_draws].astype(float), drawn)
    return body, drawn


def _counts(kind: str, s: Stream, name: str) -> counts.Counts:
    if kind == SEGMENT:
        return counts.segment_counts(s.truth[name], s.told[name], s.seconds)
    return counts.event_counts(s.truth[name], s.told[name], COLLARS[kind])


def _f1(table: Array) -> Array:
    """[classes, 3] -> F1 of each class."""
    return counts.f1(table[:, 0], table[:, 1], table[:, 2])


def _macro(values: Array, table: Array) -> float:
    """Mean over the classes that are in the truth."""
    there = table[:, 1] > 0
    return float(values[there].mean()) if there.any() else float("nan")


def _parts(table: Array) -> dict[str, float]:
    """Macro precision (of classes that were told) and recall, and F1 of all classes together."""
    told = table[:, 2] > 0
    precision = float((table[told, 0] / table[told, 2]).mean()) if told.any() else 0.0
    recall = float((table[:, 0] / np.maximum(table[:, 1], 1)).mean())
    tp, true, said = table.sum(axis=0)
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "micro": round(float(2 * tp / (true + said)), 4),
    }


def _counting(
    body: dict[str, Any],
    drawn: dict[str, Array],
    by_class: dict[str, dict[str, Any]],
    streams: Sequence[Stream],
    weights: NDArray[np.int64],
) -> None:
    names = list(by_class)
    true = np.array([[len(s.truth[n]) for n in names] for s in streams], float)
    told = np.array([[len(s.told[n]) for n in names] for s in streams], float)
    off = np.abs(told - true)

    def error(w: Array) -> float:
        there = w @ true
        return float(((w @ off)[there > 0] / there[there > 0]).mean())

    ones = np.ones(len(streams))
    drawn["counting error"] = np.array([error(w) for w in weights])
    body["counting error"] = _list(error(ones), drawn["counting error"])
    body["told for one"] = round(float(told.sum() / max(true.sum(), 1)), 4)
    for k, n in enumerate(names):
        by_class[n]["counting error"] = round(float(off[:, k].sum() / true[:, k].sum()), 4)


def _alarms(
    body: dict[str, Any], by_class: dict[str, dict[str, Any]], streams: Sequence[Stream], classes: Classes
) -> None:
    hours = [s.seconds / 3600 for s in streams]
    each = {n: [counts.alarms(s.truth[n], s.told[n]) for s in streams] for n in classes.names}
    whole = rate_interval([sum(x) for x in zip(*each.values(), strict=True)], hours)
    body["false alarms/h"] = [round(float(x), 2) for x in (whole.value, whole.low, whole.high)]
    body["outside/h"] = round(sum(s.outside for s in streams) / sum(hours), 2)
    body["alarms_by_class"] = {n: round(sum(x) / sum(hours), 2) for n, x in each.items() if sum(x)}
    for n, entry in by_class.items():
        entry["false alarms/h"] = round(sum(each[n]) / sum(hours), 2)


def _psds(
    streams: Sequence[Stream], names: Sequence[str], classes: Classes, weights: Array, drawn: dict[str, Array]
) -> dict[str, Any]:
    """PSDS has no interval: sampling noise adds to the deviation between classes that it takes off, so that nearly all
    draws lie below the value. The mean of classes has one."""
    columns = [classes.names.index(n) for n in names]
    heard = [
        psds.Heard(s.scores[:, columns], s.edges, [s.truth[n] for n in names], s.seconds)
        for s in streams
        if s.scores is not None
    ]
    found: dict[str, Any] = {}
    for kind, scenario in psds.SCENARIOS.items():
        tally = psds.tally(heard, scenario)
        value, curve, curves = psds.psds(tally)
        areas = np.array([c.area(scenario.max_efpr) for c in curves])
        drawn[f"{kind}, mean"] = np.array([_mean_area(tally, w) for w in weights])
        found[kind] = {
            "psds": round(value, 4),
            "mean": _list(float(areas.mean()), drawn[f"{kind}, mean"]),
            "by_class": {n: round(float(area), 4) for n, area in zip(names, areas, strict=True)},
            "curve": [[round(float(x), 4), round(float(y), 4)] for x, y in zip(curve.efpr, curve.tpr, strict=True)],
        }
    return found


def _mean_area(tally: psds.Tally, weights: Array) -> float:
    """Mean over the classes that are in a draw of their PSDS, without the penalty."""
    there = weights @ tally.true > 0
    curves = psds.psds(tally, weights)[2]
    areas = [c.area(tally.scenario.max_efpr) for c, kept in zip(curves, there, strict=True) if kept]
    return float(np.mean(areas)) if areas else float("nan")


def _minus(a: dict[str, Any], b: dict[str, Any], of_a: dict[str, Array], of_b: dict[str, Array]) -> dict[str, Any]:
    """Figures of a less those of b, with paired intervals."""
    both = {k: draws - of_b[k] for k, draws in of_a.items() if k in of_b and len(draws) == len(of_b[k])}
    return {k: _list(_value(a, k) - _value(b, k), draws) for k, draws in both.items()}


def _value(body: dict[str, Any], kind: str) -> float:
    scenario = kind.partition(", ")[0]
    return float(body["psds"][scenario]["mean"][0] if scenario in psds.SCENARIOS else body[kind][0])


def _list(value: float, draws: Array) -> list[float]:
    interval = percentiles(value, draws)
    return [round(float(x), 4) for x in (interval.value, interval.low, interval.high)]
