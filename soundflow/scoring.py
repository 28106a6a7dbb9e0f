"""Decision metrics with baselines and intervals, shared by training and benchmarks. Numpy only.

Balanced accuracy is the mean of respond-recall and silent-recall (Brodersen et al. 2010); always-silent scores 0.5.
Intervals are percentile bootstraps over sources (Efron 1979): clips of one source are drawn together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scored clip: should the system respond, did it, its best score, and what it belongs to."""

    respond: bool
    fired: bool
    score: float
    label: str
    source: str


def recalls(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """(respond-recall, silent-recall), each macro-averaged over the labels of its side; nan for an empty side."""
    sides = []
    for side in (True, False):
        by_label: dict[str, list[bool]] = {}
        for o in outcomes:
            if o.respond == side:
                by_label.setdefault(o.label, []).append(o.fired == side)
        sides.append(float(np.mean([np.mean(v) for v in by_label.values()])) if by_label else float("nan"))
    return sides[0], sides[1]


def balanced_accuracy(outcomes: Sequence[Outcome]) -> float:
    """Mean of the two macro-averaged recalls."""
    respond, silent = recalls(outcomes)
    return (respond + silent) / 2


def refired(outcomes: Sequence[Outcome], threshold: float) -> list[Outcome]:
    """The same clips, fired where the score is at least `threshold`."""
    return [Outcome(o.respond, bool(o.score >= threshold), o.score, o.label, o.source) for o in outcomes]


def best_threshold(outcomes: Sequence[Outcome]) -> float:
    """Threshold of the highest balanced accuracy; the middle of the widest best gap. Fit it on data you do not
    report.
    """
    scores = sorted({o.score for o in outcomes})
    cuts = [(a + b) / 2 for a, b in pairwise(scores)] or [0.5]
    if len(cuts) > 400:
        cuts = [cuts[i] for i in np.linspace(0, len(cuts) - 1, 400).astype(int)]
    values = np.array([balanced_accuracy(refired(outcomes, c)) for c in cuts])
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return float(np.median(np.array(cuts)[best]))


def auc(outcomes: Sequence[Outcome]) -> float:
    """Area under the ROC curve (Mann-Whitney, ties half); nan where a side is empty."""
    yes = np.array([o.score for o in outcomes if o.respond])
    no = np.array([o.score for o in outcomes if not o.respond])
    if not len(yes) or not len(no):
        return float("nan")
    return float(np.mean((yes[:, None] > no[None]) + 0.5 * (yes[:, None] == no[None])))


def bootstrap(
    outcomes: Sequence[Outcome],
    figure: Callable[[Sequence[Outcome]], float] = balanced_accuracy,
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """95 % percentile interval of `figure`, drawing sources with replacement inside each (side, label) group."""
    rng = np.random.default_rng(seed)
    groups: dict[tuple[bool, str], dict[str, list[Outcome]]] = {}
    for o in outcomes:
        groups.setdefault((o.respond, o.label), {}).setdefault(o.source, []).append(o)
    values = []
    for _ in range(draws):
        drawn: list[Outcome] = []
        for by_source in groups.values():
            keys = list(by_source)
            for i in rng.integers(len(keys), size=len(keys)):
                drawn += by_source[keys[i]]
        values.append(figure(drawn))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(figure(outcomes), float(low), float(high))


def rate_interval(events: Sequence[int], hours: Sequence[float], draws: int = 2000, seed: int = 0) -> Interval:
    """Events an hour over sources (`events[i]` in `hours[i]`), bootstrap over sources.

    With no event at all the upper end is 3 / hours, the rule of three (Hanley and Lippman-Hand 1983).
    """
    count, time = np.array(events, dtype=float), np.array(hours, dtype=float)
    total = float(time.sum())
    if count.sum() == 0:
        return Interval(0.0, 0.0, 3.0 / total)
    rng = np.random.default_rng(seed)
    draw = rng.integers(len(count), size=(draws, len(count)))
    rates = count[draw].sum(1) / time[draw].sum(1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return Interval(float(count.sum() / total), float(low), float(high))


def calibration_error(p: Array, correct: Array, bins: int = 15) -> float:
    """Expected calibration error with equal-mass bins (Naeini et al. 2015; Nguyen and O'Connor 2015)."""
    order = np.argsort(p)
    parts = np.array_split(order, bins)
    return float(sum(len(i) / len(p) * abs(p[i].mean() - correct[i].mean()) for i in parts if len(i)))


def recall_draws(outcomes: Sequence[Outcome], draws: int = 1000, seed: int = 0) -> Array:
    """[draws, 2] bootstrapped (respond-recall, silent-recall), as `recalls`; nan for an empty side.

    Sources are drawn within their label; labels of a single source are drawn among each other, as they would add no
    width alone. Systems scored on the same clips in the same order are drawn alike: rows of two results are pairs.
    """
    rng = np.random.default_rng(seed)
    groups: dict[tuple[bool, str], dict[str, list[int]]] = {}
    for o in outcomes:
        tally = groups.setdefault((o.respond, o.label), {}).setdefault(o.source, [0, 0])
        tally[0] += o.fired is o.respond
        tally[1] += 1
    found = np.full((draws, 2), np.nan)
    for column, side in enumerate((True, False)):
        labels = [np.array(list(v.values()), dtype=float) for (respond, _), v in groups.items() if respond is side]
        if not labels:
            continue
        single = np.array([t[0, 0] / t[0, 1] for t in labels if len(t) == 1])
        total = single[rng.integers(len(single), size=(draws, len(single)))].sum(axis=1) if len(single) else 0.0
        for tallies in (t for t in labels if len(t) > 1):
            drawn = tallies[rng.integers(len(tallies), size=(draws, len(tallies)))].sum(axis=1)
            total = total + drawn[:, 0] / drawn[:, 1]
        found[:, column] = total / len(labels)
    return found


def percentiles(value: float, draws: Array) -> Interval:
    """`value` with the 2.5 and 97.5 percentiles of its bootstrap `draws` [n]; nan where there are none."""
    if np.isnan(draws).all():
        return Interval(value, float("nan"), float("nan"))
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def paired_difference(a: Sequence[Outcome], b: Sequence[Outcome], draws: int = 1000, seed: int = 0) -> Interval:
    """Balanced accuracy of `a` less that of `b` on the same clips, and its 95 % interval by paired bootstrap.

    Both systems are drawn together, so that what is hard for both cancels (Koehn 2004, EMNLP). `a[i]` and `b[i]` are
    the same clip. ValueError where they are not.
    """
    if [(o.respond, o.label, o.source) for o in a] != [(o.respond, o.label, o.source) for o in b]:
        raise ValueError("paired_difference: expected the outcomes of two systems on the same clips, in one order")
    found = recall_draws(a, draws, seed).mean(axis=1) - recall_draws(b, draws, seed).mean(axis=1)
    return percentiles(balanced_accuracy(a) - balanced_accuracy(b), found)


def wilson(hits: int, count: int) -> Interval:
    """A share with its 95 % score interval (Wilson 1927); it does not shrink to a point at 0 or 1. nan of nothing."""
    if not count:
        return Interval(float("nan"), float("nan"), float("nan"))
    z, p = 1.959964, hits / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z * float(np.sqrt(p * (1 - p) / count + z * z / (4 * count * count))) / (1 + z * z / count)
    return Interval(p, max(0.0, middle - half), min(1.0, middle + half))
