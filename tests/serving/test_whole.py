"""The whole server as it is shipped, over an engine without a model: page, Realtime, Live, rooms, drain, metrics."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import websockets

from serving.config import Config
from serving.handle import Engine
from serving.server import Server
from tests.serving.fake_engine import FakeEngine
from tests.serving.test_metrics import samples

TOKEN = "a-token-of-sufficient-length"
LOUD = base64.b64encode((np.full(24_000, 0.5) * 32767).astype("<i2").tobytes()).decode()


class Running:
    """A server in a task, and its engine."""

    def __init__(self, **more: Any) -> None:
        body: dict[str, Any] = {"port": 0, "wyoming": {"enabled": False}, "limits": {"drain_s": 0.3}}
        self.engine = FakeEngine()
        self.server = Server(Config(**(body | more)), self._build)
        self.listens = asyncio.Event()
        self.task = asyncio.create_task(self.server.run(lambda _: self.listens.set()))

    async def _build(self, config: Config, metrics: Any) -> Engine:
        return self.engine

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.http_port}"

    def sdk(self, key: str = "none") -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"http://{self.address}/v1", api_key=key, max_retries=0)

    def stop(self) -> None:
        assert self.server.drain is not None
        self.server.drain.ask()


def run(test: Callable[[Running], Awaitable[None]], **more: Any) -> None:
    async def inside() -> None:
        running = Running(**more)
        await asyncio.wait_for(running.listens.wait(), 5.0)
        try:
            await asyncio.wait_for(test(running), 10.0)
        finally:
            running.stop()
            await asyncio.wait_for(running.task, 10.0)

    asyncio.run(inside())


async def until(connection: Any, kind: str) -> Any:
    while (event := await asyncio.wait_for(connection.recv(), 5.0)).type != kind:
        pass
    return event


def test_the_page_and_the_demo_are_served() -> None:
    async def test(running: Running) -> None:
        async with httpx.AsyncClient(base_url=f"http://{running.address}") as client:
            page = await client.get("/")
            assert page.status_code == 200
            assert "<html" in page.text
            assert (await client.get("/demo.wav")).headers["content-type"] == "audio/wav"

    run(test)


def test_openai_sdk_with_a_token_in_a_room_until_the_server_drains() -> None:
    async def test(running: Running) -> None:
        wrong = running.sdk("wrong")
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with wrong.realtime.connect(model="soundflow"):
                raise AssertionError
        assert refused.value.response.status_code == 401
        await wrong.close()
        sdk = running.sdk(TOKEN)
        async with sdk.realtime.connect(model="soundflow", extra_query={"room": "kitchen"}) as connection:
            created = await until(connection, "session.created")
            assert created.session.instructions == "Be brief."
            await connection.input_audio_buffer.append(audio=LOUD)
            done = await until(connection, "response.done")
            assert done.response.status == "completed"
            assert running.engine.handles[0].spec.instruction == "Be brief."
            found = samples(running.server.metrics)
            assert found["soundflow_sessions_open|protocol=realtime"] == 1
            assert found["soundflow_refused_total|code=bad_token"] == 1
            running.stop()
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await until(connection, "never")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        await sdk.close()
        await asyncio.wait_for(running.task, 5.0)
        assert samples(running.server.metrics)["soundflow_sessions_open|protocol=realtime"] == 0

    run(test, token=TOKEN, rooms=[{"name": "kitchen", "instruction": "Be brief."}, {"name": "attic"}])


def test_an_unknown_room_is_404_and_a_foreign_page_403() -> None:
    async def test(running: Running) -> None:
        for query, origin, status in (("?room=cellar", None, 404), ("", "https://evil.example", 403)):
            for path in ("/v1/realtime", "/v1/live/sessions"):
                with pytest.raises(websockets.InvalidStatus) as refused:
                    await websockets.connect(f"ws://{running.address}{path}{query}", origin=origin)
                assert refused.value.response.status_code == status
        assert running.engine.handles == []

    run(test, rooms=[{"name": "kitchen"}])


def test_live_starts_and_hears() -> None:
    async def test(running: Running) -> None:
        async with websockets.connect(f"ws://{running.address}/v1/live/sessions") as ws:
            await ws.send(json.dumps({"type": "session.start", "session": {"model": "soundflow"}}))
            started = json.loads(await asyncio.wait_for(ws.recv(), 5.0))
            assert started["type"] == "session.started", started
            assert samples(running.server.metrics)["soundflow_sessions_open|protocol=live"] == 1

    run(test)


def test_the_quota_of_a_client_is_429_before_the_socket_opens() -> None:
    async def test(running: Running) -> None:
        async with websockets.connect(f"ws://{running.address}/v1/realtime?model=x") as one:
            await one.recv()
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(f"ws://{running.address}/v1/realtime?model=x")
            assert refused.value.response.status_code == 429

    run(test, limits={"drain_s": 0.1, "max_client_sessions": 1})
