"""A Wyoming server on a free port over an engine without a model, and stock clients for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event, Eventable

from serving.wyoming import Bounds, WyomingServer
from tests.serving.fake_engine import FakeEngine

WAIT_S = 5.0


@asynccontextmanager
async def served(engine: FakeEngine | None = None, **options: Any) -> AsyncIterator[WyomingServer]:
    server = WyomingServer(engine or FakeEngine(), port=0, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def client_of(server: WyomingServer) -> AsyncIterator[AsyncTcpClient]:
    async with AsyncTcpClient("127.0.0.1", server.port, connect_timeout=WAIT_S, read_timeout=WAIT_S) as client:
        yield client


async def send(client: AsyncTcpClient, *messages: Eventable) -> None:
    for message in messages:
        await client.write_event(message.event())


async def read_until(client: AsyncTcpClient, kind: str) -> list[Event]:
    """The events up to the first of that type; fails where the connection ends before."""
    events: list[Event] = []
    while True:
        event = await client.read_event()
        assert event is not None, f"the connection ended before {kind}; got {[e.type for e in events]}"
        events.append(event)
        if event.type == kind:
            return events


async def raw(server: WyomingServer, data: bytes, end: bool = False) -> tuple[list[Event], bool]:
    """Send these bytes -> the events that came back, and whether the server closed the connection."""
    from wyoming.event import async_read_event

    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    if end:
        writer.write_eof()
    events = []
    try:
        while (event := await asyncio.wait_for(async_read_event(reader), WAIT_S)) is not None:
            events.append(event)
        closed = reader.at_eof()
    except ConnectionError:
        closed = True
    finally:
        writer.close()
    return events, closed


def audio(seconds: float, level: float = 0.2, rate: int = 16_000, width: int = 2, channels: int = 1) -> list[Eventable]:
    """audio-start, 100 ms audio-chunks of a tone, audio-stop."""
    times = np.arange(round(seconds * rate)) / rate
    tone = np.repeat((level * np.sin(2 * np.pi * 440 * times))[:, None], channels, 1)
    if width == 1:
        data = (np.round(tone * 127) + 128).astype(np.uint8).tobytes()
    elif width == 3:
        whole = np.round(tone * (2**31 - 1)).astype("<i4")
        data = whole.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    else:
        data = np.round(tone * (2 ** (8 * width - 1) - 1)).astype(f"<i{width}").tobytes()
    step = rate // 10 * width * channels
    pieces = [data[i : i + step] for i in range(0, len(data), step)]
    events: list[Eventable] = [AudioStart(rate, width, channels)]
    events += [AudioChunk(rate, width, channels, piece, timestamp=100 * i) for i, piece in enumerate(pieces)]
    return [*events, AudioStop()]


TIGHT = Bounds(
    header_bytes=2_000,
    data_bytes=2_000,
    payload_bytes=20_000,
    frame_s=0.3,
    idle_s=0.5,
    write_s=0.5,
    connections=3,
    peer_connections=3,
)
