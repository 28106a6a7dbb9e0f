"""Event-based and segment-based counts of sound events (Mesaros, Heittola and Virtanen 2016, Applied Sciences 6:162).

precision = tp / told, recall = tp / true, F1 = 2 tp / (told + true), each of one class; macro: the mean over classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEGMENT_S = 1.0
DECIMALS = 9  # of times, so that 0.6 - 0.4 is within a collar of 0.2

Counts = tuple[int, int, int]  # tp, true, told


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A sound of one class from `onset` to `offset`, seconds; `t`: when it was told (nan for the truth)."""

    onset: float
    offset: float
    t: float = math.nan


@dataclass(frozen=True, slots=True)
class Collar:
    """How far a told event may lie from the true one: onset by `onset_s`, offset by max(`offset_s`, `share` of the true
    length); with `offset` False the end does not count."""

    onset_s: float = 0.2
    offset_s: float = 0.2
    share: float = 0.2
    offset: bool = True

    def fits(self, true: Span, told: Span) -> bool:
        if round(abs(true.onset - told.onset), DECIMALS) > self.onset_s:
            return False
        most = max(self.offset_s, self.share * (true.offset - true.onset))
        return not self.offset or round(abs(true.offset - told.offset), DECIMALS) <= round(most, DECIMALS)


def event_counts(true: Sequence[Span], told: Sequence[Span], collar: Collar) -> Counts:
    """Of one class in one stream. tp: the most true events that can each have a told one of their own within the collar
    (a maximum matching of the bipartite graph, by augmenting paths: Berge 1957)."""
    return len(matched(true, told, collar)), len(true), len(told)


def matched(true: Sequence[Span], told: Sequence[Span], collar: Collar) -> list[tuple[int, int]]:
    """Pairs (true, told) of a maximum matching, by their places."""
    fits = [[j for j, other in enumerate(told) if collar.fits(span, other)] for span in true]
    owner: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j in fits[i]:
            if j not in tried:
                tried.add(j)
                if j not in owner or place(owner[j], tried):
                    owner[j] = i
                    return True
        return False

    for i in range(len(true)):
        place(i, set())
    return sorted((i, j) for j, i in owner.items())


def segments(spans: Sequence[Span], seconds: float, size: float = SEGMENT_S) -> NDArray[np.bool_]:
    """[ceil(seconds / size)]: in which segments the class sounds, if only for a moment; what lies outside is cut."""
    active = np.zeros(math.ceil(round(seconds / size, DECIMALS)), np.bool_)
    for span in spans:
        active[max(0, math.floor(span.onset / size)) : math.ceil(round(span.offset / size, DECIMALS))] = True
    return active


def segment_counts(true: Sequence[Span], told: Sequence[Span], seconds: float, size: float = SEGMENT_S) -> Counts:
    """Of one class in one stream: segments in which both, the truth, and the system have it."""
    a, b = segments(true, seconds, size), segments(told, seconds, size)
    return int((a & b).sum()), int(a.sum()), int(b.sum())


def f1(tp: NDArray[np.float64], true: NDArray[np.float64], told: NDArray[np.float64]) -> NDArray[np.float64]:
    """2 tp / (true + told); nan where there is nothing at all."""
    total = true + told
    return np.where(total > 0, 2 * tp / np.maximum(total, 1), np.nan)


def merged(spans: Sequence[Span]) -> list[Span]:
    """Spans of one class that overlap or touch as one, told when the first of them was."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.onset <= found[-1].offset:
            last = found[-1]
            found[-1] = Span(last.onset, max(last.offset, span.offset), min(last.t, span.t))
        else:
            found.append(span)
    return found


def overlapping(true: Sequence[Span], told: Sequence[Span], later: bool = False) -> list[tuple[int, int]]:
    """Pairs (true, told): each true event in the order of onsets with the first told one, not yet taken, that shares
    time with it and, with `later`, was told after it began."""
    pairs: list[tuple[int, int]] = []
    free = sorted(range(len(told)), key=lambda j: told[j])
    for i in sorted(range(len(true)), key=lambda i: true[i]):
        for j in free:
            if _share(true[i], told[j]) and not (later and told[j].t <= true[i].onset):
                pairs.append((i, j))
                free.remove(j)
                break
    return pairs


def alarms(true: Sequence[Span], told: Sequence[Span]) -> int:
    """Told events that share no time with a true one of their class."""
    return sum(not any(_share(span, other) for span in true) for other in told)


def _share(a: Span, b: Span) -> bool:
    return a.onset < b.offset and b.onset < a.offset
