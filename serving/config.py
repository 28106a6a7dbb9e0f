"""What the server is configured with: one tree of strict, frozen models. docs/serving.md is the manual.

`serving.configfile.load` fills it from flags, the environment (SOUNDFLOW_*) and a YAML file, in that order of
precedence. Units are in the names. Secrets are SecretStr and are never printed.
"""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.limits import Limits
from serving.roomsettings import Name, Room, zone
from serving.security import is_loopback

Port = Annotated[int, Field(ge=0, le=65535)]
Dial = Annotated[float, Field(ge=0.0, le=1.0)]
Bytes = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Base: an unknown key is an error, nothing changes after loading, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


def _limit(kind: type[Any], default: Any) -> tuple[Any, Any]:
    return (kind, Field(default, ge=1)) if kind is int else (kind, Field(default, ge=0))


_HINTS = get_type_hints(Limits)
LimitsModel: type[Strict] = create_model(
    "LimitsModel", __base__=Strict, **{f.name: _limit(_HINTS[f.name], f.default) for f in fields(Limits)}
)  # type: ignore[call-overload]
"""The fields, bounds and defaults of `serving.limits.Limits`."""


class Tls(Strict):
    """PEM files. Both, or neither."""

    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _both(self) -> Tls:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file are set together")
        for path in (self.cert_file, self.key_file):
            if path is not None and not path.is_file():
                raise ValueError(f"a file was expected at {path}")
        return self

    @property
    def on(self) -> bool:
        return self.cert_file is not None


class Wyoming(Strict):
    """Home Assistant's voice protocol. It knows no token: beyond loopback `allow_from` says which networks may come."""

    enabled: bool = True
    host: str = "127.0.0.1"
    port: Port = 10300
    zeroconf: bool = True
    allow_from: tuple[str, ...] = ()
    room: str = ""

    @field_validator("allow_from")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        import ipaddress

        for text in value:
            ipaddress.ip_network(text)
        return value

    @model_validator(mode="after")
    def _open_on_purpose(self) -> Wyoming:
        if self.enabled and not is_loopback(self.host) and not self.allow_from:
            raise ValueError(
                f"host {self.host} is reached from other machines and Wyoming knows no token: name the networks that "
                "may connect in allow_from, for example [192.168.1.0/24], or bind to 127.0.0.1"
            )
        return self


class Mqtt(Strict):
    """url: `mqtt://[user@]host[:port]` or `mqtts://...` (with `?ca=FILE`); none: off. The password may stand in the
    URL, too. texts: announcements carry what was said, and actions their arguments.
    """

    url: SecretStr | None = None
    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    discovery_prefix: str = "homeassistant"
    topic_prefix: str = "soundflow"
    texts: bool = True
    device_id: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")] = "soundflow"

    @field_validator("url")
    @classmethod
    def _scheme(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value()) if value else None
        if parts is not None and (parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname):
            raise ValueError("mqtt://host[:port] or mqtts://host[:port] was expected")
        return value


