"""How late a sound is told, on two clocks: audio heard, and with the time that hearing took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.sounds.counts import Span, overlapping
from soundflow import SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Delay:
    """Of one true event that was told. `audio_s`: from its onset to the message; `compute_s`: the same and the wait
    until the message was out; `onset_s`: the told onset less the true one."""

    audio_s: float
    compute_s: float
    onset_s: float


def lateness(step_ms: Sequence[float], chunk: int) -> list[float]:
    """Seconds from the end of each chunk, as a microphone gives it, to the end of its step; a step waits for the one
    before: done_k = max(end_k, done_(k - 1)) + step_k."""
    found, done = [], 0.0
    for k, step in enumerate(step_ms):
        end = (k + 1) * chunk / SAMPLE_RATE_HZ
        done = max(end, done) + step / 1000
        found.append(done - end)
    return found


def delays(
    truth: Mapping[str, Sequence[Span]], told: Mapping[str, Sequence[Span]], step_ms: Sequence[float], chunk: int
) -> list[Delay]:
    """Of the true events of one stream for which, after they began, an event of their class was told that shares time
    with them, one each. What was told before is of something else."""
    late = lateness(step_ms, chunk)
    found = []
    for name, spans in truth.items():
        for i, j in overlapping(spans, told[name], later=True):
            span, other = spans[i], told[name][j]
            place = min(max(round(other.t * SAMPLE_RATE_HZ / chunk) - 1, 0), len(late) - 1)
            wait = late[place] if late else 0.0
            found.append(Delay(other.t - span.onset, other.t + wait - span.onset, other.onset - span.onset))
    return found


def figures_of(found: Sequence[Delay], events: int) -> dict[str, Any]:
    """Median and 90th percentile of each, over the events that were told, and the share of events that were."""
    body: dict[str, Any] = {"told_share": round(len(found) / events, 4) if events else None}
    for name in ("audio_s", "compute_s", "onset_s"):
        values = [getattr(d, name) for d in found]
        points = np.percentile(values, [50, 90]) if values else [None, None]
        body[name] = {
            k: None if x is None else round(float(x), 3) for k, x in zip(("median", "p90"), points, strict=True)
        }
    return body
