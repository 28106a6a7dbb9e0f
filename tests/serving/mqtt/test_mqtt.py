"""MQTT with a real broker and a plain subscriber."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from serving.handle import EngineInfo, Heard, Notice
from serving.mqtt import Broker, MqttPublisher, MqttSettings, Room
from serving.mqtt.sensors import SENSORS
from soundflow.events import DecisionEvent, ReplyDone, SoundEvent, Transcript
from tests.serving.mqtt.broker import SBIN, WAIT_S, Subscriber, free_port, mosquitto, needs_broker, subscriber

pytestmark = needs_broker

ENGINE = EngineInfo("nano", "1.2.3", 400.0, ("Speech",))
KITCHEN = MqttSettings(rooms=(Room("Kitchen"),), retry_s=0.05, retry_max_s=0.2, timeout_s=2.0)
SMOKE = "Smoke detector, smoke alarm"


def smoke(offset: float | None = None) -> SoundEvent:
    return SoundEvent(t=2.0, label=SMOKE, p=0.91234, onset=1.0, offset=offset)


@asynccontextmanager
async def running(publisher: MqttPublisher, connected: bool = True) -> AsyncIterator[MqttPublisher]:
    task = asyncio.create_task(publisher.run())
    try:
        async with asyncio.timeout(WAIT_S):
            while connected and not publisher.connected:
                assert not task.done(), task
                await asyncio.sleep(0.01)
        yield publisher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


Test = Callable[[MqttPublisher, Subscriber], Awaitable[Any]]


def published(folder: Path, test: Test, settings: MqttSettings = KITCHEN, **options: Any) -> Any:
    async def run() -> Any:
        port = free_port()
        async with mosquitto(folder, port), subscriber(port) as seen:
            publisher = MqttPublisher(Broker("127.0.0.1", port), ENGINE, settings, **options)
            async with running(publisher):
                return await test(publisher, seen)

    return asyncio.run(run())


def test_a_room_is_one_device_with_all_its_sensors(tmp_path: Path) -> None:
    async def test(publisher: MqttPublisher, seen: Subscriber) -> Any:
        topic, payload, _ = await seen.until(lambda t, _: t.endswith("/config"))
        async with subscriber(publisher._broker.port) as late:
            _, again, retained = await late.until(lambda t, _: t.endswith("/config"))
            _, online, kept = await late.until(lambda t, _: t.endswith("/availability"))
        assert (again, retained, online, kept) == (payload, True, "online", True)
        return topic, payload

    topic, payload = published(tmp_path, test)
    assert topic == "homeassistant/device/soundflow_kitchen/config"
    assert payload["device"] == {
        "identifiers": ["soundflow_kitchen"],
        "name": "SoundFlow Kitchen",
        "manufacturer": "SoundFlow",
        "model": "nano (not a certified alarm)",
        "sw_version": "1.2.3",
        "suggested_area": "Kitchen",
    }
    assert payload["origin"]["name"] == "SoundFlow"
    assert payload["availability_topic"] == "soundflow/soundflow/availability"
    parts = payload["components"]
    assert {p["platform"] for p in parts.values()} == {"binary_sensor", "event"}
    assert parts["smoke"]["device_class"] == "smoke"
    assert {p.get("device_class") for p in parts.values()} == {"smoke", "safety", "sound", "occupancy", None}
    assert len({p["unique_id"] for p in parts.values()}) == len(parts) == len(SENSORS) + 1
    for key, part in parts.items():
        assert part["state_topic"] == f"soundflow/soundflow/kitchen/{key}"
        assert part["platform"] == "event" or (part["off_delay"], part["expire_after"]) == (30, 120)
    assert parts["events"]["event_types"] == ["announcement", "decision", "action", "notice"]


def test_a_sound_turns_its_sensor_on_and_later_off(tmp_path: Path) -> None:
    async def test(publisher: MqttPublisher, seen: Subscriber) -> Any:
        topic = "soundflow/soundflow/kitchen/smoke"
        publisher.publish("Kitchen", Heard(0.4, 0, -60.0))
        _, before, _ = await seen.until(lambda t, p: t == topic)
        publisher.publish("Kitchen", smoke())
        _, on, kept = await seen.until(lambda t, p: t == topic and p["state"] == "ON")
        seen.seen.clear()
        publisher.publish("Kitchen", smoke(offset=2.0))
        _, off, _ = await seen.until(lambda t, p: t == topic and p["state"] == "OFF")
        return before, on, kept, off

    settings = MqttSettings(rooms=(Room("Kitchen"),), hold_s=0.2)
    before, on, kept, off = published(tmp_path, test, settings)
    assert before == off == {"state": "OFF"}
    assert on == {"state": "ON", "sound": SMOKE, "probability": 0.912}
    assert not kept


def test_announcements_and_decisions_are_events_and_words_stay_inside(tmp_path: Path) -> None:
    async def test(publisher: MqttPublisher, seen: Subscriber) -> list[Any]:
        topic = "soundflow/soundflow/kitchen/events"
        p = {"silent": 0.1, "speak": 0.9, "act": 0.0}
        for output in (
            Transcript(t=1.0, text="a private word", final=True, start=0.0, end=1.0),
            DecisionEvent(t=1.2, decision="silent", p=p, chunk=2),
            DecisionEvent(t=1.6, decision="speak", p=p, chunk=3),
            DecisionEvent(t=2.0, decision="speak", p=p, chunk=4),
            ReplyDone(t=2.0, id="r1", text="I hear a smoke alarm."),
            Notice("overload", "too much", {"dropped": 1.0}),
        ):
            publisher.publish("Kitchen", output)
        await seen.until(lambda t, p: t == topic and p["event_type"] == "notice")
        assert not any("private" in payload for _, payload, _ in seen.seen)
        async with subscriber(publisher._broker.port, topic) as late:
            await asyncio.sleep(0.1)
            assert late.seen == [], "an event must not be retained"
        return [json.loads(payload) for t, payload, _ in seen.seen if t == topic]

    assert published(tmp_path, test) == [
        {"event_type": "decision", "decision": "speak", "probability": 0.9},
        {"event_type": "announcement", "text": "I hear a smoke alarm."},
        {"event_type": "notice", "code": "overload"},
    ]


def test_announcements_without_texts(tmp_path: Path) -> None:
    async def test(publisher: MqttPublisher, seen: Subscriber) -> Any:
        publisher.publish("", ReplyDone(t=2.0, id="r1", text="I hear a smoke alarm."))
        return await seen.until(lambda t, _: t == "soundflow/soundflow/home/events")

    assert published(tmp_path, test, MqttSettings(texts=False))[1] == {"event_type": "announcement"}


def test_a_new_room_is_announced_when_it_is_first_heard(tmp_path: Path) -> None:
    async def test(publisher: MqttPublisher, seen: Subscriber) -> list[str]:
        for i in range(40):
            publisher.publish(f"Room {i}", Heard(0.4, 0, -60.0))
        await seen.until(lambda t, _: t == "homeassistant/device/soundflow_room_30/config")
        await asyncio.sleep(0.1)
        assert publisher.dropped == 40 - 31
        return [t for t, _, _ in seen.seen if t.endswith("/config")]

    assert len(published(tmp_path, test)) == 32


def test_quiet_hours_let_only_hazards_through(tmp_path: Path) -> None:
    async def test(publisher: MqttPublisher, seen: Subscriber) -> list[str]:
        publisher.publish("Kitchen", SoundEvent(t=1.0, label="Doorbell", p=0.9, onset=1.0))
        publisher.publish("Kitchen", ReplyDone(t=1.0, id="r1", text="The doorbell rings."))
        publisher.publish("Kitchen", smoke())
        await seen.until(lambda t, p: t.endswith("/smoke") and p["state"] == "ON")
        await asyncio.sleep(0.1)
        return [t for t, p, _ in seen.seen if '"ON"' in p or t.endswith("/events")]

    settings = MqttSettings(rooms=(Room("Kitchen", quiet=lambda: True),))
    assert published(tmp_path, test, settings) == ["soundflow/soundflow/kitchen/smoke"]


def test_when_home_assistant_starts_everything_is_said_again(tmp_path: Path) -> None:
    async def test(publisher: MqttPublisher, seen: Subscriber) -> None:
        publisher.publish("Kitchen", smoke())
        await seen.until(lambda t, p: t.endswith("/smoke") and p["state"] == "ON")
        seen.seen.clear()
        await seen.client.publish("homeassistant/status", "online", qos=1)
        await seen.until(lambda t, _: t.endswith("/config"))
        await seen.until(lambda t, p: t.endswith("/smoke") and p["state"] == "ON")

    published(tmp_path, test)


def test_a_server_that_ends_says_so_and_one_that_dies_is_said_to_be_gone(tmp_path: Path) -> None:
    async def run() -> None:
        port = free_port()
        topic = "soundflow/soundflow/availability"
        async with mosquitto(tmp_path, port), subscriber(port, topic) as seen:
            publisher = MqttPublisher(Broker("127.0.0.1", port), ENGINE, KITCHEN)
            async with running(publisher):
                await seen.until(lambda _, p: p == "online")
            await seen.until(lambda _, p: p == "offline")
            seen.seen.clear()
            async with running(publisher):
                await seen.until(lambda _, p: p == "online")
                other = MqttPublisher(Broker("127.0.0.1", port), ENGINE, KITCHEN)
                await _knock_out(port, other)
                await seen.until(lambda _, p: p == "offline")

    asyncio.run(run())


async def _knock_out(port: int, other: MqttPublisher) -> None:
    """A second client of the same id: the broker drops the first one's socket and publishes its last will."""
    import aiomqtt

    client = aiomqtt.Client("127.0.0.1", port, identifier=f"soundflow-{other.settings.device_id}")
    async with client:
        await asyncio.sleep(0.1)


