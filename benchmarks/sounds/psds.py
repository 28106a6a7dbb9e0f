"""Polyphonic sound detection score (Bilen et al. 2020, ICASSP), exactly: over every threshold that the scores have
(Ebbers, Serizel and Haeb-Umbach 2022, ICASSP), not over a grid of them.

At a threshold, each run of chunks with score >= threshold is a detection d of its class c.
- d is relevant (detection tolerance criterion) if the truth of c covers at least `dtc` of it; else a false positive.
- a true event is found (ground truth criterion) if relevant detections cover at least `gtc` of it.
- d that is not relevant is a cross trigger on class o if the truth of o covers at least `cttc` of it.
- tpr = found / true events; efpr = fp / hours + alpha_ct * mean over o of (cross triggers on o / hours of truth of o).
The curve of a class is its highest tpr at efpr <= x, a staircase; over classes tpr(x) = max(0, mean - alpha_st *
standard deviation). PSDS = area of that up to `max_efpr` an hour, divided by `max_efpr`: 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.sounds.counts import Span

Array = NDArray[np.float64]
DECIMALS = 6  # of durations, where they are compared with a share of others
RATE_DECIMALS = 9  # of rates an hour, which are sums of fractions
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """The parameters above; without `cttc` there are no cross triggers."""

    dtc: float
    gtc: float
    cttc: float | None
    alpha_ct: float
    alpha_st: float = 1.0
    max_efpr: float = 100.0


SCENARIOS: Mapping[str, Scenario] = {
    "scenario 1": Scenario(0.7, 0.7, None, 0.0),
    "scenario 2": Scenario(0.1, 0.1, 0.3, 0.5),
}
"""Those of DCASE tasks 4 of 2021 to 2023: to react at once, and to tell classes apart."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One stream: `scores` [K, C] (-inf is never on), `edges` [K + 1] seconds (chunk k lasts from edges[k] to
    edges[k + 1]), truth of each of the C classes, and how long it is in seconds."""

    scores: Array
    edges: Array
    truth: Sequence[Sequence[Span]]
    seconds: float


@dataclass(frozen=True, slots=True)
class Steps:
    """Of one class over all streams: at score `at` [P] in `stream` [P] counts grow by `tp`, `fp` [P], `ct` [P, C]."""

    at: Array
    stream: NDArray[np.int64]
    tp: Array
    fp: Array
    ct: Array


@dataclass(frozen=True, slots=True)
class Tally:
    """What `psds` needs of the streams: steps of each class, `true` [S, C] events, `held` [S, C] and `seconds` [S]."""

    steps: Sequence[Steps]
    true: Array
    held: Array
    seconds: Array
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Curve:
    """A staircase: `tpr` holds from `efpr` on (an hour), up to the next one."""

    efpr: Array
    tpr: Array

    def area(self, most: float) -> float:
        """Under it from 0 to `most`, divided by `most`."""
        inside = self.efpr <= most
        widths = np.diff(np.concatenate([self.efpr[inside], [most]]))
        return float((self.tpr[inside] * widths).sum() / most)

    def at(self, x: Array) -> Array:
        place = np.searchsorted(self.efpr, x, side="right") - 1
        return np.where(place >= 0, self.tpr[np.maximum(place, 0)], 0.0)


def tally(streams: Sequence[Heard], scenario: Scenario) -> Tally:
    """Counts of all streams at all thresholds. ValueError where shapes do not fit."""
    count = len(streams[0].truth) if streams else 0
    for k, s in enumerate(streams):
        if s.scores.shape != (len(s.edges) - 1, count) or len(s.truth) != count:
            raise ValueError(
                f"psds: stream {k}: expected scores [{len(s.edges) - 1}, {count}], got {s.scores.shape} with truth of"
                f" {len(s.truth)} classes"
            )
    steps = []
    for c in range(count):
        parts = [_stream(s, c, scenario) for s in streams]
        owner = np.concatenate([np.full(len(p[0]), k) for k, p in enumerate(parts)])
        at, tp, fp, ct = (np.concatenate([p[i] for p in parts]) for i in range(4))
        order = np.argsort(-at, kind="stable")
        steps.append(Steps(at[order], owner[order], tp[order], fp[order], ct[order]))
    true = np.array([[len(spans) for spans in s.truth] for s in streams], float)
    held = np.array([[sum(x.offset - x.onset for x in spans) for spans in s.truth] for s in streams], float)
    return Tally(steps, true, held, np.array([s.seconds for s in streams], float), scenario)


def psds(found: Tally, weights: Array | None = None) -> tuple[float, Curve, list[Curve]]:
    """(PSDS, curve over classes, curve of each class). `weights` [S]: how often each stream was drawn (once)."""
    w = np.ones(len(found.seconds)) if weights is None else weights
    s = found.scenario
    seconds, true, held = float(w @ found.seconds), w @ found.true, w @ found.held
    curves = []
    for c, steps in enumerate(found.steps):
        of = w[steps.stream]
        rate = (of * steps.fp) / max(seconds, 1e-12)
        if s.cttc is not None and len(held) > 1:
            share = 1.0 / np.maximum(held, 1e-12)
            share[c] = 0.0
            rate = rate + s.alpha_ct * of * (steps.ct @ share) / (len(held) - 1)
        last = np.append(steps.at[1:] != steps.at[:-1], True) if len(steps.at) else np.zeros(0, bool)
        efpr = np.concatenate([[0.0], np.cumsum(rate)[last]]) * HOUR
        tpr = np.concatenate([[0.0], np.cumsum(of * steps.tp)[last]]) / max(true[c], 1.0)
        curves.append(_staircase(np.maximum(efpr, 0.0).round(RATE_DECIMALS), tpr, s.max_efpr))
    whole = over_classes(curves, s)
    return whole.area(s.max_efpr), whole, curves


def over_classes(curves: Sequence[Curve], scenario: Scenario) -> Curve:
    """max(0, mean - alpha_st * standard deviation) of the classes' tpr, at every efpr that one of them has."""
    x = np.unique(np.concatenate([c.efpr for c in curves]))
    each = np.array([c.at(x) for c in curves])
    return Curve(x, np.maximum(each.mean(axis=0) - scenario.alpha_st * each.std(axis=0), 0.0))


