"""The load benchmarks count what they should: lost, doubled and broken things must show."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.serve import soak
from benchmarks.serve.abuse import Attack
from benchmarks.serve.attacks import broken_text
from benchmarks.serve.capacity import Level, most
from benchmarks.serve.client import WIRE_HZ, Seen, wire_audio
from benchmarks.serve.failover import broken
from benchmarks.serve.server import cpu_s, family, free_port, rss_mb
from benchmarks.serve.soak import Soak, grown, slope_interval
from benchmarks.serve.turns import summary
from soundflow.errors import SoundflowError


def reply(name: str, *deltas: str, text: str = "", done: int = 1) -> list[tuple[float, dict]]:
    made = [{"type": "response.created", "response": {"id": name}}]
    made += [{"type": "response.output_text.delta", "response_id": name, "delta": d} for d in deltas]
    made += [{"type": "response.output_text.done", "response_id": name, "text": text or "".join(deltas)}]
    made += [{"type": "response.done", "response": {"id": name, "status": "completed"}}] * done
    return [(float(k), e) for k, e in enumerate(made)]


def test_what_a_stream_has_seen():
    seen = Seen(sent=[1.0, 1.4, 1.8, 2.2], decided={0: 1.1, 1: 1.6, 3: 2.5})
    assert seen.latencies_s() == pytest.approx([0.1, 0.2, 0.3])
    assert seen.missing() == [2]
    assert seen.gap_s() == pytest.approx(0.9)
    assert Seen().gap_s() == 0.0


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        (reply("a", "One", " two"), 0),
        (reply("a", "One", text="One two"), 1),  # a delta was lost
        (reply("a", "One", "One", text="One"), 1),  # or came twice
        (reply("a", "One", done=2), 1),
        (reply("a", "One", done=0) + reply("b", "Two"), 1),  # never ended
        (reply("a", "One", done=0), 0),  # in the making when the stream ended
        (reply("a", "One") + reply("a", "One"), 4),  # said twice
        (reply("a", "One")[1:], 1),  # ended without having begun
    ],
)
def test_broken_replies_are_found(events, wrong):
    assert broken(Seen(events=events))[0] == wrong


def test_a_lost_socket_is_broken():
    assert broken(Seen(error="closed"))[0] == 1


def test_a_growing_process_is_told_from_a_flat_one():
    rng = np.random.default_rng(0)
    t = np.arange(0.0, 3000.0, 5.0)
    flat = 900 + rng.normal(0, 0.5, len(t))
    slope, low, high = slope_interval(t, flat, 12, 0)
    assert low < 0 < high
    assert abs(slope) < 1.0
    slope, low, high = slope_interval(t, flat + 5.0 * t / 3600, 12, 0)
    assert low < 5.0 < high
    assert low > 1.0
    with pytest.raises(SoundflowError, match="24 samples"):
        slope_interval(t[:10], flat[:10], 12, 0)


def test_growth_at_rest_is_seen_through_the_sessions():
    rng = np.random.default_rng(2)
    found = Soak(rests=[(t, [700 + 8.0 * t / 3600 + rng.normal(0, 0.3), 400.0]) for t in np.arange(0.0, 3600.0, 170.0)])
    found.times = list(np.arange(0.0, 3600.0, 5.0))
    found.rss_mb = [1100 + float(rng.normal(0, 8)) for _ in found.times]
    _, low, high = found.slope_at_rest(600.0)
    assert low < 8.0 < high
    assert low > 5.0
    assert found.slope(600.0)[1] < 0
    with pytest.raises(SoundflowError, match="at least 6 samples"):
        found.slope_at_rest(3000.0)


def test_what_is_left_behind():
    found = Soak(before={"threads": 4.0}, after={"threads": 6.0})
    assert grown(found) == {"threads": 2.0}


def test_a_family_has_its_children_and_their_memory():
    child = subprocess.Popen([sys.executable, "-c", "import time; x = bytearray(30_000_000); time.sleep(30)"])
    try:
        import os

        assert child.pid in family(os.getpid())
        assert family(child.pid) == [child.pid]
        for _ in range(100):
            if rss_mb([child.pid]) > 30:
                break
            __import__("time").sleep(0.05)
        assert 30 < rss_mb([child.pid]) < 200
        assert cpu_s([child.pid]) >= 0
    finally:
        child.kill()
        child.wait()
    assert rss_mb([child.pid]) == 0
    assert 0 < free_port() < 65536


def test_capacity_is_the_last_level_that_holds():
    def level(streams: int, p99: float, decided: float = 1.0) -> Level:
        return Level("batched", streams, 50.0, p99, decided, 1.0, 900.0, 10.0, 10.0)

    assert most([level(1, 90), level(8, 300), level(12, 401)]) == 8
    assert most([level(1, 90, decided=0.9)]) == 0
    assert Attack("x", 100.0, 115.0, 0.0, 0, True, True).ratio == pytest.approx(1.15)
    assert "none" in summary([])
    assert summary([1.0] * 10).startswith("p50 1 ms")


def test_the_fuzzer_draws_many_kinds():
    rng = random.Random(0)
    drawn = [broken_text(rng) for _ in range(400)]
    assert any(isinstance(x, bytes) for x in drawn)
    assert len({str(x)[:12] for x in drawn}) > 60


def test_the_demo_on_the_wire():
    audio = wire_audio()
    assert audio.dtype == np.dtype("<i2")
    assert len(audio) == pytest.approx(50 * WIRE_HZ, rel=0.02)


def test_a_soak_tells_refusals_from_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(url: str, **_: object) -> None:
        raise SoundflowError(f"{url}: HTTP 503 {said.pop(0)}")

    said = ['{"error":{"code":"capacity"}}', '{"error":{"code":"draining"}}']
    monkeypatch.setattr(soak.Live, "open", refuse)
    monkeypatch.setattr(soak, "RETRY_S", 0.0)
    found, server = soak.Soak(), SimpleNamespace(url="ws://x")
    for _ in range(2):
        asyncio.run(soak._session(server, np.zeros(8), random.Random(0), found, 0.0))  # type: ignore[arg-type]
    assert (found.sessions, len(found.refused), len(found.failed)) == (2, 1, 1)
    assert "draining" in found.failed[0]
