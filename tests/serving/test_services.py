"""The side services that a configuration asks for, wired to a real broker and a real Wyoming client."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import numpy as np
import pytest
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error

from serving.config import Config
from serving.handle import SessionSpec
from serving.metrics import Metrics
from serving.rooms import RoomEngine
from serving.security import Guard
from serving.services import Parts, act_runner, mqtt_publisher, side_services
from serving.supervise import Supervisor
from soundflow.errors import ConfigError
from tests.serving.fake_engine import FakeEngine
from tests.serving.test_metrics import samples

PASSWORD = "sesame-sesame"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """mosquitto with deploy/mosquitto.conf -> its port."""
    program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if program is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto is not installed")
    port = free_port()
    passwords, conf = tmp_path / "passwords", tmp_path / "mosquitto.conf"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "soundflow", PASSWORD], check=True, capture_output=True)
    passwords.chmod(0o644)
    tmp_path.chmod(0o755)
    text = (Path(__file__).parents[2] / "deploy" / "mosquitto.conf").read_text()
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1\nuser root").replace(
        "/mosquitto/passwords", str(passwords)
    )
    conf.write_text(text.replace("/mosquitto/data/", f"{tmp_path}/"))
    process = subprocess.Popen([program, "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            __import__("time").sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(5)


def parts(config: Config) -> Parts:
    engine, metrics = RoomEngine(FakeEngine(), config), Metrics()
    guard = Guard(config.as_limits())
    publisher = mqtt_publisher(config, engine, metrics)
    return Parts(config, engine, guard, metrics, 0, act_runner(config), publisher)


def test_a_sound_of_any_session_reaches_the_broker(broker: int, tmp_path: Path) -> None:
    secret = tmp_path / "mqtt-password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    config = Config(
        mqtt={"url": f"mqtt://127.0.0.1:{broker}", "username": "soundflow", "password_file": secret},
        rooms=[{"name": "kitchen"}],
        wyoming={"enabled": False},
    )

    async def inside() -> None:
        found = parts(config)
        supervisor = Supervisor(found.metrics)
        async with aiomqtt.Client("127.0.0.1", broker, username="soundflow", password=PASSWORD) as client:
            await client.subscribe("homeassistant/device/#")
            await client.subscribe("soundflow/#")
            for name, service in side_services(found).items():
                supervisor.keep(name, service)
            handle = await found.engine.open(SessionSpec())
            handle.push(np.full(6400, 0.5, np.float32))
            await handle.close()
            assert [o async for o in handle.outputs()]
            seen: dict[str, str] = {}
            async with asyncio.timeout(10):
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    seen[str(message.topic)] = message.payload.decode()
                    if any(
                        "smoke" in topic and "ON" in payload.upper()
                        for topic, payload in seen.items()
                        if "config" not in topic
                    ):
                        break
        await asyncio.sleep(1.1)
        assert samples(found.metrics)["soundflow_service_up|service=mqtt"] == 1
        await supervisor.stop()
        config_topic = next(t for t in seen if t.endswith("/config"))
        assert "kitchen" in json.dumps(json.loads(seen[config_topic]))

    asyncio.run(inside())


def test_a_wrong_password_is_refused_by_the_broker(broker: int) -> None:
    async def inside() -> None:
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", broker, username="soundflow", password="wrong"):
                raise AssertionError

    asyncio.run(inside())


def test_a_broker_that_is_away_stops_nothing() -> None:
    config = Config(mqtt={"url": f"mqtt://127.0.0.1:{free_port()}"}, wyoming={"enabled": False})

    async def inside() -> None:
        found = parts(config)
        supervisor = Supervisor(found.metrics)
        for name, service in side_services(found).items():
            supervisor.keep(name, service)
        handle = await found.engine.open(SessionSpec())
        for _ in range(20):
            handle.push(np.full(6400, 0.5, np.float32))
            await asyncio.sleep(0.01)
        await handle.close()
        assert len([o async for o in handle.outputs()]) > 40
        assert samples(found.metrics)["soundflow_service_up|service=mqtt"] == 0
        await supervisor.stop()

    asyncio.run(inside())


@pytest.mark.parametrize("networks", [("127.0.0.0/8",), ("10.0.0.0/8",)])
def test_wyoming_lets_in_its_networks_only_and_counts_in_the_quota(networks: tuple[str, ...]) -> None:
    rooms = [{"name": "attic"}, {"name": "hall", "sounds_off": ["dog"]}]
    config = Config(wyoming={"port": free_port(), "allow_from": networks, "room": "hall"}, rooms=rooms)

    async def inside() -> None:
        found = parts(config)
        supervisor = Supervisor(found.metrics)
        for name, service in side_services(found).items():
            supervisor.keep(name, service)
        await asyncio.sleep(0.2)
        async with AsyncTcpClient("127.0.0.1", config.wyoming.port) as client:
            try:
                await client.write_event(Transcribe().event())
                await client.write_event(AudioStart(16_000, 2, 1).event())
                await client.write_event(AudioChunk(16_000, 2, 1, b"\x01\x00" * 6400).event())
                held = 0
                for _ in range(50):
                    await asyncio.sleep(0.01)
                    held = max(held, found.guard.open_sessions)
                await client.write_event(AudioStop().event())
            except ConnectionError:
                assert networks[0].startswith("10.")
            event = await asyncio.wait_for(client.read_event(), 5)
            if networks[0].startswith("10."):
                assert event is not None
                assert Error.is_type(event.type)
                assert found.guard.open_sessions == 0
            else:
                assert held == 1
                assert isinstance(found.engine.inner, FakeEngine)
                assert "Dog" in found.engine.inner.handles[0].spec.muted
        await supervisor.stop()

    asyncio.run(inside())


def test_tool_servers_are_checked_at_the_start(tmp_path: Path) -> None:
    assert act_runner(Config()) is None
    config = Config(mcp_servers=[{"name": "home", "url": "http://127.0.0.1:1/mcp", "token_file": tmp_path / "none"}])
    with pytest.raises(ConfigError, match="mcp_servers: home: token_file"):
        act_runner(config)
    (tmp_path / "none").write_text("x")
    (tmp_path / "none").chmod(0o600)
    assert act_runner(config) is not None


def test_only_what_is_asked_for_runs() -> None:
    off = parts(Config(wyoming={"enabled": False}))
    assert set(side_services(off)) == {"rooms"}
    beyond = parts(Config(wyoming={"host": "0.0.0.0", "allow_from": ["10.0.0.0/8"]}))
    assert set(side_services(beyond)) == {"rooms", "wyoming", "zeroconf"}
    assert set(side_services(parts(Config()))) == {"rooms", "wyoming"}
