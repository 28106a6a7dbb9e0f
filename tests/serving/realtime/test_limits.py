"""Bad frames, floods, slow readers, lost sockets, drains, many sessions."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import numpy as np
import pytest
import websockets

from serving.handle import Heard, Notice
from serving.limits import Limits
from serving.realtime.commands import COMMANDS
from tests.serving.fake_engine import FakeEngine
from tests.serving.realtime.fuzzing import frames
from tests.serving.realtime.served import Served, Wire, b64, served, silence, tone

LIVE_KINDS = (
    *("session.start", "session.update", "session.input_audio.append", "session.input_audio.mute"),
    *("session.input_audio.unmute", "session.instructions.append", "session.thinking.append"),
    *("session.commentary.append", "response.item.create", "response.create", "session.output_audio.fixture.play"),
)
START = {
    "type": "session.start",
    "session": {"model": "m", "delegation": {"type": "responses", "responses": {"model": "x"}}},
}


async def fuzz(count: int, path: str, kinds: tuple[str, ...], limits: Limits) -> dict[str, Any]:
    """Send `count` malformed frames on one socket while a second session works -> what was seen.

    The fuzzed socket must answer to the end, and the other session's decisions must keep coming.
    """
    async with served(FakeEngine(limit=4), limits) as s, s.socket() as good, s.socket(path) as bad:
        await good.recv()
        if "live" in path:
            await bad.socket.send(json.dumps(START))
        assert (await bad.recv())["type"] in ("session.created", "session.started")
        other, slowest, errors = s.engine.handles[0], 0.0, 0

        async def read() -> None:
            nonlocal errors
            async for text in bad.socket:
                errors += json.loads(text)["type"] == "error"

        reader = asyncio.create_task(read())
        for i, frame in enumerate(frames(kinds, count)):
            await bad.socket.send(frame)
            if i % 50 == 0:
                began = time.perf_counter()
                await good.send("input_audio_buffer.append", audio=b64(silence(0.1)))
                while len(other.pushed) <= i // 50:
                    await asyncio.sleep(0.001)
                slowest = max(slowest, time.perf_counter() - began)
        await asyncio.sleep(0.2)
        assert not reader.done(), bad.socket.close_reason
        await bad.socket.send("{")
        before = errors
        async with asyncio.timeout(10):
            while errors == before:
                await asyncio.sleep(0.01)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        return {"errors": errors, "slowest_s": slowest}


@pytest.mark.parametrize(
    ("path", "kinds"), [("realtime", tuple(COMMANDS)), ("live/sessions", LIVE_KINDS)], ids=["realtime", "live"]
)
def test_fuzzed_frames_leave_the_socket_up(path: str, kinds: tuple[str, ...]) -> None:
    seen = asyncio.run(fuzz(400, path, kinds, Limits(frames_per_s=1e6, outbox=100_000)))
    assert seen["errors"] > 200
    assert seen["slowest_s"] < 1.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "kinds"), [("realtime", tuple(COMMANDS)), ("live/sessions", LIVE_KINDS)], ids=["realtime", "live"]
)
def test_ten_thousand_fuzzed_frames(path: str, kinds: tuple[str, ...]) -> None:
    import tracemalloc

    asyncio.run(fuzz(500, path, kinds, Limits(frames_per_s=1e6, outbox=100_000)))
    tracemalloc.start()
    seen = asyncio.run(fuzz(10_000, path, kinds, Limits(frames_per_s=1e6, outbox=100_000)))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen["errors"] > 5000
    assert seen["slowest_s"] < 1.0
    assert kept < 8_000_000


def run(
    script: Any, limits: Limits | None = None, path: str = "realtime?model=m&include=notices", **kwargs: Any
) -> None:
    async def scene() -> None:
        async with served(limits=limits, **kwargs) as s, s.socket(path) as c:
            assert (await c.recv())["type"] == "session.created"
            await asyncio.wait_for(script(c, s), 10)

    asyncio.run(scene())


async def closed(c: Wire, timeout: float = 5.0) -> tuple[int, str]:
    async def drain() -> None:
        while True:
            await c.recv(timeout)

    with pytest.raises(websockets.ConnectionClosed) as end:
        await asyncio.wait_for(drain(), timeout)
    assert end.value.rcvd is not None, "the socket was cut"
    return end.value.rcvd.code, end.value.rcvd.reason


def test_oversized_binary_and_broken_frames_are_errors() -> None:
    async def script(c: Wire, s: Served) -> None:
        for frame, code in (
            (json.dumps({"type": "input_audio_buffer.append", "audio": "A" * 30_000}), "frame_too_large"),
            (json.dumps({"type": "x", "a": "é" * 8000}, ensure_ascii=False), "frame_too_large"),
            (b"\x00\x01", "invalid_frame"),
            ("{", "invalid_json"),
            ("[]", "invalid_json"),
            ('{"a": 1}', "invalid_event"),
            ('{"type": "x", "n": 1e999}', "invalid_json"),
            ('{"type": "x", "n": ' + "[" * 40 + "]" * 40 + "}", "invalid_json"),
            ('{"type": "x", "a": "\\ud800"}', "invalid_json"),
        ):
            await c.socket.send(frame)
            assert (await c.expect("error"))["error"]["code"] == code
        await c.send("session.update", session={})
        await c.expect("session.updated")

    run(script, Limits(max_frame_bytes=16_000))


def test_a_flood_is_told_once_and_read_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.realtime.link.RATE_WINDOW_S", 1.0)

    async def script(c: Wire, s: Served) -> None:
        for _ in range(60):
            await c.send("input_audio_buffer.clear")
        began = time.perf_counter()
        events = []
        while sum(e["type"] == "input_audio_buffer.cleared" for e in events) < 60:
            events.append(await c.recv())
        errors = [e["error"]["code"] for e in events if e["type"] == "error"]
        assert errors == ["rate_limit_exceeded"]
        assert time.perf_counter() - began > 0.3

    run(script, Limits(frames_per_s=20))


def test_haste_takes_turns_and_others_do_not_wait() -> None:
    async def scene() -> None:
        async with served() as s, s.socket() as first, s.socket() as second, s.socket() as calm:

            async def hasty(c: Wire) -> float:
                began = time.perf_counter()
                for _ in range(200):
                    await c.send("input_audio_buffer.clear")
                for _ in range(200):
                    await c.expect("input_audio_buffer.cleared")
                return time.perf_counter() - began

            rushing = [asyncio.create_task(hasty(c)) for c in (first, second)]
            waits = []
            for _ in range(20):
                began = time.perf_counter()
                await calm.send("input_audio_buffer.clear")
                await calm.expect("input_audio_buffer.cleared")
                waits.append(time.perf_counter() - began)
                await asyncio.sleep(0.02)
            # of 400 messages 200 need a turn, but for those that are saved up meanwhile
            assert min(await asyncio.gather(*rushing)) > 0.2
            assert sorted(waits)[10] < 0.1

    asyncio.run(scene())


def test_a_slow_reader_is_closed_and_nobody_waits() -> None:
    async def scene() -> None:
        limits = Limits(outbox=200, outbox_bytes=400_000)
        async with served(limits=limits) as s, s.socket("realtime?include=levels") as slow, s.socket() as good:
            await good.recv()
            slow.socket.transport.pause_reading()
            handle = s.engine.handles[0]
            heard = Heard(0, 0, -20.0, (("x" * 2000, 0.5),) * 40)
            for _ in range(60):
                for _ in range(50):
                    handle.emit(heard)
                began = time.perf_counter()
                await good.send("input_audio_buffer.clear")
                await good.expect("input_audio_buffer.cleared")
                assert time.perf_counter() - began < 1.0
                if handle in s.engine.detached:
                    break
            async with asyncio.timeout(8):
                while handle not in s.engine.detached:
                    await asyncio.sleep(0.05)
            assert s.guard.held == 1
            slow.socket.transport.resume_reading()

    asyncio.run(scene())


def test_a_silent_connection_is_closed() -> None:
    async def script(c: Wire, s: Served) -> None:
        code, reason = await closed(c)
        assert (code, reason.partition(":")[0]) == (1001, "idle")
        await asyncio.sleep(0.1)
        assert s.engine.detached == [c.handle]

    run(script, Limits(idle_s=0.4))


def test_a_drain_tells_closes_1012_and_keeps_the_session() -> None:
    async def script(c: Wire, s: Served) -> None:
        c.handle.emit(Notice("draining", "the server stops"))
        assert (await c.expect("session.notice"))["code"] == "draining"
        code, reason = await closed(c)
        assert (code, reason.partition(":")[0]) == (1012, "draining")
        await asyncio.sleep(0.1)
        assert s.engine.detached == [c.handle]

    run(script)


@pytest.mark.parametrize(("notice", "code"), [("failed", 1011), ("expired", 1000)])
def test_a_session_that_is_over_says_so(notice: str, code: int) -> None:
    async def script(c: Wire, s: Served) -> None:
        c.handle.emit(Notice(notice, "over"))
        assert (await closed(c))[0] == code
        await asyncio.sleep(0.1)
        assert c.handle.closed

    run(script)


def test_an_error_of_ours_ends_only_its_session() -> None:
    async def scene() -> None:
        async with served() as s, s.socket() as one, s.socket() as two:
            await one.recv()
            await two.recv()
            s.engine.handles[0].commit = lambda: 1 / 0
            await one.send("input_audio_buffer.append", audio=b64(silence(0.5)))
            await one.send("input_audio_buffer.commit")
            assert (await one.expect("error"))["error"]["code"] == "server_error"
            assert (await closed(one))[0] == 1011
            await two.send("session.update", session={})
            await two.expect("session.updated")
            assert s.engine.handles[0].closed

    asyncio.run(scene())


def test_a_normal_end_closes_and_a_lost_socket_is_resumed() -> None:
    async def scene() -> None:
        async with served() as s:
            async with s.socket() as c:
                first = (await c.recv())["session"]["id"]
                await c.send("session.update", session={"instructions": "Tell me of dogs."})
                await c.expect("session.updated")
                c.socket.transport.abort()
                async with asyncio.timeout(3):
                    while not s.engine.detached:
                        await asyncio.sleep(0.01)
            s.engine.handles[0].reply("While you were away.")
            async with s.socket(f"realtime?resume={first}") as c:
                created = await c.recv()
                assert created["session"]["id"] == first
                assert created["session"]["instructions"] == "Tell me of dogs."
                assert (await c.recv())["type"] == "session.resumed"
                done = await c.expect("response.done")
                assert done["response"]["output"][0]["content"][0]["transcript"] == "While you were away."
                await c.socket.close()
            async with asyncio.timeout(3):
                while not s.engine.handles[0].closed:
                    await asyncio.sleep(0.01)
            with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
                async with s.socket("realtime?resume=sess_99"):
                    pass
            assert refused.value.response.status_code == 404
            with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
                async with s.socket("realtime?include=words"):
                    pass
            assert refused.value.response.status_code == 400

    asyncio.run(scene())


def test_sessions_do_not_hear_one_another() -> None:
    async def scene() -> None:
        async with served(FakeEngine(limit=20)) as s:

            async def one(i: int) -> None:
                async with s.socket() as c:
                    await c.recv()
                    handle = s.engine.handles[i]
                    await c.send("input_audio_buffer.append", audio=b64(tone(0.6 + 0.01 * i, level=0.2)))
                    part = {"type": "input_text", "text": f"I am {i}"}
                    done = await c.expect("response.done", 8)
                    await c.send(
                        "conversation.item.create", item={"type": "message", "role": "user", "content": [part]}
                    )
                    await c.send("response.create", response={"output_modalities": ["text"]})
                    done = await c.expect("response.done", 8)
                    assert done["response"]["output"][0]["content"][0]["text"] == f"You said I am {i}"
                    assert abs(sum(map(len, handle.pushed)) - 16_000 * (0.6 + 0.01 * i)) < 1200
                    await c.socket.close()

            tasks = []
            for i in range(10):
                tasks.append(asyncio.create_task(one(i)))
                while len(s.engine.handles) <= i:
                    await asyncio.sleep(0.005)
            await asyncio.gather(*tasks)
            async with asyncio.timeout(3):
                while not all(h.closed for h in s.engine.handles):
                    await asyncio.sleep(0.01)

    asyncio.run(scene())


def test_a_file_is_pushed_as_fast_as_there_is_room_and_a_browser_gets_its_subprotocol() -> None:
    async def scene() -> None:
        async with served() as s:
            waits = 0
            async with s.socket(subprotocols=["realtime", "openai-insecure-api-key.abc"]) as c:
                await c.recv()
                assert c.socket.subprotocol == "realtime"
                room = c.handle.room

                async def counted() -> None:
                    nonlocal waits
                    waits += 1
                    await room()

                c.handle.room = counted
                await c.send("input_audio_buffer.append", audio=b64(silence(30.0)))
                await c.send("input_audio_buffer.clear")
                await c.expect("input_audio_buffer.cleared")
                assert waits >= 26
                assert np.isclose(sum(map(len, c.handle.pushed)) / 16_000, 30, atol=0.1)

    asyncio.run(scene())