class McpServer(Strict):
    """A tool server: `url` (Streamable HTTP) or `command` (stdio, with `env`). Patterns know `*` and `?`: only tools in
    `allow` may be called; those in `confirm` always need a yes, those in `trust` never; for the others the rule of
    docs/tools.md decides.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    url: str = Field("", repr=False)
    command: tuple[str, ...] = Field((), repr=False)
    token: SecretStr | None = None
    token_file: Path | None = None
    allow: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    env: dict[str, SecretStr] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> McpServer:
        if bool(self.url) == bool(self.command):
            raise ValueError("either url or command was expected")
        if self.url and urlsplit(self.url).scheme not in {"http", "https"}:
            raise ValueError("url: http://... or https://... was expected")
        if "@" in urlsplit(self.url).netloc:
            raise ValueError("url: no user or password was expected; set token")
        if self.token and self.token_file:
            raise ValueError("either token or token_file was expected, not both")
        if self.command and (self.token or self.token_file):
            raise ValueError("token goes with url; a command gets its secrets by env")
        return self


class Acts(Strict):
    """Calls of MCP tools. timeout_s: until a call is given up. confirm_s: how long a risky one waits for its yes."""

    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    confirm_s: Annotated[float, Field(gt=0, le=3600)] = 60.0


class Journal(Strict):
    """What a session is resumed from when its worker or the server is lost: a SQLite file, or Redis for several nodes;
    neither: sessions end with the process. It holds the dialogue's text. `audio_s` of the newest audio are kept there,
    too; zero keeps none.
    """

    path: Path | None = None
    redis_url: SecretStr | None = None
    audio_s: Annotated[float, Field(ge=0, le=60)] = 0.0

    @model_validator(mode="after")
    def _one(self) -> Journal:
        if self.path and self.redis_url:
            raise ValueError("either path or redis_url was expected, not both")
        return self


class Recordings(Strict):
    """Raw audio on disk: off unless somebody asks for it, and then for a stated time and size."""

    enabled: bool = False
    folder: Path | None = None
    keep_h: Annotated[float, Field(gt=0, le=24 * 366)] = 24.0
    max_mb: Annotated[int, Field(ge=1)] = 1024

    @model_validator(mode="after")
    def _somewhere(self) -> Recordings:
        if self.enabled and self.folder is None:
            raise ValueError("folder is needed where recordings are enabled")
        return self


class Otel(Strict):
    """OpenTelemetry traces of HTTP requests and sessions; no words, no audio. endpoint: of an OTLP/HTTP collector."""

    endpoint: str = ""
    service_name: str = "soundflow"


class Log(Strict):
    format: Literal["plain", "json"] = "plain"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(BaseSettings):
    """The whole. Made by `serving.configfile.load`; `Config(...)` itself reads neither the environment nor a file.

    model: a model folder in place of nano; with ray, of every node. hearing_process: of the local engine; not for base
    and omni on a GPU, where the encoders stay beside the language model. eight_bit: on CPUs that multiply int8; of base
    and omni the language model alone, unless its config.json says how it is quantised.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        env_prefix="SOUNDFLOW_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        nested_model_default_partial_update=True,
    )

    host: str = "127.0.0.1"
    port: Port = 8080
    token: SecretStr | None = None
    token_file: Path | None = None
    tokens: dict[Name, SecretStr] = Field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    connections_per_s: Annotated[float, Field(gt=0)] = 50.0
    connection_burst: Annotated[int, Field(ge=1)] = 200
    tls: Tls = Tls()

    engine: Literal["local", "ray"] = "local"
    ray_address: str = ""
    workers: Annotated[int, Field(ge=1, le=1024)] = 1
    max_workers: Annotated[int, Field(ge=0, le=1024)] = 0
    hearing_process: bool = True
    batch_rows: Annotated[int, Field(ge=1, le=1024)] = 64
    eight_bit: bool = True
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:[0-9]+)?)$")] = "auto"
    gpus_per_worker: Annotated[float, Field(gt=0, le=8)] = 1.0
    tier: Literal["nano", "base", "omni"] = "nano"
    model: Path | None = None
    adapter: str = ""
    voice: bool = True

    proactivity: Dial = 0.5
    instruction: Annotated[str, Field(max_length=2000)] = ""
    tools_file: Path | None = None
    timezone: str = ""
    rooms: tuple[Room, ...] = ()

    limits: LimitsModel = LimitsModel()  # type: ignore[valid-type]
    wyoming: Wyoming = Wyoming()
    mqtt: Mqtt = Mqtt()
    mcp_servers: tuple[McpServer, ...] = ()
    acts: Acts = Acts()
    journal: Journal = Journal()
    recordings: Recordings = Recordings()
    log: Log = Log()
    otel: Otel = Otel()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: Any,
        init_settings: Any,
        env_settings: Any,
        dotenv_settings: Any,
        file_secret_settings: Any,
    ) -> tuple[Any, ...]:
        return (init_settings,)

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+/?", origin):
                raise ValueError(f"an origin such as https://house.example was expected, got {origin[:80]!r}")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        zone(value)
        return value

    @model_validator(mode="after")
    def _agree(self) -> Config:
        if self.token and self.token_file:
            raise ValueError("either token or token_file was expected, not both")
        for what, named in (("rooms", self.rooms), ("mcp_servers", self.mcp_servers)):
            names = [n.name for n in named]
            if twice := sorted({n for n in names if names.count(n) > 1}):
                raise ValueError(f"{what}: the name {twice[0]!r} is used twice")
        if self.wyoming.room and self.wyoming.room not in {r.name for r in self.rooms}:
            raise ValueError(f"wyoming.room: a configured room was expected, got {self.wyoming.room!r}")
        return self

    def as_limits(self) -> Limits:
        """For the engine and the endpoints."""
        found: Any = self.limits
        return Limits(**found.model_dump())
