"""Sounds -> sensors. A sensor is a group of sounds that a home would do the same about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from soundflow.perceive.labels import ALERTING, SPEECH, UNREPORTED


@dataclass(frozen=True, slots=True)
class Sensor:
    """device_class: one of Home Assistant's binary sensors. urgent: told in quiet hours, too."""

    key: str
    name: str
    device_class: str
    labels: tuple[str, ...]
    urgent: bool = False


_SMOKE: Final = ("Smoke detector, smoke alarm", "Fire alarm")
_CLOCKS: Final = ("Alarm clock", "Buzzer")
_ALARMS: Final = tuple(label for label in ALERTING["alarm"] if label not in (*_SMOKE, *_CLOCKS))

SENSORS: Final[tuple[Sensor, ...]] = (
    Sensor("smoke", "Smoke alarm heard", "smoke", _SMOKE, urgent=True),
    Sensor("alarm", "Alarm heard", "safety", _ALARMS, urgent=True),
    Sensor("siren", "Siren heard", "safety", ALERTING["siren"], urgent=True),
    Sensor("glass", "Breaking glass heard", "safety", ALERTING["glass"], urgent=True),
    Sensor("gunshot", "Gunshot heard", "safety", ALERTING["gunshot"], urgent=True),
    Sensor("explosion", "Explosion heard", "safety", ALERTING["explosion"], urgent=True),
    Sensor("scream", "Scream heard", "safety", ALERTING["scream"], urgent=True),
    Sensor("cry", "Crying heard", "sound", ALERTING["cry"]),
    Sensor("cough", "Cough heard", "sound", ALERTING["cough"]),
    Sensor("doorbell", "Doorbell heard", "sound", ALERTING["doorbell"]),
    Sensor("knock", "Knock heard", "sound", ALERTING["knock"]),
    Sensor("phone", "Phone heard", "sound", ALERTING["phone"]),
    Sensor("timer", "Alarm clock or buzzer heard", "sound", _CLOCKS),
    Sensor("speech", "Somebody speaks", "occupancy", tuple(sorted(SPEECH))),
    Sensor("sound", "Other sound", "sound", ()),
)
"""`sound` takes every reported sound that is in no other group."""

_OF: Final[Mapping[str, Sensor]] = {label: sensor for sensor in SENSORS for label in sensor.labels}
SPEECH_SENSOR: Final = next(s for s in SENSORS if s.key == "speech")
OTHER: Final = SENSORS[-1]


def sensor_of(label: str) -> Sensor | None:
    """The sensor that a sound turns on; None for scenes and textures."""
    return None if label in UNREPORTED else _OF.get(label, OTHER)
