"""Serve the model: OpenAI Realtime and Live, Home Assistant (Wyoming, MQTT), a web page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from serving.config import Config
from serving.configfile import load, shown


def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind; beyond 127.0.0.1 a token is needed.")] = None,
    port: Annotated[int | None, typer.Option(help="Of HTTP and WebSocket; 0 is any free one.")] = None,
    wyoming_port: Annotated[int | None, typer.Option(help="Of Wyoming (Home Assistant); 0 is any free one.")] = None,
    mqtt: Annotated[
        str | None, typer.Option(metavar="URL", help="Of a broker: mqtt://host:port or mqtts://host:port.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="local: in this process; ray: on a Ray cluster.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder of a whole model of any tier, in place of nano.", show_default=False)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(envvar="SOUNDFLOW_CONFIG", help="YAML file (docs/serving.md).", show_default=False)
    ] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Show the resolved configuration, secrets masked, and end.")
    ] = False,
) -> None:
    """Serve the model until Ctrl-C or SIGTERM. Flags win over SOUNDFLOW_* variables, these over the file.

    This is not a certified alarm: do not rely on it for safety.
    """
    settings = load(config, flags(host, port, wyoming_port, mqtt, engine, model))
    if print_config:
        typer.echo(shown(settings), nl=False)
        return
    from serving.server import Server
    from serving.server import serve as run

    def ready(server: Server) -> None:
        typer.echo("\n".join(greeting(settings, server.http_port, server.wyoming_port)))

    run(settings, ready)


def flags(
    host: str | None,
    port: int | None,
    wyoming_port: int | None,
    mqtt: str | None,
    engine: str | None,
    model: Path | None = None,
) -> dict[str, Any]:
    """The flags that were given, in the shape of the configuration."""
    found: dict[str, Any] = {"host": host, "port": port, "engine": engine, "model": model}
    if wyoming_port is not None:
        found["wyoming"] = {"port": wyoming_port, "enabled": True}
    if mqtt is not None:
        found["mqtt"] = {"url": mqtt}
    return {k: v for k, v in found.items() if v is not None}


def greeting(config: Config, port: int, wyoming_port: int) -> list[str]:
    """What is listening, and how to try each of it; no secrets."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    web, ws = ("https", "wss") if config.tls.on else ("http", "ws")
    secured = bool(config.token or config.token_file or config.tokens)
    token = "YOUR_TOKEN" if secured else "none"
    lines = [
        f"SoundFlow listens on {config.host}:{port}" + (" (a token is needed)" if secured else " (this machine only)"),
        f"  health       curl {web}://{host}:{port}/health",
        f"  page         {web}://{host}:{port}/" + ("#token=YOUR_TOKEN" if secured else ""),
        f"  terminal     soundflow talk {ws}://{host}:{port}" + (" --token YOUR_TOKEN" if secured else ""),
        f'  openai SDK   AsyncOpenAI(base_url="{web}://{host}:{port}/v1", api_key="{token}")'
        '.realtime.connect(model="soundflow")',
    ]
    if config.wyoming.enabled:
        lines.append(
            f"  Home Assistant   Settings > Devices > Add integration > Wyoming: host {config.wyoming.host}, "
            f"port {wyoming_port}"
        )
    if config.mqtt.url:
        lines.append(
            f"  MQTT         discovery under {config.mqtt.discovery_prefix}/device/{config.mqtt.device_id}/config"
        )
    if config.recordings.enabled:
        lines.append(f"  Raw audio IS KEPT for {config.recordings.keep_h:g} h in {config.recordings.folder}")
    lines.append("Not a certified alarm: do not rely on it for safety. Ctrl-C stops it.")
    return lines
