"""`soundflow serve`: flags, what it prints, and how it fails."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from serving.cli import flags, greeting, serve
from serving.config import Config
from serving.configfile import load

TOKEN = "a-token-of-sufficient-length"
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(serve)


def run(*arguments: str, env: dict[str, str] | None = None) -> str:
    result = CliRunner().invoke(app, list(arguments), env=env or {})
    assert result.exception is None, result.exception
    return result.output


def test_print_config_is_the_resolved_one_with_secrets_masked(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("port: 1\nproactivity: 0.25\n")
    out = run(
        *("--config", str(file), "--port", "9", "--mqtt", f"mqtt://me:{TOKEN}@broker", "--engine", "ray"),
        *("--model", "my_model", "--print-config"),
        env={"SOUNDFLOW_TOKEN": TOKEN},
    )
    assert TOKEN not in out
    body = yaml.safe_load(out)
    assert (body["port"], body["proactivity"], body["engine"]) == (9, 0.25, "ray")
    assert body["model"] == "my_model"
    assert body["mqtt"]["url"] == "mqtt://**********@broker"
    assert body["token"] == "**********"


def test_the_file_may_come_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("port: 77\n")
    assert "port: 77" in run("--print-config", env={"SOUNDFLOW_CONFIG": str(file)})


def test_only_given_flags_are_settings() -> None:
    assert flags(None, None, None, None, None) == {}
    assert flags("::1", 1, 2, "mqtt://x", "ray", Path("m")) == {
        "host": "::1",
        "port": 1,
        "engine": "ray",
        "model": Path("m"),
        "wyoming": {"port": 2, "enabled": True},
        "mqtt": {"url": "mqtt://x"},
    }


def test_the_greeting_says_how_to_try_each_address_without_secrets(tmp_path: Path) -> None:
    text = "\n".join(greeting(Config(mqtt={"url": f"mqtt://me:{TOKEN}@b"}), 8080, 10300))
    for wanted in (
        "127.0.0.1:8080 (this machine only)",
        "curl http://127.0.0.1:8080/health",
        "soundflow talk ws://127.0.0.1:8080",
        'base_url="http://127.0.0.1:8080/v1"',
        "host 127.0.0.1, port 10300",
        "homeassistant/device/soundflow/config",
        "Not a certified alarm",
    ):
        assert wanted in text
    assert TOKEN not in text
    config = Config(
        host="::", token=TOKEN, wyoming={"enabled": False}, recordings={"enabled": True, "folder": tmp_path}
    )
    secured = "\n".join(greeting(config, 1, 0))
    assert "http://[::1]:1/health" in secured
    assert "a token is needed" in secured
    assert "IS KEPT" in secured
    assert "Home Assistant" not in secured
    assert TOKEN not in secured


def soundflow(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "soundflow.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "OMP_NUM_THREADS": "1"} | env,
    )


@pytest.fixture
def installed() -> None:
    names = {e.name for e in metadata.entry_points(group="soundflow.commands")}
    if not {"serve", "talk", "versions"} <= names:
        pytest.skip("the package was installed before it had these commands: run `pip install -e . --no-deps`")


def test_wrong_starts_are_one_line_and_status_2(installed: None, tmp_path: Path) -> None:
    typo = soundflow("serve", "--print-config", SOUNDFLOW_PROT="1")
    assert (typo.returncode, typo.stdout) == (2, "")
    assert typo.stderr.splitlines() == ["error: environment: SOUNDFLOW_PROT: unknown setting; did you mean port?"]
    naked = soundflow("serve", "--host", "0.0.0.0")
    assert naked.returncode == 2
    assert "token_file" in naked.stderr
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = soundflow("serve", "--port", str(other.getsockname()[1]))
    assert busy.returncode == 2
    assert "the port is in use" in busy.stderr
    assert "Traceback" not in typo.stderr + naked.stderr + busy.stderr


def test_the_commands_are_listed(installed: None) -> None:
    out = soundflow("--help").stdout
    for name in ("serve", "talk", "versions"):
        assert name in out
    assert "cannot be loaded" not in out


DEPLOY = Path(__file__).parents[2] / "deploy"


def test_the_example_configuration_loads_and_names_every_setting() -> None:
    config = load(DEPLOY / "soundflow.yaml", env={})
    assert config.model_dump() == Config().model_dump()
    text = (DEPLOY / "soundflow.yaml").read_text()
    for name in Config.model_fields:
        if name not in {"token"}:
            assert f"{name}:" in text


def test_the_example_s_comments_are_valid_settings(tmp_path: Path) -> None:
    """Every commented-out example, taken in."""
    lines = (DEPLOY / "soundflow.yaml").read_text().splitlines()
    out = []
    for line in lines:
        if line in ("rooms: []", "mcp_servers: []"):
            continue
        body = line.lstrip().removeprefix("# ")
        is_example = line.lstrip().startswith("# ") and (":" in body or body.startswith("-")) and out
        out.append(line[: len(line) - len(line.lstrip())] + body if is_example else line)
    text = "\n".join(line for line in out if not line.startswith("# "))
    text = text.replace("tls: {cert_file: cert.pem, key_file: key.pem}", "tls: {}").replace(
        "{tablet: ..., hub: ...}", "{a: b}"
    )
    (tmp_path / "s.yaml").write_text(text)
    config = load(tmp_path / "s.yaml", env={})
    assert [r.name for r in config.rooms] == ["kitchen", "nursery"]
    assert config.rooms[1].quiet_hours[0].start.hour == 20
    assert config.mcp_servers[0].allow == ("Hass*",)
    assert config.token_file == tmp_path / "token"
    assert config.journal.path is not None


def test_compose_sets_what_the_server_knows() -> None:
    body = yaml.safe_load((DEPLOY / "docker-compose.yaml").read_text())
    service = body["services"]["soundflow"]
    env = {k: str(v) for k, v in service["environment"].items()}
    config = load(env=env | {"SOUNDFLOW_HOST": "0.0.0.0"})
    assert config.mqtt.url is not None
    assert config.wyoming.host == "0.0.0.0"
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    grace = int(service["stop_grace_period"].removesuffix("s"))
    assert grace > config.as_limits().drain_s + 15
    for secret in body["secrets"].values():
        assert secret["file"].startswith("./secrets/")


def test_the_unit_and_the_image_do_not_run_as_root() -> None:
    unit = (DEPLOY / "soundflow.service").read_text()
    for line in ("DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "Type=notify"):
        assert f"\n{line}\n" in unit
    assert "soundflow serve --config" in unit
    if (program := shutil.which("systemd-analyze")) is not None:
        command = [program, "verify", str(DEPLOY / "soundflow.service")]
        said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30).stderr
        assert [
            line for line in said.splitlines() if "soundflow.service" in line and "not executable" not in line
        ] == []
    image = (DEPLOY / "Dockerfile").read_text()
    assert "\nUSER 10001" in image
    assert "HEALTHCHECK" in image
