"""URLs, settings and sensors, without a broker and on a clock of the test's own."""

from __future__ import annotations

import json

import pytest

from serving.handle import Heard
from serving.mqtt import Broker, MqttPublisher, MqttSettings, Room
from serving.mqtt.sensors import SENSORS, sensor_of
from serving.mqtt.settings import slug
from serving.mqtt.state import RoomState
from soundflow.errors import ConfigError
from soundflow.events import SoundEvent, SpeechStarted, SpeechStopped
from soundflow.perceive.labels import ALERTING

SMOKE = "Smoke detector, smoke alarm"


def sound(label: str, offset: float | None = None) -> SoundEvent:
    return SoundEvent(t=1.0, label=label, p=0.9, onset=0.5, offset=offset)


def on(due: dict[str, str]) -> dict[str, bool]:
    return {key: json.loads(payload)["state"] == "ON" for key, payload in due.items()}


def test_urls() -> None:
    assert Broker.parse("mqtt://hub.local") == Broker("hub.local", 1883)
    assert Broker.parse("mqtts://u:p%40ss@hub:99/") == Broker("hub", 99, "u", "p@ss", tls=True)
    assert Broker.parse("mqtts://hub?ca=/etc/ca.pem", "u", "p") == Broker("hub", 8883, "u", "p", True, "/etc/ca.pem")
    assert Broker.parse("mqtt://[::1]:1884").host == "::1"
    shown = Broker.parse("mqtts://u:secret@hub")
    assert "secret" not in f"{shown} {shown!r}"


@pytest.mark.parametrize(
    "url",
    ["", "hub", "http://hub", "mqtt://", "mqtt://hub:x", "mqtt://hub:99999", "mqtt://u:secret@hub/path", "mqtt://hub?a=1",
     "mqtt://hub?ca=x", "mqtt://:secret@hub", "mqtt://hub#a"],
)  # fmt: skip
def test_bad_urls_are_refused_without_their_secrets(url: str) -> None:
    with pytest.raises(ConfigError, match="mqtt url") as raised:
        Broker.parse(url)
    assert "secret" not in str(raised.value)


def test_a_certificate_that_is_none(tmp_path: object) -> None:
    with pytest.raises(ConfigError, match="expected a file"):
        Broker.parse("mqtts://hub?ca=/no/such/file").context()
    with pytest.raises(ConfigError, match="PEM"):
        Broker.parse(f"mqtts://hub?ca={__file__}").context()
    assert Broker.parse("mqtt://hub").context() is None


@pytest.mark.parametrize(
    "options",
    [
        {"device_id": "a b"},
        {"topic_prefix": "a/#"},
        {"discovery_prefix": ""},
        {"hold_s": 40.0},
        {"rooms": (Room("Kitchen"), Room("kitchen"))},
        {"rooms": tuple(Room(f"r{i}") for i in range(33))},
    ],
)
def test_bad_settings_are_named(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="mqtt"):
        MqttSettings(**options)  # type: ignore[arg-type]


def test_every_alert_has_one_sensor() -> None:
    labels = [label for group in ALERTING.values() for label in group]
    assert all(sensor_of(label) is not None and sensor_of(label).key != "sound" for label in labels)  # type: ignore[union-attr]
    listed = [label for sensor in SENSORS for label in sensor.labels]
    assert len(listed) == len(set(listed))
    assert sensor_of("Dog").key == "sound"  # type: ignore[union-attr]
    assert sensor_of("Silence") is None
    assert [s.key for s in SENSORS if s.device_class == "smoke"] == ["smoke"]


def test_slugs() -> None:
    assert slug("Living room") == "living_room"
    assert slug("") == slug("///") == "home"
    assert slug("../#/+") == "home"


def test_a_sensor_is_on_while_the_sound_goes_on_and_a_little_longer() -> None:
    state = RoomState(MqttSettings(hold_s=5.0, off_delay_s=30.0, expire_after_s=120.0))
    state.take(Heard(0.4, 0, -60.0), 0.0, False)
    assert not any(on(state.due(0.0)).values())
    state.take(sound(SMOKE), 1.0, False)
    assert on(state.due(1.0)) == {"smoke": True}
    state.take(sound("Fire alarm"), 2.0, False)
    assert state.due(2.0) == {}
    state.take(sound(SMOKE, offset=3.0), 3.0, False)
    state.take(Heard(9.0, 0, -60.0), 9.0, False)
    assert state.due(9.0) == {}, "the fire alarm still goes on"
    assert on(state.due(11.5)) == {"smoke": True}, "it is said again, before Home Assistant turns it off by itself"
    state.take(sound("Fire alarm", offset=12.0), 12.0, False)
    assert state.due(16.9) == {}
    assert on(state.due(17.1)) == {"smoke": False}


def test_all_states_are_said_again_before_they_expire_but_only_where_somebody_listens() -> None:
    state = RoomState(MqttSettings(stale_s=20.0, expire_after_s=120.0))
    assert state.due(0.0) == {}, "nobody listens yet"
    state.take(Heard(0.4, 0, -60.0), 1.0, False)
    assert set(state.due(1.0)) == {s.key for s in SENSORS}
    assert state.due(30.0) == {}
    assert state.due(60.0) == {}, "nobody listens any more"
    state.take(Heard(0.4, 0, -60.0), 61.0, False)
    assert set(state.due(61.0)) == {s.key for s in SENSORS}
    state.forget()
    assert set(state.due(62.0)) == {s.key for s in SENSORS}


def test_a_sound_whose_end_is_never_told_goes_off_when_the_session_is_gone() -> None:
    state = RoomState(MqttSettings(stale_s=20.0, hold_s=5.0))
    state.take(sound(SMOKE), 0.0, False)
    state.take(Heard(9.0, 0, -60.0), 9.0, False)
    assert on(state.due(9.0))["smoke"]
    assert on(state.due(40.0)) == {"smoke": False}


def test_somebody_speaks() -> None:
    state = RoomState(MqttSettings(hold_s=5.0))
    state.take(SpeechStarted(t=1.0, start=1.0), 0.0, False)
    assert on(state.due(0.0))["speech"]
    state.take(SpeechStopped(t=2.0, end=2.0), 2.0, False)
    assert on(state.due(7.5)) == {"speech": False}
    state.take(SpeechStarted(t=9.0, start=9.0), 9.0, True)
    assert "speech" not in state.due(9.0)


def test_publishing_never_waits_or_raises_without_a_broker() -> None:
    from serving.handle import EngineInfo

    publisher = MqttPublisher(Broker("127.0.0.1", 1), EngineInfo("fake", "0", 400.0, ()), MqttSettings(queue=8))
    for i in range(10_000):
        publisher.publish(f"room {i % 100}", sound("Dog"))
    assert len(publisher._events) <= 8
    assert len(publisher._states) == 32
    assert publisher.dropped == 6_800
