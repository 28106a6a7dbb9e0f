"""Full-Duplex-Bench's metrics as its papers and its published evaluation define them, on plain numbers in seconds.

v1: Lin et al. 2025, arXiv 2503.04721 (Full-Duplex-Bench, `evaluation/eval_*.py`). v1.5: Lin et al. 2025, arXiv
2507.23159 (`evaluation/get_timing.py`). A `Chunk` is one word that the system was heard to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]
Array = NDArray[np.float64]

TURN_S, TURN_WORDS = 1.0, 3
LONG_S, SHORT_S, SHORT_WORDS = 3.0, 1.0, 2  # of a backchannel
BIN_S, EPSILON = 0.2, 1e-10
USER_MERGE_S, MODEL_MERGE_S = 0.6, 0.5


@dataclass(frozen=True, slots=True)
class Chunk:
    """One spoken word. `end` is None where the aligner gave none."""

    text: str
    start: float
    end: float | None


def takeover(chunks: Sequence[Chunk]) -> bool:
    """TOR of one sample (v1): speech is a turn unless it is shorter than 1 s and has at most three words.

    The length is from the first word's start to the last one's end (its start where the end is unknown).
    """
    if not chunks:
        return False
    last = chunks[-1]
    length = (last.start if last.end is None else last.end) - chunks[0].start
    return length >= TURN_S or len(chunks) > TURN_WORDS


def latency(chunks: Sequence[Chunk], user_end: float) -> float | None:
    """Response latency (v1): max(0, first word's start - end of the user's turn); None where no turn was taken."""
    return max(0.0, chunks[0].start - user_end) if takeover(chunks) else None


@dataclass(frozen=True, slots=True)
class Listening:
    """Of one sample of the backchannel task: took the floor, backchannels a second, divergence of their timing."""

    takeover: bool
    frequency: float
    divergence: float | None


def listening(
    segments: Sequence[Span], chunks: Sequence[Chunk], seconds: float, reference: Sequence[float]
) -> Listening:
    """TOR, frequency and JSD of the backchannel task (v1).

    A stretch of speech of more than 3 s takes the floor and ends the search. One of less than 1 s with at most two
    words is a backchannel; any other takes the floor and takes back the backchannels before it. As in the published
    scorer the last stretch decides TOR. Frequency = backchannels / seconds.

    Args:
        segments: stretches of the system's speech, in order.
        reference: mass of human backchannels in equal bins over the sample; empty where none is known.
    """
    took, found = False, list[Span]()
    for start, end in segments:
        if end - start > LONG_S:
            took = True
            break
        took = not (end - start < SHORT_S and _inside(chunks, start, end) <= SHORT_WORDS)
        found = [] if took else [*found, (start, end)]
    return Listening(took, len(found) / seconds, divergence(found, seconds, reference))


def _inside(chunks: Sequence[Chunk], start: float, end: float) -> int:
    """Words that lie in, or reach over an edge of, a stretch of speech."""
    count = 0
    for c in chunks:
        if c.end is None and c.start < end:
            continue
        over = c.start if c.end is None else c.end
        within = c.start >= start and over <= end
        count += within or c.start <= end < over or (c.start <= start < over)
    return count


def divergence(found: Sequence[Span], seconds: float, reference: Sequence[float]) -> float | None:
    """JSD of backchannel timing (v1): 1 without any, else the Jensen-Shannon distance of two histograms; None where
    there are some and no reference.

    d = sqrt((KL(p || m) + KL(q || m)) / 2), m = (p + q) / 2, natural logarithm (Endres and Schindelin 2003; the
    published scorer calls SciPy's `jensenshannon`, which is this root). p: count of backchannels in each bin of 0.2 s
    they touch, plus 1e-10; q: the reference, linearly resampled to as many bins; both sum to one.
    """
    if not found:
        return 1.0
    if not len(reference):
        return None
    counts = np.zeros(int(seconds / BIN_S) + 1)
    for start, end in found:
        counts[int(start / BIN_S) : int(end / BIN_S) + 1] += 1
    p = (counts + EPSILON) / (counts + EPSILON).sum()
    given = np.asarray(reference, dtype=np.float64)
    q = np.interp(np.linspace(0, 1, len(p)), np.linspace(0, 1, len(given)), given)
    return _jensen_shannon(p, q / q.sum())


def _jensen_shannon(p: Array, q: Array) -> float:
    middle = (p + q) / 2
    total = sum(float(np.sum(x[x > 0] * np.log(x[x > 0] / middle[x > 0]))) for x in (p, q))
    return float(np.sqrt(max(0.0, total) / 2))


def merged(spans: Sequence[Span], gap: float) -> list[Span]:
    """Spans in order, those at most `gap` apart made one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start - out[-1][1] <= gap:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def stop_intervals(user: Sequence[Span], model: Sequence[Span]) -> list[Span]:
    """Overlaps whose lengths are the stop latencies of v1.5; both sides merged (0.6 s, 0.5 s) before.

    Of overlaps that end together, to the millisecond, the shortest counts. Who never stops has the overlap's length,
    so read it beside how often the reply was stopped.
    """
    shortest: dict[int, Span] = {}
    for a, b in user:
        for c, d in model:
            start, end = max(a, c), min(b, d)
            key = round(end * 1000)
            if end > start and (key not in shortest or end - start < shortest[key][1] - shortest[key][0]):
                shortest[key] = (start, end)
    return sorted(shortest.values(), key=lambda s: s[1])


def response_intervals(user: Sequence[Span], model: Sequence[Span]) -> list[Span]:
    """From the end of a user's stretch to the system's next start: response latencies of v1.5.

    Of two that end at the same start the later, shorter one counts.
    """
    latest: dict[int, Span] = {}
    for _, end in user:
        start = next((s for s, _ in model if s > end), None)
        if start is not None and (round(start * 1000) not in latest or end > latest[round(start * 1000)][0]):
            latest[round(start * 1000)] = (end, start)
    return sorted(latest.values(), key=lambda s: s[1])
