"""Read the configuration: flags over environment over file. Every error names the source of a setting, and its key."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import InitSettingsSource, SettingsError

from serving.config import Config, McpServer
from serving.logs import redact
from soundflow.errors import ConfigError

PREFIX: Final = "SOUNDFLOW_"
NOT_SETTINGS: Final = frozenset({"SOUNDFLOW_HOME", "SOUNDFLOW_CONFIG", "SOUNDFLOW_AUDIO"})
"""Variables that other parts read."""
MAX_FILE_BYTES: Final = 1024 * 1024
CONTAINER_SECRETS: Final = "/run/secrets"
"""Docker mounts secrets there, readable by all of the container."""
MASK: Final = "**********"
_PATHS: Final = (
    ("model",),
    ("token_file",),
    ("tools_file",),
    ("tls", "cert_file"),
    ("tls", "key_file"),
    ("journal", "path"),
    ("recordings", "folder"),
    ("mqtt", "password_file"),
)


def load(
    file: Path | None = None, flags: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None
) -> Config:
    """The configuration.

    Args:
        file: YAML; relative paths in it start at its folder.
        flags: nested values of the command line; they win.
        env: default the process's own.

    Raises:
        ConfigError: unreadable, an unknown key, a wrong value; names file, variable or flag, and the key.
    """
    body = _read(file) if file else {}
    flags = dict(flags or {})
    environment = dict(os.environ if env is None else env)
    _refuse_unknown_variables(environment)

    class Loaded(Config):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: Any,
            init_settings: Any,
            env_settings: Any,
            dotenv_settings: Any,
            file_secret_settings: Any,
        ) -> tuple[Any, ...]:
            env_settings.env_vars = {
                k.lower(): v for k, v in environment.items() if k.startswith(PREFIX) and k not in NOT_SETTINGS and v
            }
            return init_settings, env_settings, InitSettingsSource(settings_cls, body)

    try:
        return Loaded(**flags)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        loc = tuple(first["loc"])
        raise ConfigError(f"{_source(loc, flags, environment, body, file)}: {_say(first, loc)}") from None
    except SettingsError as error:
        raise ConfigError(f"environment: {error}; lists and objects are written as JSON") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: a readable YAML file was expected ({error.strerror})") from error
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError(f"{file}: at most {MAX_FILE_BYTES} bytes were expected, got {len(raw)}")
    try:
        body = yaml.load(raw.decode("utf-8"), Loader=_Strict)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f" line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{file}:{at} {getattr(error, 'problem', None) or 'UTF-8 YAML was expected'}") from None
    if body is None:
        return {}
    if not isinstance(body, dict) or not all(isinstance(k, str) for k in body):
        raise ConfigError(f"{file}: keys and values were expected, got {type(body).__name__}")
    return _anchored(body, file.absolute().parent)


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice, where YAML would take the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", node.value[i][0].start_mark
                )
        return super().construct_mapping(node, deep)


def _anchored(body: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relative paths of the file made absolute, without touching what has the wrong shape."""
    out = dict(body)
    for *above, last in _PATHS:
        place: Any = out
        for key in above:
            if isinstance(place.get(key), dict):
                place[key] = dict(place[key])
                place = place[key]
            else:
                place = {}
        if isinstance(place.get(last), str):
            place[last] = str(folder / Path(place[last]).expanduser())
    for key, path in (("rooms", "tools_file"), ("mcp_servers", "token_file")):
        if isinstance(out.get(key), list):
            out[key] = [
                {**row, path: str(folder / Path(row[path]).expanduser())}
                if isinstance(row, dict) and isinstance(row.get(path), str)
                else row
                for row in out[key]
            ]
    return out


def _refuse_unknown_variables(env: Mapping[str, str]) -> None:
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        first, _, rest = name.removeprefix(PREFIX).lower().partition("__")
        field = Config.model_fields.get(first)
        inner = _model(getattr(Config(), first)) if field else None
        if field is None or (rest and inner is not None and rest.partition("__")[0] not in inner.model_fields):
            known = sorted(Config.model_fields)
            hint = _close(first, known) if field is None else _close(rest, sorted(inner.model_fields if inner else ()))
            raise ConfigError(f"environment: {name}: unknown setting{hint}")


def _model(value: Any) -> type[BaseModel] | None:
    return type(value) if isinstance(value, BaseModel) else None