def test_a_broker_that_comes_late_and_goes_is_found_again(tmp_path: Path) -> None:
    async def run() -> None:
        port = free_port()
        publisher = MqttPublisher(Broker("127.0.0.1", port), ENGINE, KITCHEN)
        async with running(publisher, connected=False):
            publisher.publish("Kitchen", ReplyDone(t=1.0, id="r0", text="early"))
            await asyncio.sleep(0.2)
            assert not publisher.connected
            for text in ("early", "again"):
                async with mosquitto(tmp_path, port), subscriber(port) as seen:
                    await seen.until(lambda t, p, text=text: t.endswith("/events") and p.get("text") == text)
                    publisher.publish("Kitchen", smoke())
                    await seen.until(lambda t, p: t.endswith("/smoke") and p["state"] == "ON")
                async with asyncio.timeout(WAIT_S):
                    while publisher.connected:
                        await asyncio.sleep(0.01)
                publisher.publish("Kitchen", ReplyDone(t=1.0, id="r1", text="again"))

    asyncio.run(run())


def test_events_that_wait_too_long_are_dropped_and_counted(tmp_path: Path) -> None:
    async def run() -> tuple[int, list[str]]:
        from serving.metrics import Metrics

        port, metrics = free_port(), Metrics()
        settings = MqttSettings(rooms=(Room("Kitchen"),), queue=3, retry_s=0.05)
        publisher = MqttPublisher(Broker("127.0.0.1", port), ENGINE, settings, metrics)
        for i in range(10):
            publisher.publish("Kitchen", ReplyDone(t=1.0, id="r", text=str(i)))
        assert b'soundflow_dropped_total{kind="mqtt"} 7.0' in metrics.render()
        async with mosquitto(tmp_path, port), subscriber(port, "soundflow/#") as seen, running(publisher):
            await seen.until(lambda t, p: t.endswith("/events") and p["text"] == "9")
            return publisher.dropped, [json.loads(p)["text"] for t, p, _ in seen.seen if t.endswith("/events")]

    assert asyncio.run(run()) == (7, ["7", "8", "9"])


