"""What runs beside the HTTP server: Wyoming and its announcement, MQTT, tool servers, quiet hours.

`side_services` turns the configuration into named services for `serving.supervise.Supervisor`. Libraries are imported
by the service that needs them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from serving.config import Config
from serving.metrics import Metrics, NoMetrics
from serving.rooms import RoomEngine
from serving.security import ROOM, Guard, is_loopback

Service = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services share. `wyoming_port`: the one that was found free, where the configuration says 0."""

    config: Config
    engine: RoomEngine
    guard: Guard
    metrics: Metrics | NoMetrics
    wyoming_port: int = 0


def side_services(parts: Parts) -> dict[str, Service]:
    """Name -> service, of those that the configuration asks for."""
    config = parts.config
    found: dict[str, Service] = {"rooms": parts.engine.watch}
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
        networks=wanted.allow_from,
        quota=parts.guard,
        metrics=parts.metrics,
    )
    await server.serve()


async def _announce(parts: Parts) -> None:
    from serving.wyoming.announce import Announcement

    wanted = parts.config.wyoming
    async with Announcement("SoundFlow", wanted.host, parts.wyoming_port or wanted.port):
        await asyncio.Event().wait()
