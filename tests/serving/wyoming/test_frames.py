"""What is no event, too large, too slow or never read: an `error` event, a closed connection, and others go on."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from wyoming.asr import Transcribe
from wyoming.event import Event
from wyoming.ping import Ping
from wyoming.tts import Synthesize
from wyoming.wake import Detect

from serving.limits import Limits
from serving.security import Guard
from serving.wyoming import Bounds, WyomingServer
from tests.serving.fake_engine import FakeEngine
from tests.serving.wyoming.served import TIGHT, WAIT_S, audio, client_of, raw, read_until, send, served


def frame(kind: str, data: object = None, payload: bytes = b"", **more: object) -> bytes:
    header = {"type": kind, "data": data if data is not None else {}, **more}
    if payload:
        header["payload_length"] = len(payload)
    return json.dumps(header).encode() + b"\n" + payload


AUDIO = {"rate": 16_000, "width": 2, "channels": 1}
START = frame("audio-start", AUDIO)

BAD = {
    "no JSON": (b"hello\n", "bad_frame"),
    "an empty line": (b"\n", "bad_frame"),
    "not UTF-8": (b"\xff\xfe{}\n", "bad_frame"),
    "a list": (b"[]\n", "bad_frame"),
    "null": (b"null\n", "bad_frame"),
    "deep": (b"[" * 1500 + b"\n", "bad_frame"),
    "no type": (b"{}\n", "bad_frame"),
    "a number as type": (b'{"type": 3}\n', "bad_frame"),
    "a long type": (json.dumps({"type": "x" * 65}).encode() + b"\n", "bad_frame"),
    "data that is a list": (b'{"type": "describe", "data": []}\n', "bad_frame"),
    "a negative length": (b'{"type": "describe", "data_length": -1}\n', "bad_frame"),
    "a length that is text": (b'{"type": "describe", "payload_length": "9"}\n', "bad_frame"),
    "a length that is true": (b'{"type": "describe", "payload_length": true}\n', "bad_frame"),
    "a length with a point": (b'{"type": "describe", "data_length": 2.0}\n', "bad_frame"),
    "data that is no JSON": (b'{"type": "describe", "data_length": 3}\nabc', "bad_frame"),
    "data that is no object": (b'{"type": "describe", "data_length": 2}\n[]', "bad_frame"),
    "a long header": (b'{"type": "' + b"x" * 3_000 + b'"}\n', "too_large"),
    "an endless header": (b"x" * 50_000, "too_large"),
    "long data": (b'{"type": "describe", "data_length": 2001}\n', "too_large"),
    "a long payload": (b'{"type": "audio-chunk", "payload_length": 20001}\n', "too_large"),
    "a rate of text": (frame("audio-start", {**AUDIO, "rate": "16k"}), "bad_audio"),
    "a rate of 0": (frame("audio-chunk", {**AUDIO, "rate": 0}, b"\0\0"), "bad_audio"),
    "a width of 8": (frame("audio-chunk", {**AUDIO, "width": 8}, b"\0" * 8), "bad_audio"),
    "no channels": (frame("audio-chunk", {"rate": 16_000, "width": 2}, b"\0\0"), "bad_audio"),
    "100 channels": (frame("audio-chunk", {**AUDIO, "channels": 100}, b"\0" * 200), "bad_audio"),
    "half a sample": (START + frame("audio-chunk", AUDIO, b"\0\0\0"), "bad_audio"),
    "an unknown sound": (frame("detect", {"names": ["Nothing of that kind"]}), "bad_request"),
    "names that are no list": (frame("detect", {"names": 3}), "bad_request"),
    "another language": (frame("transcribe", {"language": "de"}), "bad_request"),
    "a sentence of no text": (frame("transcript", {"text": None}), "bad_request"),
    "nothing to say": (frame("synthesize"), "bad_request"),
    "another voice": (frame("synthesize", {"text": "a", "voice": {"name": "b"}}), "bad_request"),
    "SSML": (frame("synthesize", {"text": "a", "text_format": "ssml"}), "bad_request"),
    "a piece without a start": (frame("synthesize-chunk", {"text": "a"}), "bad_request"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_is_answered_with_an_error_and_the_connection_closed(name: str) -> None:
    data, code = BAD[name]

    async def run() -> None:
        engine = FakeEngine()
        async with served(engine, bounds=TIGHT) as server:
            events, closed = await raw(server, data)
            assert [e.type for e in events] == ["error"]
            assert events[0].data["code"] == code
            assert "expected" in events[0].data["text"]
            assert closed
            async with client_of(server) as client:
                await send(client, Ping("others go on"))
                await read_until(client, "pong")
            assert all(h.closed for h in engine.handles)

    asyncio.run(run())


def test_the_timestamp_is_only_read_where_it_counts() -> None:
    async def run() -> list[str]:
        async with served(bounds=TIGHT) as server:
            bad = frame("audio-chunk", {**AUDIO, "timestamp": "x"}, b"\0\0")
            events, _ = await raw(server, frame("detect", {}) + START + bad)
            return [e.data["code"] for e in events]

    assert asyncio.run(run()) == ["bad_audio"]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b'{"type": "desc', "bad_frame"), (b'{"type": "describe", "data_length": 9}\n{', "bad_frame")],
)
def test_an_event_that_is_cut_off_is_an_error(data: bytes, code: str) -> None:
    async def run() -> list[Event]:
        async with served(bounds=TIGHT) as server:
            return (await raw(server, data, end=True))[0]

    (event,) = asyncio.run(run())
    assert (event.type, event.data["code"]) == ("error", code)


@pytest.mark.parametrize("data", [b"", b'{"type": "describe"', b'{"type": "x", "payload_length": 9}\n12'])
def test_a_client_that_says_nothing_more_is_told_and_closed(data: bytes) -> None:
    async def run() -> tuple[list[Event], bool]:
        async with served(bounds=TIGHT) as server:
            return await raw(server, data)

    (event,), closed = asyncio.run(run())
    assert event.data["code"] == "timeout"
    assert closed


def test_a_plain_goodbye_is_no_error() -> None:
    async def run() -> list[Event]:
        async with served(bounds=TIGHT) as server:
            return (await raw(server, frame("describe"), end=True))[0]

    assert [e.type for e in asyncio.run(run())] == ["info"]


def test_unknown_events_are_passed_over() -> None:
    async def run() -> list[str]:
        async with served() as server, client_of(server) as client:
            await client.write_event(Event("run-pipeline", {"a": 1}, b"123"))
            await send(client, Ping())
            return [e.type for e in await read_until(client, "pong")]

    assert asyncio.run(run()) == ["pong"]


def test_a_client_that_does_not_read_is_given_up() -> None:
    async def run() -> None:
        engine = FakeEngine()
        async with served(engine, bounds=replace(TIGHT, idle_s=30.0)) as server:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, ("127.0.0.1", server.port))
            text = ". ".join(["word"] * 300)
            await loop.sock_sendall(sock, frame("synthesize", {"text": text}))
            await asyncio.sleep(0.1)
            assert server.connections == 1
            for _ in range(int(WAIT_S / 0.05)):
                await asyncio.sleep(0.05)
                if not server.connections:
                    break
            assert server.connections == 0
            sock.close()

    asyncio.run(run())


def test_a_client_that_vanishes_leaves_no_session() -> None:
    async def run() -> None:
        engine = FakeEngine()
        async with served(engine) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(frame("detect") + START + frame("audio-chunk", AUDIO, b"\0\0" * 1600))
            await writer.drain()
            while not engine.handles:
                await asyncio.sleep(0.01)
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            while server.connections:
                await asyncio.sleep(0.01)
            assert engine.handles[0].closed
            del reader

    asyncio.run(asyncio.wait_for(run(), WAIT_S))


def test_one_connection_too_many_is_told_so() -> None:
    async def run() -> None:
        async with served(bounds=replace(TIGHT, idle_s=5.0)) as server:
            async with client_of(server), client_of(server), client_of(server) as last:
                await send(last, Ping())
                await read_until(last, "pong")
                async with client_of(server) as client:
                    (event,) = await read_until(client, "error")
                    assert event.data["code"] == "busy"
                    assert await client.read_event() is None
            while server.connections:
                await asyncio.sleep(0.01)
            async with client_of(server) as client:
                await send(client, Ping())
                await read_until(client, "pong")

    asyncio.run(run())


def test_a_full_engine_and_a_spent_quota_are_told() -> None:
    async def run(engine: FakeEngine, quota: Guard | None) -> str:
        async with served(engine, quota=quota) as server, client_of(server) as first, client_of(server) as second:
            await send(first, Detect(), *audio(0.2)[:-1])
            while not engine.handles:
                await asyncio.sleep(0.01)
            await send(second, Transcribe(), *audio(0.2)[:2])
            return (await read_until(second, "error"))[-1].data["code"]

    assert asyncio.run(run(FakeEngine(limit=1), None)) == "capacity"
    assert asyncio.run(run(FakeEngine(), Guard(Limits(max_client_sessions=1)))) == "too_many_sessions"


def test_only_the_named_networks_may_connect() -> None:
    async def run(network: str) -> str:
        async with served(networks=[network]) as server, client_of(server) as client:
            with suppress(ConnectionError):
                await send(client, Ping())
            event = await client.read_event()
            assert event is not None
            return event.type

    assert asyncio.run(run("10.0.0.0/8")) == "error"
    assert asyncio.run(run("127.0.0.0/8")) == "pong"


def test_a_flood_waits_in_its_own_socket() -> None:
    """200 pings against a rate of 200 a second and a burst of 20: they take longer, and another client does not."""

    async def flooded(server: WyomingServer) -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        async with client_of(server) as flood, client_of(server) as other:
            began = loop.time()
            await send(flood, *[Ping(str(i)) for i in range(200)])
            asked = loop.time()
            await send(other, Ping())
            await read_until(other, "pong")
            answered = loop.time() - asked
            for _ in range(200):
                await flood.read_event()
            return loop.time() - began, answered

    async def run() -> tuple[float, float]:
        async with served(bounds=Bounds(events_per_s=200.0, burst=20)) as server:
            return await flooded(server)

    took, answered = asyncio.run(run())
    assert took > 0.8
    assert answered < 0.5


def fuzzed(rng: random.Random) -> bytes:
    """A frame that is right, and then is not: bits, cuts, lengths, types and values are changed."""
    kinds = ["describe", "transcribe", "detect", "audio-start", "audio-chunk", "audio-stop", "transcript", "synthesize"]
    kinds += ["synthesize-start", "synthesize-chunk", "synthesize-stop", "ping", "nothing"]
    value = rng.choice(
        [None, True, -1, 0, 2, 16_000, 1e300, "x", "en", [], {}, ["Glass"], {"name": "a"}, "é" * 50, 2**70]
    )
    keys = [
        "rate",
        "width",
        "channels",
        "text",
        "names",
        "language",
        "voice",
        "context",
        "timestamp",
        "vad_sensitivity",
    ]
    data = {**AUDIO, "text": "hello", rng.choice(keys): value}
    payload = rng.randbytes(rng.choice([0, 1, 2, 320]))
    made = bytearray(frame(rng.choice(kinds), data, payload))
    match rng.randrange(6):
        case 0:
            made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
        case 1:
            del made[rng.randrange(len(made)) :]
        case 2:
            at = rng.randrange(len(made))
            made[at:at] = rng.randbytes(rng.randrange(1, 20))
        case 3:
            key = rng.choice([b"data_length", b"payload_length", b"type"])
            made[1:1] = b'"%s": %s, ' % (key, json.dumps(value).encode())
        case 4:
            made = bytearray(rng.randbytes(rng.randrange(1, 200)))
        case _:
            pass
    return bytes(made)


@pytest.mark.parametrize("frames", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_fuzzed_frames_end_in_an_error_or_an_answer(frames: int) -> None:
    async def one(server: WyomingServer, rng: random.Random) -> int:
        data = b"".join(fuzzed(rng) for _ in range(5))
        events, closed = await raw(server, data, end=True)
        assert closed
        assert not any(e.data.get("code") == "internal" for e in events), (data, events)
        return sum(e.type == "error" for e in events)

    async def run() -> int:
        engine, rng = FakeEngine(limit=1000), random.Random(7)
        bounds = replace(TIGHT, connections=64, peer_connections=64)
        async with served(engine, bounds=bounds) as server:
            errors = 0
            for _ in range(frames // 50):
                errors += sum(await asyncio.gather(*(one(server, rng) for _ in range(10))))
            async with client_of(server) as client:
                await send(client, Ping(), Synthesize("Fine."))
                await read_until(client, "audio-stop")
            for _ in range(100):
                await asyncio.sleep(0.02)
                if not server.connections:
                    break
            assert server.connections == 0
            assert all(h.closed for h in engine.handles)
        return errors

    assert asyncio.run(run()) > frames // 20
