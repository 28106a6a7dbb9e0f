"""A real uvicorn server with the page and the fake engine, inside the test's event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import uvicorn
from fastapi import APIRouter

from serving.app import make_app
from serving.config import Config
from serving.limits import Limits
from serving.metrics import NoMetrics
from serving.realtime import route as realtime
from serving.security import Guard
from serving.web import route
from soundflow.types import FloatArray
from tests.serving.fake_engine import FakeEngine, FakeHandle


@dataclass
class Site:
    """A running server: `url` of the page; `engine` is what the tests script."""

    url: str
    engine: FakeEngine
    stop: Callable[[], None]
    drop: Callable[[], None]
    """Cuts every WebSocket, without a word."""
    loop: asyncio.AbstractEventLoop

    @property
    def wire(self) -> str:
        return self.url.replace("http", "ws", 1) + "v1/realtime"

    async def session(self, count: int = 1, timeout: float = 10.0) -> FakeHandle:
        """The newest session, once `count` of them were opened."""
        async with asyncio.timeout(timeout):
            while len(self.engine.handles) < count:
                await asyncio.sleep(0.02)
        return self.engine.handles[-1]


@asynccontextmanager
async def serve(
    port: int = 0, engine: FakeEngine | None = None, guard: Guard | None = None, wire: APIRouter | None = None
) -> AsyncIterator[Site]:
    """Page and wire on 127.0.0.1; `wire` in place of the real /v1/realtime."""
    engine = engine or FakeEngine()
    guard = guard or Guard(Limits())
    routers = [route.router(None), wire or realtime.router(engine, guard, Limits())]
    app = make_app(engine, Config(), guard, NoMetrics(), routers=routers)
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        app, log_level="warning", lifespan="off", ws="websockets-sansio", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server.serve(sockets=[listener]))

    def stop() -> None:
        server.should_exit = True

    def drop() -> None:
        for connection in list(server.server_state.connections):
            connection.transport.abort()

    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}/", engine, stop, drop, asyncio.get_running_loop())
    finally:
        stop()
        await task
        listener.close()


def tone_wav(path: Path, rate_hz: int, parts: list[tuple[float, float, float]]) -> Path:
    """A WAV of (seconds, Hz, amplitude) parts."""
    pieces = [a * np.sin(2 * np.pi * hz * np.arange(int(s * rate_hz)) / rate_hz) for s, hz, a in parts]
    soundfile.write(path, np.concatenate(pieces), rate_hz, subtype="PCM_16")
    return path


def heard(handle: FakeHandle) -> FloatArray:
    """All audio [n] that the session was given, 16 kHz."""
    return np.concatenate([np.zeros(0, np.float32), *handle.pushed])
