"""The sensors of one room: what turns them on, and when they are off again. No clock, no sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from serving.handle import Output
from serving.mqtt.sensors import SENSORS, SPEECH_SENSOR, Sensor, sensor_of
from serving.mqtt.settings import MqttSettings
from soundflow.events import SoundEvent, SpeechStarted, SpeechStopped

VOICE: Final = "Voice"


@dataclass(slots=True)
class _Lamp:
    """One sensor. `going`: the sounds that go on; `seen`: when one last was; `sent`: when it was last published."""

    going: set[str] = field(default_factory=set)
    seen: float | None = None
    on: bool = False
    sent: float | None = None
    label: str = ""
    p: float = 0.0


class RoomState:
    """Takes outputs, gives the payloads that are due. All times are seconds of one monotonic clock."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._lamps = {sensor.key: _Lamp() for sensor in SENSORS}
        self._heard: float | None = None

    def take(self, output: Output, now: float, quiet: bool) -> None:
        self._heard = now
        match output:
            case SoundEvent():
                sensor = sensor_of(output.label)
                if sensor is not None and (sensor.urgent or not quiet):
                    self._sound(sensor, output.label, output.p, output.offset is None, now)
            case SpeechStarted() if not quiet:
                self._sound(SPEECH_SENSOR, VOICE, 1.0, True, now)
            case SpeechStopped():
                self._sound(SPEECH_SENSOR, VOICE, 1.0, False, now)
            case _:
                pass

    def _sound(self, sensor: Sensor, label: str, p: float, starts: bool, now: float) -> None:
        lamp = self._lamps[sensor.key]
        if starts:
            lamp.going.add(label)
            lamp.label, lamp.p, lamp.seen = label, p, now
        elif label in lamp.going:
            lamp.going.discard(label)
            lamp.seen = now

    def due(self, now: float) -> dict[str, str]:
        """Sensor key -> payload, of what has changed or must be said again."""
        listening = self._heard is not None and now - self._heard <= self._settings.stale_s
        found: dict[str, str] = {}
        for key, lamp in self._lamps.items():
            if not listening:
                lamp.going.clear()
            on = bool(lamp.going) or (lamp.seen is not None and now - lamp.seen < self._settings.hold_s)
            if on != lamp.on or (listening and self._again(lamp, on, now)):
                lamp.on, lamp.sent = on, now
                found[key] = _payload(lamp)
        return found

    def _again(self, lamp: _Lamp, on: bool, now: float) -> bool:
        every = self._settings.off_delay_s if on else self._settings.expire_after_s
        return lamp.sent is None or now - lamp.sent >= every / 3

    def forget(self) -> None:
        """Everything is due again: the broker or Home Assistant has started anew."""
        for lamp in self._lamps.values():
            lamp.sent = None


def _payload(lamp: _Lamp) -> str:
    state: dict[str, object] = {"state": "ON" if lamp.on else "OFF"}
    if lamp.on:
        state |= {"sound": lamp.label, "probability": round(lamp.p, 3)}
    return json.dumps(state)
