"""What is published, for which rooms, and how often."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from soundflow.errors import ConfigError

_ID: Final = re.compile(r"[a-z0-9_-]{1,64}")
MAX_ROOMS: Final = 32


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Room:
    """name: as sessions name it, and part of the device's name; empty for a house without rooms. title: another name
    for people. quiet: asked at every event; while it is true only smoke and safety are published.
    """

    name: str
    title: str = ""
    quiet: Callable[[], bool] = _never


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """device_id: of this server, part of all topics and ids; two servers on a broker need two.

    discovery_prefix: Home Assistant's. topic_prefix: of the states.
    rooms: announced at once; others are when they are first heard, MAX_ROOMS of them.
    texts: announcements carry what was said, and actions their arguments.
    hold_s: a sensor stays on this long after the sound. off_delay_s: Home Assistant turns it off by itself then, where
        no further message comes. expire_after_s: a sensor is unavailable where nothing was heard in its room.
    stale_s: without any output for so long a room is not listened to.
    queue: events that wait for the broker; the oldest are dropped and counted.
    retry_s, retry_max_s: first and longest wait before a lost broker is tried again. timeout_s: of one exchange.
    """

    device_id: str = "soundflow"
    discovery_prefix: str = "homeassistant"
    topic_prefix: str = "soundflow"
    rooms: tuple[Room, ...] = ()
    texts: bool = True
    hold_s: float = 5.0
    off_delay_s: float = 30.0
    expire_after_s: float = 120.0
    stale_s: float = 20.0
    queue: int = 256
    retry_s: float = 1.0
    retry_max_s: float = 60.0
    timeout_s: float = 10.0
    keepalive_s: int = 30

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.device_id):
            raise ConfigError(f"mqtt device_id: expected 1 to 64 of a-z 0-9 _ -, got {self.device_id!r:.80}")
        for key in ("discovery_prefix", "topic_prefix"):
            value = getattr(self, key)
            if not value or value.startswith("/") or value.endswith("/") or set("#+\0$") & set(value):
                raise ConfigError(f"mqtt {key}: expected a topic without wildcards, got {value!r:.80}")
        if not 0 < self.hold_s < self.off_delay_s <= self.expire_after_s:
            raise ConfigError("mqtt: expected hold_s < off_delay_s <= expire_after_s")
        slugs = [slug(room.name) for room in self.rooms]
        twice = sorted({s for s in slugs if slugs.count(s) > 1})
        if twice or len(slugs) > MAX_ROOMS:
            raise ConfigError(f"mqtt rooms: expected at most {MAX_ROOMS} different names, got {twice or len(slugs)}")


def slug(name: str) -> str:
    """A room's name in topics and ids: `Living room` -> `living_room`; `home` for the house itself."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:48] or "home"