def _staircase(efpr: Array, tpr: Array, most: float) -> Curve:
    """The highest tpr at or under each efpr; a threshold may lower both counts, as detections melt into one."""
    order = np.lexsort((tpr, efpr))
    x, y = efpr[order], np.maximum.accumulate(tpr[order])
    rises = np.append(True, y[1:] > y[:-1])
    x, y = x[rises], y[rises]
    last = np.append(x[1:] != x[:-1], True)  # of several at one efpr the highest
    kept = last & (x <= most)
    return Curve(x[kept], y[kept])


def _stream(s: Heard, c: int, scenario: Scenario) -> tuple[Array, Array, Array, Array]:
    """Of class c in one stream: scores at which counts change (ascending), and the steps of tp, fp [P], ct [P, C]."""
    scores = s.scores[:, c]
    levels = np.unique(scores[np.isfinite(scores)])  # ascending; what is >= a level is on, -inf never
    on = np.zeros((len(levels), len(scores) + 2), np.int8)
    on[:, 1:-1] = scores[None] >= levels[:, None]
    change = np.diff(on, axis=1)
    level, first = np.nonzero(change == 1)
    _, end = np.nonzero(change == -1)  # row by row, as `first`
    length = s.edges[end] - s.edges[first]
    covered = [_cumulative(s.edges, spans) for spans in s.truth]
    own = covered[c][:, end] - covered[c][:, first]  # [true, detections]
    relevant = own.sum(axis=0).round(DECIMALS) >= (scenario.dtc * length).round(DECIMALS)
    fp = np.bincount(level, ~relevant, len(levels))
    tp = np.zeros(len(levels))
    for span, share in zip(s.truth[c], own, strict=True):
        found = np.bincount(level, relevant * share, len(levels)).round(DECIMALS)
        tp += found >= round(scenario.gtc * (span.offset - span.onset), DECIMALS)
    ct = np.zeros((len(levels), len(s.truth)))
    if scenario.cttc is not None:
        for o, cumulative in enumerate(covered):
            if o != c and len(cumulative):
                share = (cumulative[:, end] - cumulative[:, first]).sum(axis=0) * ~relevant
                crossed = share.round(DECIMALS) >= (scenario.cttc * length).round(DECIMALS)
                ct[:, o] = np.bincount(level, crossed, len(levels))
    grown = [x - np.concatenate([x[1:], np.zeros_like(x[:1])]) for x in (tp, fp, ct)]
    kept = (grown[0] != 0) | (grown[1] != 0) | (grown[2] != 0).any(axis=1)
    return levels[kept], grown[0][kept], grown[1][kept], grown[2][kept]


def _cumulative(edges: Array, spans: Sequence[Span]) -> Array:
    """[spans, K + 1]: how much of each span lies before each edge, in seconds."""
    if not spans:
        return np.zeros((0, len(edges)))
    onset = np.array([x.onset for x in spans])[:, None]
    offset = np.array([x.offset for x in spans])[:, None]
    before: Array = np.clip(np.minimum(edges[None], offset) - onset, 0.0, None)
    return before
