"""A real uvicorn server in the test's own event loop, with an engine without a model, and plain client helpers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import uvicorn
import websockets
from fastapi import FastAPI
from openai.types.live import ServerEvent
from openai.types.realtime import RealtimeServerEvent

import serving.live.route
import serving.realtime.route
from serving.limits import Limits
from serving.security import Refused
from tests.serving.fake_engine import FakeEngine, FakeHandle


class OpenGuard:
    """Lets everybody in, but not the token `bad`; `most` sessions a client."""

    def __init__(self, most: int = 100) -> None:
        self.most, self.held = most, 0

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str], peer: str) -> str:
        if headers.get("authorization") == "Bearer bad":
            raise Refused(401, "bad_token", "a token was expected")
        return peer

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        if self.held >= self.most:
            raise Refused(429, "too_many_sessions", f"at most {self.most} sessions")
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1


@dataclass
class Served:
    engine: FakeEngine
    port: int
    guard: OpenGuard

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def ws(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/{path}"

    def client(self, **kwargs: Any) -> Any:
        from openai import AsyncOpenAI

        return AsyncOpenAI(base_url=self.http, api_key=kwargs.pop("api_key", "test"), **kwargs)

    @asynccontextmanager
    async def socket(self, path: str = "realtime?model=m", **kwargs: Any) -> AsyncIterator[Wire]:
        async with websockets.connect(self.ws(path), max_size=None, **kwargs) as socket:
            yield Wire(socket, self)


@dataclass
class Wire:
    """A raw client. `expect` skips what is between."""

    socket: Any
    served: Served
    seen: list[dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        self.seen = []

    @property
    def handle(self) -> FakeHandle:
        return self.served.engine.handles[-1]

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def recv(self, timeout: float = 5.0) -> dict[str, Any]:
        event = json.loads(await asyncio.wait_for(self.socket.recv(), timeout))
        self.seen.append(event)
        hold_against_sdk(event, live="live" in self.socket.request.path)
        return event

    async def expect(self, kind: str, timeout: float = 5.0) -> dict[str, Any]:
        while (event := await self.recv(timeout))["type"] != kind:
            pass
        return event

    async def until(self, kind: str, timeout: float = 5.0) -> list[dict[str, Any]]:
        """All events up to that one."""
        events = [await self.recv(timeout)]
        while events[-1]["type"] != kind:
            events.append(await self.recv(timeout))
        return events

    async def quiet(self, seconds: float = 0.15) -> list[dict[str, Any]]:
        """What comes in that time."""
        events = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    events.append(await self.recv(10))
        return events


@asynccontextmanager
async def served(
    engine: FakeEngine | None = None, limits: Limits | None = None, guard: OpenGuard | None = None, **kwargs: Any
) -> AsyncIterator[Served]:
    engine, limits, guard = engine or FakeEngine(), limits or Limits(), guard or OpenGuard()
    app = FastAPI()
    app.include_router(serving.realtime.route.router(engine, guard, limits, **kwargs))
    app.include_router(serving.live.route.router(engine, guard, limits, **kwargs))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="warning", lifespan="off", ws_max_size=8 * limits.max_frame_bytes
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(engine, port, guard)
    finally:
        server.should_exit = True
        server.force_exit = True
        await asyncio.wait_for(task, 10)
        await engine.close()


def tone(seconds: float, rate: int = 24_000, level: float = 0.3) -> bytes:
    """s16le, loud enough to be the fake engine's smoke alarm."""
    t = np.arange(int(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * 440 * t) * 32767).astype("<i2").tobytes()


def silence(seconds: float, rate: int = 24_000) -> bytes:
    return bytes(2 * int(seconds * rate))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def hold_against_sdk(event: dict[str, Any], live: bool = False) -> None:
    """The event is valid under the SDK's type of its name, loses nothing in it, and ours are the documented ones."""
    known = LIVE if live else REALTIME
    kind = known.get(event["type"])
    if kind is None:
        assert event["type"] in ADDITIVE, event["type"]
        return
    if not live:  # 16 kHz PCM is ours; the published type knows 24 kHz only
        event = json.loads(json.dumps(event).replace('"rate": 16000', '"rate": 24000'))
    parsed = kind.model_validate(event)
    assert json.loads(parsed.to_json(exclude_unset=True)) == event
    assert event.get("event_id")


def sdk_types(union: Any) -> dict[str, Any]:
    """Wire name -> the SDK's class, out of one of its event unions."""
    return {get_args(c.model_fields["type"].annotation)[0]: c for c in get_args(get_args(union)[0])}


REALTIME = sdk_types(RealtimeServerEvent)
LIVE = sdk_types(ServerEvent)
ADDITIVE = {
    "response.listen",
    "response.speak",
    "overlap.decision",
    "conversation.item.sound_detection",
    "input_audio_buffer.heard",
    "session.notice",
    "session.resumed",
    "session.delegation.function_call",
}
