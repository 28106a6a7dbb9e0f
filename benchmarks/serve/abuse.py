"""What ill-behaved clients do to the others: decisions' latency of good streams before and during, memory, survival."""

from __future__ import annotations

import asyncio
import json
import random
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from benchmarks.serve.client import Live, wire_audio
from benchmarks.serve.server import Server, rss_mb, serving
from soundflow.errors import SoundflowError

GOOD: Final = 4
SECONDS: Final = 20.2  # fifty chunks, and what a resampler holds back
FUZZ_FRAMES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Attack:
    """p99_ms of the good streams before and during; ratio of the two; grown_mb of the server over the attack."""

    name: str
    before_p99_ms: float
    during_p99_ms: float
    grown_mb: float
    lost: int
    alive: bool

    @property
    def ratio(self) -> float:
        return self.during_p99_ms / self.before_p99_ms


async def good(server: Server, seconds: float) -> tuple[list[float], int]:
    """Latencies [s] of GOOD streams, and chunks without a decision."""
    audio = wire_audio()
    lives = [await Live.open(server.url, keep=["error"]) for _ in range(GOOD)]
    await asyncio.gather(*(x.play(audio, seconds, k * len(audio) // GOOD) for k, x in enumerate(lives)))
    await asyncio.gather(*(x.drained() for x in lives))
    seen = [await x.close() for x in lives]
    return [w for s in seen for w in s.latencies_s()[5:]], sum(len(s.sent) - len(s.decided) for s in seen)


async def slow_readers(server: Server, rng: random.Random) -> None:
    """Eight that send audio and never read."""

    async def one() -> None:
        async with connect(f"{server.url}?model=m&include=decisions,levels,sounds", max_queue=1) as socket:
            body = json.dumps({"type": "input_audio_buffer.append", "audio": "A" * 12_800})
            for _ in range(round(SECONDS / 0.2)):
                await socket.send(body)
                await asyncio.sleep(0.2)

    await _each(one, 8)


async def half_open(server: Server, rng: random.Random) -> None:
    """A hundred sessions whose client is gone without a word."""

    async def one() -> None:
        await asyncio.sleep(rng.random() * SECONDS * 0.8)
        socket = await connect(f"{server.url}?model=m")
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": "A" * 6400}))
        socket.transport.abort()

    await _each(one, 100)


async def flood(server: Server, rng: random.Random) -> None:
    """Four that send small events as fast as they can."""

    async def one() -> None:
        end = asyncio.get_running_loop().time() + SECONDS
        while asyncio.get_running_loop().time() < end:
            async with connect(f"{server.url}?model=m") as socket:
                body = json.dumps({"type": "input_audio_buffer.clear"})
                while asyncio.get_running_loop().time() < end:
                    await socket.send(body)

    await _each(one, 4)


async def oversized(server: Server, rng: random.Random) -> None:
    """Messages of 16 MB, forty times."""

    async def one() -> None:
        for _ in range(10):
            async with connect(f"{server.url}?model=m", max_size=None) as socket:
                await socket.send("x" * 16_000_000)
                await socket.recv()
            await asyncio.sleep(0.5)

    await _each(one, 4)


async def fuzz(server: Server, rng: random.Random) -> None:
    """FUZZ_FRAMES broken messages on each of the three protocols, a few on each connection."""
    await asyncio.gather(_fuzz_ws(server.url + "?model=m", rng), _fuzz_ws(_live(server), rng), _fuzz_tcp(server, rng))


def _live(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/v1/live/sessions"


def broken_text(rng: random.Random) -> str | bytes:
    """A message that no client would send."""
    names = [
        "session.update",
        "response.create",
        "input_audio_buffer.append",
        "session.start",
        "conversation.item.create",
    ]
    values = [None, -1, 1e308, "", "A" * 999, [], {}, [[[]]], {"type": {}}, True, "\ud7ff", 10**30]
    match rng.randrange(6):
        case 0:
            return rng.randbytes(rng.randrange(200))
        case 1:
            return json.dumps({"type": rng.choice(names), rng.choice(["session", "audio", "item"]): rng.choice(values)})
        case 2:
            return json.dumps(rng.choice(values))
        case 3:
            return "[" * rng.randrange(5000)
        case 4:
            return json.dumps({"type": rng.choice(names)})[: rng.randrange(20)]
        case _:
            return json.dumps({"type": rng.choice(values), "event_id": rng.choice(values)})


async def _fuzz_ws(url: str, rng: random.Random) -> None:
    sent = 0
    while sent < FUZZ_FRAMES:
        try:
            async with connect(url, max_size=None) as socket:
                reader = asyncio.create_task(_discard(socket))
                for _ in range(rng.randrange(1, 200)):
                    await socket.send(broken_text(rng))
                    sent += 1
                    await asyncio.sleep(0.001)
                reader.cancel()
        except (ConnectionClosed, WebSocketException, OSError):
            sent += 1


async def _discard(socket: object) -> None:
    try:
        async for _ in socket:  # type: ignore[attr-defined]
            pass
    except ConnectionClosed:
        return


async def _fuzz_tcp(server: Server, rng: random.Random) -> None:
    sent = 0
    while sent < FUZZ_FRAMES:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.wyoming_port)
            for _ in range(rng.randrange(1, 20)):
                body = rng.choice([
                    rng.randbytes(rng.randrange(100)) + b"\n",
                    b'{"type":"audio-chunk","data_length":%d,"payload_length":%d}\n' % (rng.randrange(50), 2**40),
                    json.dumps({"type": rng.choice(["describe", "transcribe", "detect", 7, None])}).encode() + b"\n",
                    struct.pack("<I", rng.randrange(2**32)) + b"{" * 100 + b"\n",
                ])  # fmt: skip
                writer.write(body)
                sent += 1
                await asyncio.wait_for(writer.drain(), 5)
            writer.close()
        except (OSError, TimeoutError):
            sent += 1


async def _each(one: Callable[[], Awaitable[None]], count: int) -> None:
    """Whatever the server does to an attacker is its right."""

    async def guarded() -> None:
        try:
            await one()
        except (ConnectionClosed, WebSocketException, OSError, SoundflowError):
            return

    await asyncio.gather(*(guarded() for _ in range(count)))


ATTACKS: Final[Mapping[str, Callable[[Server, random.Random], Awaitable[None]]]] = {
    "slow readers": slow_readers,
    "half-open sockets": half_open,
    "flood": flood,
    "oversized frames": oversized,
    "fuzz": fuzz,
}


async def _attack(server: Server, name: str, rng: random.Random) -> Attack:
    quiet, _ = await good(server, SECONDS)
    members = server.family()
    before = rss_mb(members)
    attack = asyncio.create_task(ATTACKS[name](server, rng))
    (loud, lost) = await good(server, SECONDS)
    try:
        async with asyncio.timeout(120.0):
            await attack
    except TimeoutError:
        lost += 0
    await asyncio.sleep(3.0)
    p99 = [1000 * float(np.quantile(w, 0.99)) for w in (quiet, loud)]
    return Attack(name, p99[0], p99[1], rss_mb(members) - before, lost, server.alive)


def run(seed: int, names: tuple[str, ...] = tuple(ATTACKS)) -> list[Attack]:
    """Each attack on one server, one after the other. The clients run in this process, on the same cores."""
    rng = random.Random(seed)
    with serving({"LIMITS__RESUME_S": "2"}) as server:
        asyncio.run(good(server, 5.0))
        return [asyncio.run(_attack(server, name, rng)) for name in names]
