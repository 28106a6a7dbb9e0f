"""Health, readiness, metrics, models, and what the outermost layer does to every request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, WebSocket

from serving.acts import ActingEngine, ActRunner
from serving.app import make_app
from serving.config import Config
from serving.drain import Drain
from serving.handle import Notice, SessionSpec
from serving.metrics import Metrics
from serving.rooms import RoomEngine
from serving.security import Guard
from tests.serving.fake_engine import FakeEngine

TOKEN = "a-token-of-sufficient-length"


class Rig:
    """An application over a fake engine, asked in process."""

    def __init__(self, **guard: Any) -> None:
        self.engine, self.metrics = FakeEngine(), Metrics()
        self.guard = Guard(**guard)
        self.drain = Drain(self.engine, self.guard, self.metrics, 0.3)
        self.app = make_app(self.engine, Config(), self.guard, self.metrics, self.drain, [broken()])

    def client(self, host: str = "127.0.0.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


def broken() -> APIRouter:
    """Fails inside."""
    router = APIRouter()

    @router.get("/broken")
    async def fail() -> None:
        raise RuntimeError("words that were said")

    @router.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()

    return router


def ask(rig: Rig, test: Callable[[httpx.AsyncClient], Awaitable[None]], host: str = "127.0.0.1") -> None:
    async def inside() -> None:
        async with rig.client(host) as client:
            await test(client)

    asyncio.run(inside())


def test_health_and_ready_through_the_life_of_a_server() -> None:
    rig = Rig()

    async def test(client: httpx.AsyncClient) -> None:
        assert (await client.get("/health")).json() == {"status": "ok"}
        starting = await client.get("/ready")
        assert (starting.status_code, starting.json()["reasons"]) == (503, ["starting"])
        rig.drain.serving()
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "reasons": [], "sessions": 0})
        assert "soundflow_ready 1.0" in (await client.get("/metrics")).text
        rig.engine.ready = False
        assert (await client.get("/ready")).json()["reasons"] == ["engine is not ready"]
        rig.engine.ready = True
        rig.drain.ask()
        drained = await client.get("/ready")
        assert (drained.status_code, drained.json()["reasons"]) == (503, ["draining"])
        assert "soundflow_ready 0.0" in (await client.get("/metrics")).text
        assert (await client.get("/health")).status_code == 200

    ask(rig, test)


def test_models_and_metrics() -> None:
    async def test(client: httpx.AsyncClient) -> None:
        models = (await client.get("/v1/models")).json()
        assert models["object"] == "list"
        assert models["data"][0]["id"] == "soundflow-fake"
        page = await client.get("/metrics")
        assert page.headers["content-type"].startswith("text/plain")
        assert "soundflow_step_seconds_bucket" in page.text

    ask(Rig(), test)


def test_the_load_of_the_workers_is_told_through_all_layers() -> None:
    core = FakeEngine()
    core.load = 0.625  # type: ignore[attr-defined]
    engine = RoomEngine(ActingEngine(core, ActRunner([])), Config())
    app = make_app(engine, Config(), Guard(), Metrics(), routers=[])

    async def inside() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            assert "soundflow_load 0.625" in (await client.get("/metrics")).text

    asyncio.run(inside())
    assert RoomEngine(FakeEngine(), Config()).load is None


def test_openai_reads_the_list_of_models() -> None:
    openai = pytest.importorskip("openai")
    rig = Rig()

    async def test(client: httpx.AsyncClient) -> None:
        sdk = openai.AsyncOpenAI(base_url="http://127.0.0.1/v1", api_key="x", http_client=client)
        assert [m.id async for m in sdk.models.list()] == ["soundflow-fake"]

    ask(rig, test)


def test_the_token_guards_what_is_not_for_supervisors() -> None:
    rig = Rig(host="0.0.0.0", tokens={"default": TOKEN})

    async def test(client: httpx.AsyncClient) -> None:
        for path in ("/metrics", "/v1/models"):
            bad = await client.get(path)
            assert (bad.status_code, bad.json()["error"]["code"]) == (401, "bad_token")
            assert bad.headers["www-authenticate"] == "Bearer"
            assert (await client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200
        assert (await client.get("/health")).status_code == 200

    ask(rig, test, "house.example")


def test_a_lured_browser_reads_nothing() -> None:
    rig = Rig()

    async def test(client: httpx.AsyncClient) -> None:
        rebound = await client.get("/v1/models", headers={"Host": "evil.example"})
        assert (rebound.status_code, rebound.json()["error"]["code"]) == (403, "bad_host")
        foreign = await client.get("/v1/models", headers={"Origin": "https://evil.example"})
        assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "bad_origin")
        assert foreign.headers["x-content-type-options"] == "nosniff"

    ask(rig, test)


def test_every_answer_has_a_request_id() -> None:
    async def test(client: httpx.AsyncClient) -> None:
        assert (await client.get("/health")).headers["x-request-id"].startswith("req_")
        own = await client.get("/nothing", headers={"x-request-id": "mine-1"})
        assert (own.status_code, own.headers["x-request-id"]) == (404, "mine-1")
        forged = await client.get("/health", headers={"x-request-id": "a b\tc"})
        assert forged.headers["x-request-id"].startswith("req_")

    ask(Rig(), test)


def test_a_fault_of_ours_says_nothing_of_its_inside() -> None:
    async def test(client: httpx.AsyncClient) -> None:
        answer = await client.get("/broken")
        assert answer.status_code == 500
        assert "words" not in answer.text

    ask(Rig(), test)


def test_no_schema_and_no_docs_are_served() -> None:
    async def test(client: httpx.AsyncClient) -> None:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (await client.get(path)).status_code == 404

    ask(Rig(), test)


def test_drain_waits_for_the_open_sessions_and_tells_them() -> None:
    async def inside() -> None:
        rig = Rig()
        handle = await rig.engine.open(SessionSpec())
        rig.drain.serving()
        rig.drain.ask()
        assert rig.guard.draining
        waiting = asyncio.create_task(rig.drain.done())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await handle.close()
        assert await asyncio.wait_for(waiting, 1.0) == 0
        outputs = [o async for o in handle.outputs()]
        assert [o.code for o in outputs if isinstance(o, Notice)] == ["draining"]

    asyncio.run(inside())


def test_drain_ends_when_its_time_is_over_or_somebody_hurries() -> None:
    async def inside(hurry: bool) -> float:
        rig = Rig()
        await rig.engine.open(SessionSpec())
        rig.drain.ask()
        loop = asyncio.get_running_loop()
        began = loop.time()
        if hurry:
            loop.call_later(0.05, rig.drain.ask)
        assert await rig.drain.done() == 1
        return loop.time() - began

    assert asyncio.run(inside(False)) >= 0.3
    assert asyncio.run(inside(True)) < 0.25
