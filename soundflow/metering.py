"""Step latency, real-time factor, memory and pacing: the only place of the package that reads a wall clock."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import seconds
from soundflow.events import Summary

timer: Callable[[], float] = time.perf_counter


class Histogram:
    """Percentiles of a positive quantity in fixed memory: bins that grow by one percent from 0.001 to 1e6.

    A percentile is the upper edge of its bin, never above the largest value seen.
    """

    _LOW, _HIGH, _GROWTH = 1e-3, 1e6, 1.01

    def __init__(self) -> None:
        bins = int(np.log(self._HIGH / self._LOW) / np.log(self._GROWTH)) + 2
        self._counts = np.zeros(bins, np.int64)
        self._max = 0.0
        self.count = 0

    def add(self, value: float) -> None:
        position = np.log(max(value, self._LOW) / self._LOW) / np.log(self._GROWTH)
        self._counts[min(int(position), len(self._counts) - 1)] += 1
        self._max = max(self._max, value)
        self.count += 1

    def quantile(self, q: float) -> float:
        """Value below which a share `q` in [0, 1] lies; 0 when nothing was added."""
        if not self.count:
            return 0.0
        index = int(np.searchsorted(np.cumsum(self._counts), q * self.count))
        return float(min(self._LOW * self._GROWTH ** (index + 1), self._max))


def peak_rss_mb() -> float:
    """Largest resident set of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


class Meter:
    """What the closing `summary` says.

    `rtf` is the time spent inside the stream (push, poll, close) for one second of audio, so that waiting for a
    microphone does not count. A deadline is missed when a step takes longer than the chunk that it decides.
    """

    def __init__(self, chunk_ms: float) -> None:
        self._chunk_ms = chunk_ms
        self._steps = Histogram()
        self._busy_s = 0.0
        self.deadline_misses = 0

    @property
    def chunks(self) -> int:
        return self._steps.count

    def on_step(self, step_ms: float) -> None:
        self._steps.add(step_ms)
        self.deadline_misses += step_ms > self._chunk_ms

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count the enclosed time as computation."""
        start = timer()
        try:
            yield
        finally:
            self._busy_s += timer() - start

    def summary(self, samples: int) -> Summary:
        """Figures after `samples` of audio at 16 kHz."""
        audio_s = seconds(samples)
        return Summary(
            t=audio_s,
            seconds=audio_s,
            chunks=self.chunks,
            rtf=round(self._busy_s / audio_s, 4) if samples else 0.0,
            step_ms={f"p{p}": round(self._steps.quantile(p / 100), 2) for p in (50, 95, 99)},
            deadline_misses=self.deadline_misses,
            peak_rss_mb=round(peak_rss_mb(), 1),
        )


class Pacer:
    """Releases audio no faster than it would be heard."""

    _SLICE_S = 0.05
    _REBASE_S = 2.0

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._origin: float | None = None

    def wait(self, sample: int, idle: Callable[[], None]) -> None:
        """Return once `sample` has been heard; `idle` runs about every 50 ms meanwhile.

        Audio that comes more than two seconds late (a stalled pipe) moves the origin, so that what follows is not
        hurried to make the time up.
        """
        if self._origin is None:
            self._origin = self._clock()
        due = sample / SAMPLE_RATE_HZ
        late = self._clock() - self._origin - due
        if late > self._REBASE_S:
            self._origin += late
            return
        while (left := self._origin + due - self._clock()) > 0:
            self._sleep(min(left, self._SLICE_S))
            idle()
