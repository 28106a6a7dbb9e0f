"""Home Assistant's MQTT discovery: one retained message for each device, which names all its components."""

from __future__ import annotations

import json
from typing import Any, Final

from serving.handle import EngineInfo
from serving.mqtt.sensors import SENSORS
from serving.mqtt.settings import MqttSettings, Room, slug

EVENT_TYPES: Final = ["announcement", "decision", "action", "notice"]
EVENTS: Final = "events"


class Topics:
    """Where things are published."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self.base = f"{settings.topic_prefix}/{settings.device_id}"
        self.availability = f"{self.base}/availability"
        self.birth = f"{settings.discovery_prefix}/status"

    def state(self, room: str, key: str) -> str:
        return f"{self.base}/{slug(room)}/{key}"

    def device(self, room: str) -> str:
        """The id of a room's device."""
        return f"{self._settings.device_id}_{slug(room)}" if room else self._settings.device_id

    def config(self, room: str) -> str:
        return f"{self._settings.discovery_prefix}/device/{self.device(room)}/config"


def config(room: Room, settings: MqttSettings, engine: EngineInfo) -> str:
    """The payload for one room."""
    topics = Topics(settings)
    device = topics.device(room.name)
    title = room.title or room.name
    components: dict[str, dict[str, Any]] = {
        sensor.key: {
            "platform": "binary_sensor",
            "unique_id": f"{device}_{sensor.key}",
            "name": sensor.name,
            "device_class": sensor.device_class,
            "state_topic": topics.state(room.name, sensor.key),
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": topics.state(room.name, sensor.key),
            "off_delay": round(settings.off_delay_s),
            "expire_after": round(settings.expire_after_s),
        }
        for sensor in SENSORS
    }
    components[EVENTS] = {
        "platform": "event",
        "unique_id": f"{device}_{EVENTS}",
        "name": "Events",
        "state_topic": topics.state(room.name, EVENTS),
        "event_types": EVENT_TYPES,
    }
    about: dict[str, Any] = {
        "identifiers": [device],
        "name": f"SoundFlow {title}".strip(),
        "manufacturer": "SoundFlow",
        "model": f"{engine.tier} (not a certified alarm)",
        "sw_version": engine.version,
    }
    if title:
        about["suggested_area"] = title
    return json.dumps(
        {
            "device": about,
            "origin": {"name": "SoundFlow", "sw_version": engine.version},
            "availability_topic": topics.availability,
            "qos": 1,
            "components": components,
        }
    )
