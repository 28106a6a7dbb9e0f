"""A whole server on real sockets, over an engine without a model."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import websockets
from fastapi import APIRouter, WebSocket
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info

from serving import app as app_module
from serving import server as server_module
from serving.config import Config
from serving.handle import Engine, Notice, SessionSpec
from serving.security import Guard, Refused
from serving.server import Server, bind
from soundflow.errors import ConfigError, SoundflowError
from tests.serving.fake_engine import FakeEngine
from tests.serving.test_metrics import samples

TOKEN = "a-token-of-sufficient-length"


def echo_router(engine: Engine, guard: Guard) -> APIRouter:
    """The least protocol: admit, hold, open; any message is loud audio; outputs come back as their names."""
    router = APIRouter()

    @router.websocket("/v1/test")
    async def talk(socket: WebSocket) -> None:
        try:
            client = guard.admit(socket.headers, socket.query_params, socket.client.host if socket.client else "")
        except Refused as error:
            await socket.close(1008, error.code)
            return
        with guard.hold(client):
            await socket.accept()
            handle = await engine.open(SessionSpec(client=client))

            async def send() -> None:
                async for output in handle.outputs():
                    await socket.send_text(output.code if isinstance(output, Notice) else type(output).__name__)

            sending = asyncio.create_task(send())
            try:
                async for _ in socket.iter_bytes():
                    handle.push(np.full(6400, 0.5, np.float32))
            finally:
                await handle.close()
                sending.cancel()

    return router


@pytest.fixture(autouse=True)
def small_routers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        app_module, "protocol_routers", lambda engine, config, guard, metrics: [echo_router(engine, guard)]
    )


def settings(**more: Any) -> Config:
    body: dict[str, Any] = {"port": 0, "wyoming": {"port": 0}, "limits": {"drain_s": 0.3, "handshake_s": 0.4}}
    return Config(**(body | more))


class Running:
    """A server in a task, and its engine."""

    def __init__(self, config: Config) -> None:
        self.engine = FakeEngine()
        self.server = Server(config, self._build)
        self.listens = asyncio.Event()
        self.task = asyncio.create_task(self.server.run(lambda _: self.listens.set()))

    async def _build(self, config: Config, metrics: Any) -> Engine:
        return self.engine

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.server.http_port}"

    async def stop(self) -> None:
        assert self.server.drain is not None
        self.server.drain.ask()
        await asyncio.wait_for(self.task, 10.0)


def run(test: Callable[[Running], Awaitable[None]], config: Config | None = None) -> None:
    async def inside() -> None:
        running = Running(config or settings())
        await asyncio.wait_for(running.listens.wait(), 5.0)
        try:
            await test(running)
        finally:
            if not running.task.done():
                await running.stop()
        left = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        assert left == []

    asyncio.run(inside())


def test_http_websocket_and_wyoming_in_one_loop() -> None:
    async def test(running: Running) -> None:
        async with httpx.AsyncClient(base_url=f"http://{running.url}") as client:
            assert (await client.get("/health")).status_code == 200
            assert (await client.get("/ready")).json()["ready"]
            async with websockets.connect(f"ws://{running.url}/v1/test") as ws:
                await ws.send(b"x")
                assert [await ws.recv() for _ in range(3)] == ["Heard", "SoundEvent", "DecisionEvent"]
                assert ws.response.headers["x-request-id"].startswith("req_")
                assert (await client.get("/ready")).json()["sessions"] == 1
        for _ in range(50):
            try:
                async with AsyncTcpClient("127.0.0.1", running.server.wyoming_port) as wyoming:
                    await wyoming.write_event(Describe().event())
                    event = await asyncio.wait_for(wyoming.read_event(), 5.0)
                break
            except ConnectionError:
                await asyncio.sleep(0.05)
        assert event is not None
        assert Info.is_type(event.type)

    run(test)


def test_a_stop_drains_and_closes_with_1012() -> None:
    async def test(running: Running) -> None:
        async with websockets.connect(f"ws://{running.url}/v1/test") as ws, httpx.AsyncClient() as client:
            await ws.send(b"x")
            await ws.recv()
            assert running.server.drain is not None
            running.server.drain.ask()
            assert (await client.get(f"http://{running.url}/ready")).status_code == 503
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(f"ws://{running.url}/v1/test")
            assert refused.value.response.status_code == 403  # the small router's close before accept
            got = []
            try:
                while True:
                    got.append(await asyncio.wait_for(ws.recv(), 5.0))
            except websockets.ConnectionClosed:
                pass
            assert "draining" in got
            assert ws.close_code == 1012
        await asyncio.wait_for(running.task, 5.0)
        assert all(h.closed for h in running.engine.handles)

    run(test)


def test_a_token_is_asked_for_on_the_wire() -> None:
    config = settings(host="0.0.0.0", token=TOKEN)

    async def test(running: Running) -> None:
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(f"ws://{running.url}/v1/test")
        async with websockets.connect(f"ws://{running.url}/v1/test?token={TOKEN}") as ws:
            await ws.send(b"x")
            assert await ws.recv() == "Heard"
        assert samples(running.server.metrics)["soundflow_refused_total|code=bad_token"] == 1

    run(test, config)


def test_a_port_in_use_is_said_plainly() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}: the port is in use.*--port"):
            Server(settings(port=port))
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}: the port is in use.*--wyoming-port"):
            Server(settings(wyoming={"port": port}))
        with pytest.raises(ConfigError, match="not an address"):
            bind("no.such.host.invalid", 0, "--host")
        with pytest.raises(ConfigError, match="does not have that address"):
            bind("192.0.2.1", 0, "--host")


def test_a_refused_start_leaves_no_socket() -> None:
    class Full(SoundflowError):
        pass

    async def build(config: Config, metrics: Any) -> Engine:
        raise Full("no weights")

    server = Server(settings(), build)
    with pytest.raises(Full):
        asyncio.run(server.run())
    bind("127.0.0.1", server.http_port, "--port").close()


def test_a_side_service_that_fails_does_not_stop_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    async def broken() -> None:
        tries.append(1)
        raise OSError("no broker")

    monkeypatch.setattr(server_module, "side_services", lambda parts: {"mqtt": broken})

    async def test(running: Running) -> None:
        await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=f"http://{running.url}") as client:
            page = (await client.get("/metrics")).text
            assert 'soundflow_service_up{service="mqtt"} 0.0' in page
            assert 'soundflow_service_failures_total{service="mqtt"} 1.0' in page
            assert (await client.get("/ready")).status_code == 200
        assert tries == [1]

    run(test)


async def closed_after(reader: asyncio.StreamReader, most_s: float) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.wait_for(reader.read(), most_s)
    return loop.time() - began


def test_half_open_connections_are_closed() -> None:
    async def test(running: Running) -> None:
        port = running.server.http_port
        silent, quiet = await asyncio.open_connection("127.0.0.1", port)
        slow, writer = await asyncio.open_connection("127.0.0.1", port)

        async def trickle() -> None:
            for byte in b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 200:
                if slow.at_eof():
                    return
                writer.write(bytes([byte]))
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(trickle())
        async with websockets.connect(f"ws://{running.url}/v1/test") as ws:
            assert await closed_after(silent, 3.0) > 0.2
            await closed_after(slow, 3.0)
            await asyncio.sleep(0.6)
            await ws.send(b"x")
            assert await ws.recv() == "Heard"
        await asyncio.wait_for(dripping, 1.0)
        quiet.close()
        writer.close()

    run(test)


def test_connections_of_one_address_are_bounded() -> None:
    config = settings(limits={"drain_s": 0.1, "handshake_s": 5.0, "max_client_sessions": 1})

    async def test(running: Running) -> None:
        opened = [await asyncio.open_connection("127.0.0.1", running.server.http_port) for _ in range(80)]
        await asyncio.sleep(0.1)
        shut = sum(reader.at_eof() for reader, _ in opened)
        assert shut == 80 - 68
        for _, writer in opened:
            writer.close()
        await asyncio.sleep(0.1)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://{running.url}/health")).status_code == 200

    run(test, config)


def test_noise_on_the_port_is_answered_or_closed_and_leaves_nothing() -> None:
    noise = random.Random(0)
    seeds = [
        b"GET /v1/test HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    ]

    def broken() -> bytes:
        body = bytearray(noise.choice(seeds) + noise.randbytes(noise.randrange(200)))
        for _ in range(noise.randrange(6)):
            body[noise.randrange(len(body))] = noise.randrange(256)
        return bytes(body)

    async def one(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(broken())
            await writer.drain()
            await asyncio.wait_for(reader.read(100), 0.05)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()

    async def test(running: Running) -> None:
        async with websockets.connect(f"ws://{running.url}/v1/test") as ws:
            for _ in range(20):
                await asyncio.gather(*(one(running.server.http_port) for _ in range(20)))
            await ws.send(b"x")
            assert await asyncio.wait_for(ws.recv(), 5.0) == "Heard"
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"http://{running.url}/health")).status_code == 200
            await asyncio.sleep(0.6)
            assert running.engine.sessions == running.server.guard.open_sessions == 1

    run(test)


def test_an_oversized_frame_closes_with_1009() -> None:
    config = settings(limits={"drain_s": 0.1, "max_frame_bytes": 1000})

    async def test(running: Running) -> None:
        async with websockets.connect(f"ws://{running.url}/v1/test") as ws:
            await ws.send(b"x" * 2000)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(ws.recv(), 5.0)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009

    run(test, config)


def test_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    try:
        subprocess.run(
            [*make, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
            check=True,
            capture_output=True,
        )
    except OSError:
        pytest.skip("openssl is not installed")
    import ssl

    context = ssl.create_default_context(cafile=str(cert))

    async def test(running: Running) -> None:
        async with httpx.AsyncClient(verify=context) as client:
            assert (await client.get(f"https://{running.url}/health")).status_code == 200
        async with websockets.connect(f"wss://{running.url}/v1/test", ssl=context) as ws:
            await ws.send(b"x")
            assert await ws.recv() == "Heard"

    run(test, settings(tls={"cert_file": cert, "key_file": key}))
    with pytest.raises(ConfigError, match="tls: a PEM certificate"):
        Server(settings(tls={"cert_file": key, "key_file": cert}))


SCRIPT = """
import asyncio, sys
from serving import app, server
from serving.config import Config
from tests.serving.fake_engine import FakeEngine
app.protocol_routers = lambda *a: []
async def build(config, metrics):
    return FakeEngine()
config = Config(port=0, wyoming={"port": 0}, token="%s", log={"format": "json", "level": "debug"})
server.serve(config, lambda s: print(s.http_port, flush=True), build)
"""


def test_sigterm_ends_the_process_in_order() -> None:
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT % TOKEN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert httpx.get(f"http://127.0.0.1:{port}/metrics?token={TOKEN}").status_code == 200
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert '"message": "draining"' in err
    assert '"path": "/metrics"' in err
    assert TOKEN not in err
    assert "Traceback" not in err
