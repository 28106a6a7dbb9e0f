"""Settings: strict, one precedence, named sources, no secret comes out."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.config import Config, LimitsModel
from serving.configfile import load, shown, tokens
from serving.limits import Limits
from serving.roomsettings import QuietHours, Room, resolve
from soundflow.errors import ConfigError

LABELS = ("Speech", "Smoke detector, smoke alarm", "Doorbell", "Ding-dong", "Dog", "Bark")
SECRET = "sesame-sesame-sesame"


def write(folder: Path, text: str) -> Path:
    path = folder / "soundflow.yaml"
    path.write_text(text)
    return path


def test_defaults_are_safe() -> None:
    config = load(env={})
    assert config.host == "127.0.0.1"
    assert config.wyoming.host == "127.0.0.1"
    assert not config.recordings.enabled
    assert config.journal.audio_s == 0.0
    assert config.as_limits() == Limits()
    assert tokens(config) == {}


def test_limits_are_those_of_the_engine() -> None:
    assert set(LimitsModel.model_fields) == {f.name for f in fields(Limits)}


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    file = write(tmp_path, "port: 1\nhost: 127.0.0.3\nproactivity: 0.1\nmqtt: {url: 'mqtt://file', username: file}\n")
    env = {"SOUNDFLOW_PORT": "2", "SOUNDFLOW_HOST": "127.0.0.2", "SOUNDFLOW_MQTT__DEVICE_ID": "env"}
    config = load(file, {"port": 3, "mqtt": {"url": "mqtt://flag"}}, env)
    assert (config.port, config.host, config.proactivity) == (3, "127.0.0.2", 0.1)
    assert config.mqtt.url is not None
    assert config.mqtt.url.get_secret_value() == "mqtt://flag"
    assert (config.mqtt.username, config.mqtt.device_id) == ("file", "env")


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("prt: 1", "prt: unknown key", "port"),
        ("limits: {drain: 2}", "limits.drain: unknown key", "drain_s"),
        ("rooms: [{name: a, quiethours: []}]", "rooms[0].quiethours: unknown key", "quiet_hours"),
        ("rooms: [{name: a, quiet_hours: [{start: '1:00', end: '2:00', day: []}]}]", "rooms[0].quiet_hours[0].day", ""),
        ("wyoming: {prot: 1}", "wyoming.prot: unknown key", "port"),
        ("mcp_servers: [{name: a, url: 'http://x', alow: []}]", "mcp_servers[0].alow: unknown key", "allow"),
        ("port: 70000", "port:", ""),
        ("limits: {backlog_s: .inf}", "limits.backlog_s:", ""),
        ("proactivity: 2", "proactivity:", ""),
        ("wyoming: {host: 0.0.0.0}", "wyoming:", "allow_from"),
        ("mqtt: {url: 'http://x'}", "mqtt.url:", "mqtt://"),
        ("mcp_servers: [{name: a}]", "mcp_servers[0]:", "url or command"),
        ("mcp_servers: [{name: a, url: 'http://me:pw@x'}]", "mcp_servers[0]:", "set token"),
        ("rooms: [{name: a}, {name: a}]", "used twice", ""),
        ("rooms: [{name: a, sounds_off: [Dog], sounds_only: [Dog]}]", "rooms[0]:", "not both"),
        ("recordings: {enabled: true}", "recordings:", "folder"),
        ("allowed_origins: ['*']", "allowed_origins:", "https://"),
        ("timezone: Mars/Olympus", "timezone:", "Europe/Berlin"),
        ("port: 1\nport: 2", "line 2", "stands twice"),
        ("host: 'x", "line", ""),
        ("- a", "keys and values", ""),
    ],
)
def test_wrong_settings_name_file_and_key(tmp_path: Path, text: str, key: str, hint: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file, env={})
    assert str(caught.value).startswith(str(file))
    assert key in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"SOUNDFLOW_PRT": "1"}, "SOUNDFLOW_PRT: unknown setting; did you mean port"),
        ({"SOUNDFLOW_LIMITS__DRAIN": "1"}, "SOUNDFLOW_LIMITS__DRAIN: unknown setting; did you mean drain_s"),
        ({"SOUNDFLOW_PORT": "tcp://10.0.0.1:80"}, "SOUNDFLOW_PORT: port:"),
        ({"SOUNDFLOW_ROOMS": "kitchen"}, "written as JSON"),
        ({"SOUNDFLOW_TLS__KEY_FILE": "/nowhere"}, "SOUNDFLOW_TLS__KEY_FILE: tls:"),
    ],
)
def test_wrong_variables_are_named(env: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match="environment") as caught:
        load(env=env)
    assert said in str(caught.value)


def test_variables_of_others_are_left_alone() -> None:
    assert (
        load(env={"SOUNDFLOW_HOME": "/x", "SOUNDFLOW_CONFIG": "/y", "PATH": "/z"}).model_dump() == Config().model_dump()
    )


def test_a_wrong_flag_is_named() -> None:
    with pytest.raises(ConfigError, match="command line: engine"):
        load(flags={"engine": "steam"}, env={})


def test_paths_of_a_file_start_at_its_folder(tmp_path: Path) -> None:
    body = "token_file: token\nmodel: my_model\nrooms: [{name: a, tools_file: t.json}]\njournal: {path: j.db}\n"
    file = write(tmp_path, body)
    config = load(file, env={})
    assert config.model == tmp_path / "my_model"
    assert config.token_file == tmp_path / "token"
    assert config.rooms[0].tools_file == tmp_path / "t.json"
    assert config.journal.path == tmp_path / "j.db"


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match=str(path)):
            load(path, env={})
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="binary"):
        load(binary, env={})


def everything_secret(tmp_path: Path) -> Config:
    body: dict[str, Any] = {
        "token": SECRET,
        "tokens": {"tablet": SECRET + "1"},
        "mqtt": {"url": f"mqtt://me:{SECRET}@broker:1883", "password": SECRET},
        "journal": {"redis_url": f"redis://:{SECRET}@cache/0"},
        "mcp_servers": [
            {"name": "ha", "url": f"https://ha/api/mcp?token={SECRET}", "token": SECRET},
            {"name": "own", "command": ["server", f"--token={SECRET}"]},
        ],
    }
    return load(write(tmp_path, yaml.safe_dump(body)), env={})


def test_print_config_masks_every_secret(tmp_path: Path) -> None:
    config = everything_secret(tmp_path)
    text = shown(config)
    assert SECRET not in text
    assert SECRET not in repr(config)
    assert "broker:1883" in text
    assert yaml.safe_load(text)["tokens"].keys() == {"tablet"}
    assert yaml.safe_load(text).keys() == Config.model_fields.keys()


def test_a_secret_of_any_shape_is_masked() -> None:
    for secret in (f"http://[{SECRET}", f"redis://[{SECRET}", f"mqtt://{SECRET}@[::1]:1/x?p={SECRET}#{SECRET}"):
        assert SECRET not in shown(Config(token=secret))


def test_errors_do_not_quote_secrets(tmp_path: Path) -> None:
    file = write(tmp_path, f"token: [{SECRET}]\n")
    with pytest.raises(ConfigError, match="token") as caught:
        load(file, env={})
    assert SECRET not in str(caught.value)


def test_token_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    assert tokens(load(flags={"token_file": path}, env={})) == {"default": SECRET}
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        tokens(load(flags={"token_file": path}, env={}))
    path.chmod(0o600)
    path.write_text(" \n")
    with pytest.raises(ConfigError, match="empty"):
        tokens(load(flags={"token_file": path}, env={}))


def quiet(**more: Any) -> QuietHours:
    return QuietHours.model_validate({"start": "22:00", "end": "07:00", **more})


def at(day: int, clock: str) -> datetime:
    """2026-11-02 is a Monday."""
    hour, minute = clock.split(":")
    return datetime(2026, 11, day, int(hour), int(minute))


def test_quiet_hours_go_over_midnight() -> None:
    window = quiet()
    hours = {"21:59": False, "22:00": True, "23:59": True, "00:00": True, "06:59": True, "07:00": False}
    assert {clock: window.covers(at(3, clock)) for clock in hours} == hours


def test_quiet_hours_belong_to_the_day_they_start() -> None:
    window = quiet(days=["mon"])
    assert window.covers(at(2, "23:00"))
    assert window.covers(at(3, "06:00"))
    assert not window.covers(at(3, "23:00"))
    assert not window.covers(at(2, "06:00"))


def test_yaml_reads_an_unquoted_time_as_minutes(tmp_path: Path) -> None:
    file = write(tmp_path, "rooms: [{name: a, quiet_hours: [{start: 22:30, end: 07:00}]}]")
    window = load(file, env={}).rooms[0].quiet_hours[0]
    assert (window.start.hour, window.start.minute, window.end.hour) == (22, 30, 7)


@pytest.mark.parametrize("clock", ["24:00", "7", "7:60", -1, 1440, True, None, 7.5])
def test_no_time_of_day(clock: Any) -> None:
    with pytest.raises(ValueError, match="time of day"):
        quiet(start=clock)


def test_sounds_by_label_or_by_what_replies_call_them() -> None:
    assert resolve(["dog"], LABELS, "x") == {"Dog"}
    assert resolve(["a smoke alarm"], LABELS, "x") == {"Smoke detector, smoke alarm"}
    assert resolve(["the doorbell"], LABELS, "x") == {"Doorbell", "Ding-dong"}
    with pytest.raises(ConfigError, match=r"rooms: a: sounds_off.*'dgo'.*'dog'"):
        Room(name="a", sounds_off=("dgo",)).muted(LABELS)


def test_only_mutes_the_others() -> None:
    assert Room(name="a", sounds_only=("Dog", "Speech")).muted(LABELS) == set(LABELS) - {"Dog", "Speech"}