def test_user_and_password(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tool = shutil.which("mosquitto_passwd", path=SBIN)
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    file = tmp_path / "passwords"
    subprocess.run([tool, "-b", "-c", str(file), "hub", "s3cr3t@:/"], check=True, capture_output=True)
    caplog.set_level(logging.DEBUG)

    async def run() -> None:
        port = free_port()
        async with mosquitto(tmp_path, port, f"password_file {file}", "allow_anonymous false"):
            right = Broker.parse(f"mqtt://hub:s3cr3t%40%3A%2F@127.0.0.1:{port}")
            async with running(MqttPublisher(right, ENGINE, KITCHEN)):
                pass
            wrong = MqttPublisher(Broker("127.0.0.1", port, "hub", "wr0ng"), ENGINE, KITCHEN)
            async with running(wrong, connected=False):
                await asyncio.sleep(0.3)
                assert not wrong.connected

    asyncio.run(run())
    assert "lost" in caplog.text
    assert "s3cr3t" not in caplog.text
    assert "wr0ng" not in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves the refused socket to gc
def test_tls_checks_the_certificate(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run([openssl, *made, *names, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)

    async def run() -> None:
        port = free_port()
        async with mosquitto(tmp_path, port, f"certfile {cert}", f"keyfile {key}"):
            known = Broker.parse(f"mqtts://127.0.0.1:{port}?ca={cert}")
            async with running(MqttPublisher(known, ENGINE, KITCHEN)):
                pass
            stranger = MqttPublisher(Broker.parse(f"mqtts://127.0.0.1:{port}"), ENGINE, KITCHEN)
            async with running(stranger, connected=False):
                await asyncio.sleep(0.3)
                assert not stranger.connected

    asyncio.run(run())
    gc.collect()
