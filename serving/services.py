"""What runs beside the HTTP server: Wyoming and its announcement, MQTT, tool servers, quiet hours.

`side_services` turns the configuration into named services for `serving.supervise.Supervisor`. Libraries are imported
by the service that needs them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.config import Config
from serving.configfile import mcp_token, mqtt_password
from serving.metrics import Metrics, NoMetrics
from serving.rooms import RoomEngine
from serving.roomsettings import Room as RoomSettings
from serving.security import ROOM, Guard, is_loopback

if TYPE_CHECKING:
    from serving.acts import ActRunner
    from serving.mqtt import MqttPublisher

Service = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services share. `wyoming_port`: the one that was found free, where the configuration says 0."""

    config: Config
    engine: RoomEngine
    guard: Guard
    metrics: Metrics | NoMetrics
    wyoming_port: int = 0
    runner: ActRunner | None = None
    publisher: MqttPublisher | None = None


def mqtt_publisher(config: Config, engine: RoomEngine, metrics: Metrics | NoMetrics) -> MqttPublisher | None:
    """What tells MQTT of all that the sessions of `engine` hear; None where no broker is configured.

    Raises:
        ConfigError: a setting of the broker is wrong.
    """
    if config.mqtt.url is None:
        return None
    from serving.mqtt import MqttSettings, Room
    from serving.mqtt.publisher import publisher

    def quiet(room: RoomSettings) -> Callable[[], bool]:
        return lambda: (window := room.quiet(engine.now())) is not None and not window.mqtt

    wanted = config.mqtt
    settings = MqttSettings(
        device_id=wanted.device_id,
        discovery_prefix=wanted.discovery_prefix,
        topic_prefix=wanted.topic_prefix,
        rooms=tuple(Room(r.name, quiet=quiet(r)) for r in config.rooms),
        texts=wanted.texts,
    )
    password = mqtt_password(config)
    made = publisher(config.mqtt.url.get_secret_value(), engine.info, settings, metrics, wanted.username, password)
    engine.observers.append(made.publish)
    return made


def act_runner(config: Config) -> ActRunner | None:
    """What carries out the calls of MCP tools; None where no server is configured.

    Raises:
        ConfigError: a setting of a server is wrong.
    """
    if not config.mcp_servers:
        return None
    from serving.acts import ActLimits, ActRunner, McpServer

    servers = [
        McpServer(
            s.name,
            s.url,
            s.command,
            mcp_token(s),
            {k: v.get_secret_value() for k, v in s.env.items()},
            s.allow,
            s.confirm,
            s.trust,
        )
        for s in config.mcp_servers
    ]
    return ActRunner(servers, ActLimits(call_s=config.acts.timeout_s, confirm_s=config.acts.confirm_s))


def side_services(parts: Parts) -> dict[str, Service]:
    """Name -> service, of those that the configuration asks for."""
    config = parts.config
    found: dict[str, Service] = {"rooms": parts.engine.watch}
    if parts.runner is not None:
        found["acts"] = parts.runner.run
    if parts.publisher is not None:
        found["mqtt"] = lambda: _mqtt(parts)
    if config.wyoming.enabled:
        found["wyoming"] = lambda: _wyoming(parts)
        if config.wyoming.zeroconf and not is_loopback(config.wyoming.host):
            found["zeroconf"] = lambda: _announce(parts)
    return found


async def _wyoming(parts: Parts) -> None:
    from serving.wyoming import Bounds, WyomingServer

    wanted = parts.config.wyoming
    ROOM.set(wanted.room)  # the sockets that are opened below take this context along
    server = WyomingServer(
        parts.engine,
        wanted.host,
        parts.wyoming_port or wanted.port,
        bounds=Bounds.of(parts.config.as_limits()),
        acts=parts.runner is not None,
        networks=wanted.allow_from,
        quota=parts.guard,
        metrics=parts.metrics,
    )
    await server.serve()


async def _mqtt(parts: Parts) -> None:
    """The publisher tries a lost broker again by itself; the metric says whether it is connected."""
    publisher = parts.publisher
    assert publisher is not None
    async with asyncio.TaskGroup() as group:
        group.create_task(publisher.run())
        while True:
            parts.metrics.service("mqtt", publisher.connected)
            await asyncio.sleep(1.0)


async def _announce(parts: Parts) -> None:
    from serving.wyoming.announce import Announcement

    wanted = parts.config.wyoming
    async with Announcement("SoundFlow", wanted.host, parts.wyoming_port or wanted.port):
        await asyncio.Event().wait()
