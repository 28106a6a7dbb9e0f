"""The latency meter on a fake clock, drift, and spoken replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.corpus import read_index
from benchmarks.cost import latency, turns
from benchmarks.hear import Shop
from benchmarks.systems import Setup
from soundflow.events import DecisionEvent, Event, ReplyDelta, ReplyDone
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
    # A point of RSS every 10 s: 60 at 100 behind minute 10, then 60 at 110. Of the 7140 pairs 3540 lie in one half
    # (slope 0), the rest climb by 10 over their distance; the median is the smallest of these or 0.
    assert 0.0 <= found["rss_mb_an_hour"] < 40.0
    assert latency.drift({**row, "step_ms": steps[:block]}) is None


def test_the_slope_is_robust() -> None:
    assert latency.slope([3.0 + 0.5 * k for k in range(50)]) == pytest.approx(0.5)
    assert latency.slope([3.0 + 0.5 * k for k in range(4000)]) == pytest.approx(0.5), "thinned"
    outliers = [3.0 + 0.5 * k + (900.0 if k in (7, 31) else 0.0) for k in range(50)]
    assert latency.slope(outliers) == pytest.approx(0.5, abs=0.02)
    assert latency.slope([5.0]) == 0.0


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
    told = {"joules_a_second", "energy"} & set(figures["quiet"])
    assert len(told) == 1, "joules, or that the machine does not tell"


class Talker(Worker):
    """Speaks at chunk 3; the first text is there `token` s behind the decision, the voice `audio` s; None is never."""

    def __init__(self, clock: Clock, token: float | None, audio: float | None, decides: bool = True) -> None:
        super().__init__(clock, lambda k: 0.05)
        self.closed = False
        self._token, self._audio, self._decides, self._at = token, audio, decides, np.inf

    def push(self, pcm: FloatArray) -> list[Event]:
        super().push(pcm)
        k = len(self.step_ms) - 1
        if k == 3 and self._decides:
            self._at = self._clock.now
            return [DecisionEvent(t=1.6, decision="speak", p={}, chunk=k)]
        return [DecisionEvent(t=0.4 * (k + 1), decision="silent", p={}, chunk=k), *self.poll()]

    def poll(self) -> list[Event]:
        if self._token is not None and self._clock.now >= self._at + self._token:
            self._token = None
            return [ReplyDelta(t=0, id="r", text="Fire")]
        return []

    def voiced(self) -> bool:
        return self._audio is not None and self._clock.now >= self._at + self._audio

    def close(self) -> list[Event]:
        self.closed = True
        return [ReplyDone(t=0, id="r", text="Fire!")] if self._decides else []


def turn(token: float | None, audio: float | None, decides: bool = True) -> tuple[turns.Turn, Talker]:
    clock = Clock()
    talker = Talker(clock, token, audio, decides)
    return turns.take(talker, np.zeros(12 * CHUNK, np.float32), CHUNK, clock=clock, sleep=clock.sleep), talker


def test_first_token_and_first_audio_by_hand() -> None:
    found, talker = turn(0.13, 0.9)
    assert found.late_s == pytest.approx(0.05), "the push of 50 ms behind the end of chunk 3"
    assert found.token_s == pytest.approx(0.13, abs=turns.POLL_S + 1e-6)
    assert found.audio_s == pytest.approx(0.9, abs=0.05 + turns.POLL_S), "a push may hold it up"
    assert found.heard_s == pytest.approx(found.late_s + found.audio_s)
    assert (found.chunk, found.said, talker.closed) == (3, "Fire!", True)
    assert len(talker.step_ms) == 6, "nothing more is heard once the voice is out"


def test_a_reply_without_voice_and_silence_have_no_time() -> None:
    mute, _ = turn(0.1, None)
    assert mute.token_s is not None
    assert mute.audio_s is None
    assert mute.heard_s is None
    silent, talker = turn(None, None, decides=False)
    assert (silent.late_s, silent.token_s, silent.heard_s) == (None, None, None)
    assert len(talker.step_ms) == 12


def test_what_was_never_said_stays_in_the_denominator() -> None:
    rows: list[dict[str, Any]] = [
        turns.facts(turns.Turn(0.1, 0.2, 0.6, "Fire!", 3)),
        turns.facts(turns.Turn(0.1, 0.4, None, "Fire!", 3)),
        turns.facts(turns.Turn()),
        {"error": "no audio"},
    ]
    found = latency.score_turns(rows)
    assert (found["items"], found["heard"], found["failed"]) == (4, 1, 1)
    assert found["token_ms"]["p50"] == pytest.approx(300.0)
    assert found["heard_ms"]["max"] == pytest.approx(700.0)
    assert latency.score_turns([{"error": "x"}])["heard_ms"] is None


def test_spoken_items_take_the_labels_in_turn_and_a_system_without_a_voice_is_a_row(corpus: Path) -> None:
    items = latency.plan(read_index(corpus), 0.0, 0.0, 0, replies=2)
    spoken = [i for i in items if i.group == turns.GROUP]
    assert [i.label for i in spoken] == ["siren", "siren"]
    assert len({i.id for i in spoken}) == 2
    shop = Shop(Setup(corpus), [FakeSystem("nano", silent)])
    row = latency.hear(spoken[0], ("nano",), shop, lambda s: None)[0]
    assert "a system that speaks was expected" in row["error"]
    figures = latency.score([row])
    assert figures["spoken"]["failed"] == 1


def test_a_missing_clip_is_a_row_with_error(corpus: Path) -> None:
    item = latency.plan(read_index(corpus), 1.0, 0.0, 0)[0]
    gone = replace(item, parts=(replace(item.parts[0], path="nowhere.wav"),))
    shop = Shop(Setup(corpus), [FakeSystem("nano", silent)])
    row = latency.hear(gone, ("nano",), shop, lambda s: None)[0]
    assert "nowhere.wav" in row["error"]
    assert "nowhere.wav" in latency.score([row])["realtime"]["error"]
