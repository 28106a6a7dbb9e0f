"""Ill-behaved clients, in a process of their own: what a client far away does takes none of the server's processor."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from soundflow.errors import SoundflowError

SECONDS: Final = 20.2  # fifty chunks, and what a resampler holds back
FUZZ_FRAMES: Final = 10_000
LOW: Final = 10
"""Niceness of the attackers."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the server listens, on loopback."""

    url: str
    port: int
    wyoming_port: int


async def _streams(target: Target, reads: bool) -> None:
    """Eight that send audio live, an eighth of a chunk apart: together they would be one large pass now and then, and
    whether that meets the good streams' chunks is luck. Those that do not read have little room in their sockets.
    """
    order = itertools.count()

    async def one() -> None:
        await asyncio.sleep(0.05 * next(order))
        made = socket.socket()
        if not reads:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", target.port))
        async with connect(f"{target.url}?model=m&include=decisions,levels,sounds", sock=made, max_queue=1) as wire:
            reader = asyncio.create_task(_discard(wire)) if reads else None
            body = json.dumps({"type": "input_audio_buffer.append", "audio": "A" * 12_800})
            for _ in range(round(SECONDS / 0.2)):
                await wire.send(body)
                await asyncio.sleep(0.2)
            if reader is not None:
                reader.cancel()

    await _each(one, 8)


async def slow_readers(target: Target, rng: random.Random) -> None:
    """Eight live streams that never read."""
    await _streams(target, reads=False)


async def readers(target: Target, rng: random.Random) -> None:
    """Eight live streams that do."""
    await _streams(target, reads=True)


async def half_open(target: Target, rng: random.Random) -> None:
    """A hundred sessions whose client is gone without a word."""

    async def one() -> None:
        await asyncio.sleep(rng.random() * SECONDS * 0.8)
        socket = await connect(f"{target.url}?model=m")
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": "A" * 6400}))
        socket.transport.abort()

    await _each(one, 100)


async def flood(target: Target, rng: random.Random) -> None:
    """Four that send small events as fast as they can."""

    async def one() -> None:
        end = asyncio.get_running_loop().time() + SECONDS
        while asyncio.get_running_loop().time() < end:
            async with connect(f"{target.url}?model=m") as socket:
                body = json.dumps({"type": "input_audio_buffer.clear"})
                while asyncio.get_running_loop().time() < end:
                    await socket.send(body)

    await _each(one, 4)


async def oversized(target: Target, rng: random.Random) -> None:
    """Messages of 16 MB, forty times."""

    async def one() -> None:
        for _ in range(10):
            async with connect(f"{target.url}?model=m", max_size=None) as socket:
                await socket.send("x" * 16_000_000)
                await socket.recv()
            await asyncio.sleep(0.5)

    await _each(one, 4)


async def fuzz(target: Target, rng: random.Random) -> None:
    """FUZZ_FRAMES broken messages on each of the three protocols, a few on each connection."""
    await asyncio.gather(_fuzz_ws(target.url + "?model=m", rng), _fuzz_ws(_live(target), rng), _fuzz_tcp(target, rng))


def _live(target: Target) -> str:
    return f"ws://127.0.0.1:{target.port}/v1/live/sessions"


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


async def _fuzz_tcp(target: Target, rng: random.Random) -> None:
    sent = 0
    while sent < FUZZ_FRAMES:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", target.wyoming_port)
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


ATTACKS: Final[Mapping[str, Callable[[Target, random.Random], Awaitable[None]]]] = {
    "slow readers": slow_readers,
    "half-open sockets": half_open,
    "flood": flood,
    "oversized frames": oversized,
    "fuzz": fuzz,
}

BEFORE: Final[Mapping[str, Callable[[Target, random.Random], Awaitable[None]]]] = {"slow readers": readers}
"""What the same clients do before they turn bad, where that alone is work."""


def run(name: str, behaves: bool, target: Target, seed: int) -> None:
    """The attack, or what its clients do before it. For a process of its own."""
    os.nice(LOW)
    work = (BEFORE if behaves else ATTACKS).get(name)
    if work is not None:
        asyncio.run(work(target, random.Random(seed)))
