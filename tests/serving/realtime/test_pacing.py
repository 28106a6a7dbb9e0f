from __future__ import annotations

import asyncio

import pytest

from serving.pacing import FRAME_MS, LEAD_MS, MAX_WAITING_MS, Frame, Pacer
from soundflow.errors import CapacityError


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def drain(pacer: Pacer) -> list[Frame]:
    frames = []
    while not frames or not frames[-1].last:
        frames.append(await pacer.next())
    return frames


def test_audio_is_never_further_ahead_than_the_lead() -> None:
    async def scene() -> None:
        time = Time()
        pacer = Pacer(clock=time, sleep=time.sleep)
        data = bytes(range(256)) * 375
        pacer.put("r1", data[:50_000], 48.0)
        pacer.put("r1", data[50_000:], 48.0, last=True)
        sent, out = 0.0, b""
        while True:
            frame = await pacer.next()
            assert frame.start_ms == pytest.approx(sent)
            assert frame.ms <= FRAME_MS
            sent, out = sent + frame.ms, out + frame.data
            assert pacer.ahead_ms <= LEAD_MS + FRAME_MS + 1e-6
            assert pacer.played_ms("r1") <= pacer.sent_ms("r1")
            if frame.last:
                break
        assert out == data
        assert sent == pytest.approx(2000)
        assert time.now - 100 == pytest.approx(2 - (LEAD_MS + FRAME_MS) / 1000, abs=FRAME_MS / 1000)
        time.now += 1
        assert pacer.played_ms("r1") == pytest.approx(2000)
        assert pacer.waiting_ms == 0

    asyncio.run(scene())


def test_cancel_drops_the_rest_and_knows_what_was_played() -> None:
    async def scene() -> None:
        time = Time()
        pacer = Pacer(clock=time, sleep=time.sleep)
        pacer.put("r1", bytes(48_000), 48.0, last=True)
        for _ in range(6):
            await pacer.next()
        time.now += 0.05
        played = pacer.cancel("r1")
        assert 100 < played < pacer.sent_ms("r1") == pytest.approx(6 * FRAME_MS)
        assert pacer.waiting_ms == 0
        assert pacer.ahead_ms == 0
        pacer.put("r2", bytes(4_800), 48.0, text="hello", last=True)
        frames = await drain(pacer)
        assert {f.reply for f in frames} == {"r2"}
        assert [f.text for f in frames] == ["hello", ""]
        assert frames[0].text_ms == pytest.approx(100)

    asyncio.run(scene())


def test_an_empty_last_piece_ends_the_reply() -> None:
    async def scene() -> None:
        pacer = Pacer()
        pacer.put("r1", b"", 48.0)
        pacer.put("r1", b"", 48.0, last=True)
        assert await asyncio.wait_for(pacer.next(), 1) == Frame("r1", b"", 0.0, 0.0, last=True)

    asyncio.run(scene())


def test_what_waits_is_bounded_and_memory_is_flat() -> None:
    async def scene() -> None:
        time = Time()
        pacer = Pacer(clock=time, sleep=time.sleep)
        with pytest.raises(CapacityError):
            pacer.put("r", bytes(int(MAX_WAITING_MS * 8) + 8), 8.0)
        assert pacer.waiting_ms == 0
        for i in range(500):
            pacer.put(f"r{i}", bytes(160), 8.0, last=True)
            await pacer.next()
        assert len(pacer._sent) <= 33
        assert not pacer._put_ms

    asyncio.run(scene())
