"""The latency meter on a fake clock, and drift."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import latency
from benchmarks.corpus import read_index
from benchmarks.hear import Shop
from benchmarks.systems import Setup
from soundflow.events import Event
from soundflow.types import FloatArray
from tests.benchmarks.fakes import CHUNK, FakeSystem, silent


class Clock:
    """Time that passes only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


class Worker:
    """A listener whose push takes as long as `cost` says."""

    def __init__(self, clock: Clock, cost: Callable[[int], float]) -> None:
        self.topics: list[str] = []
        self.likes: list[str] = []
        self.step_ms: list[float] = []
        self._clock, self._cost = clock, cost

    def push(self, pcm: FloatArray) -> list[Event]:
        took = self._cost(len(self.step_ms))
        self._clock.now += took
        self.step_ms.append(took * 1000)
        return []

    def close(self) -> list[Event]:
        return []


def paced(cost: Callable[[int], float], chunks: int = 10) -> tuple[latency.Paced, Clock]:
    clock = Clock()
    audio = np.zeros(chunks * CHUNK, np.float32)
    return latency.pace(Worker(clock, cost), audio, CHUNK, clock=clock, sleep=clock.sleep), clock


def test_a_fast_system_waits_and_misses_nothing() -> None:
    found, clock = paced(lambda k: 0.05)
    assert found.late_s == pytest.approx([0.05] * 10)
    assert found.push_ms == pytest.approx([50.0] * 10)
    assert found.misses(0.4) == 0
    assert clock.slept == pytest.approx(10 * 0.4 - 9 * 0.05)
    assert clock.now == pytest.approx(100 + 10 * 0.4 + 0.05)


def test_lateness_adds_up_and_is_counted() -> None:
    found, _ = paced(lambda k: 0.5)  # 0.1 s too slow a chunk
    assert found.late_s == pytest.approx([0.5 + 0.1 * k for k in range(10)])
    assert found.misses(0.4) == 10
    once, _ = paced(lambda k: 0.9 if k == 2 else 0.1)
    # Chunk 2 is out 0.9 s after it was heard; chunk 3 has waited 0.5 s and is out at 0.6, chunk 4 at 0.3.
    assert once.late_s[2:5] == pytest.approx([0.9, 0.6, 0.3])
    assert once.misses(0.4) == 2


def test_drift_by_hand() -> None:
    block = 1500
    steps = [50.0] * (2 * block) + [60.0] * (2 * block)
    rss = [100.0] * (len(steps) // 50) + [110.0] * (len(steps) // 50)
    row: dict[str, Any] = {"chunk": CHUNK, "step_ms": steps, "rss_mb": rss, "rss_every_chunks": 25}
    found = latency.drift(row)
    assert found is not None
    assert found["change"] == {"step_p50": 0.2, "step_mean": 0.2, "rss": 0.1}
    assert latency.drift({**row, "step_ms": steps[:block]}) is None


def test_items_and_score(corpus: Path) -> None:
    items = latency.plan(read_index(corpus), 0.0, 1.0, 0)
    assert [i.group for i in items] == ["quiet", "long"]
    assert items[1].facts["repeat"] == 6.0
    shop = Shop(Setup(corpus), [FakeSystem("nano", silent)])
    rows = latency.hear(items[0], ("nano",), shop, lambda s: None)
    figures = latency.score(rows)
    assert figures["quiet"]["step_ms"]["p99"] == 10.0
    assert figures["quiet"]["audio_s"] == latency.QUIET_S
    assert 0 <= figures["quiet"]["rtf"] < 1