def _source(
    loc: tuple[Any, ...], flags: Mapping[str, Any], env: Mapping[str, str], body: dict[str, Any], file: Path | None
) -> str:
    """Where the setting at `loc` came from; a rule over several keys is put down to the file, where there is one."""
    if loc and _has(flags, loc):
        return "command line"
    whole = PREFIX + "__".join(str(part) for part in loc[:2]).upper()
    outer = PREFIX + "".join(str(part) for part in loc[:1]).upper()
    if loc and (name := next((n for n in env if env[n] and (n in {whole, outer} or n.startswith(f"{whole}__"))), "")):
        return f"environment: {name}"
    return str(file) if file and (not loc or _has(body, loc[:1])) else "settings"


def _has(place: Any, loc: tuple[Any, ...]) -> bool:
    for key in loc[:2]:
        if isinstance(place, Mapping) and key in place:
            place = place[key]
        else:
            return False
    return True


def _say(error: Any, loc: tuple[Any, ...]) -> str:
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc).lstrip(".")
    if error["type"] == "extra_forbidden":
        known = _known(loc[:-1])
        return f"{key}: unknown key{_close(str(loc[-1]), known)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}" if key else message


def _known(loc: tuple[Any, ...]) -> list[str]:
    """The keys that may stand at `loc`."""
    from serving.roomsettings import QuietHours, Room

    lists: dict[str, type[BaseModel]] = {"rooms": Room, "mcp_servers": McpServer, "quiet_hours": QuietHours}
    names = [p for p in loc if isinstance(p, str)]
    if not names:
        return sorted(Config.model_fields)
    model = lists.get(names[-1]) or _model(getattr(Config(), names[-1], None))
    return sorted(model.model_fields) if model else []


def _close(name: str, known: list[str]) -> str:
    if near := difflib.get_close_matches(name, known, 1, 0.7):
        return f"; did you mean {near[0]}?"
    return f"; expected one of {', '.join(known)}" if known else ""


def tokens(config: Config) -> dict[str, str]:
    """Name -> secret of who may come in; reads token_file. The single token is called `default`.

    Raises:
        ConfigError: as `secret_of`.
    """
    found = {name: secret.get_secret_value() for name, secret in config.tokens.items()}
    if config.token:
        found["default"] = config.token.get_secret_value()
    if config.token_file:
        found["default"] = secret_of(config.token_file, "token_file")
    return found


def secret_of(path: Path, key: str) -> str:
    """The first line of a file that holds one secret.

    Raises:
        ConfigError: the file cannot be read, is empty, or others may read it; names `key`.
    """
    try:
        text, mode = path.read_text(encoding="utf-8").strip(), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: {path}: a readable text file was expected") from error
    if not text:
        raise ConfigError(f"{key}: {path}: a secret was expected, the file is empty")
    if mode & 0o007 and not path.is_relative_to(CONTAINER_SECRETS):
        raise ConfigError(f"{key}: {path}: other users may read it; run `chmod 600 {path}`")
    return text


def mqtt_password(config: Config) -> str:
    """Of the settings or their file; empty where there is none. ConfigError as `secret_of`."""
    if config.mqtt.password_file:
        return secret_of(config.mqtt.password_file, "mqtt.password_file")
    return config.mqtt.password.get_secret_value() if config.mqtt.password else ""


def mcp_token(server: McpServer) -> str:
    """As `mqtt_password`, for a tool server."""
    if server.token_file:
        return secret_of(server.token_file, f"mcp_servers: {server.name}: token_file")
    return server.token.get_secret_value() if server.token else ""


def shown(config: Config) -> str:
    """The resolved configuration as YAML, with every secret masked."""
    return yaml.safe_dump(_masked(config), sort_keys=False, allow_unicode=True, width=120)


def _masked(value: Any) -> Any:
    match value:
        case BaseModel():
            return {name: _masked(getattr(value, name)) for name in type(value).model_fields}
        case SecretStr():
            return _masked_url(value.get_secret_value())
        case dict():
            return {str(k): _masked(v) for k, v in value.items()}
        case tuple() | list():
            return [_masked(v) for v in value]
        case str():
            return redact(value)
        case int() | float() | bool() | None:
            return value
        case _:
            return f"{value:%H:%M}" if hasattr(value, "hour") else str(value)


def _masked_url(secret: str) -> str:
    """A URL keeps what is no secret (scheme, host, port); all else is the mask."""
    try:
        parts = urlsplit(secret)
    except ValueError:
        return MASK
    if parts.scheme not in {"mqtt", "mqtts", "redis", "rediss"} or not parts.hostname:
        return MASK
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{MASK}@{host}" if "@" in parts.netloc else host, parts.path, "", ""))
