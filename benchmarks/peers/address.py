"""The URL of a server as the name of a system, and what it says beside the address.

    ws://HOST:PORT/v1/realtime?model=M          OpenAI Realtime
    wss://HOST/v1/live/sessions?model=M         OpenAI Live
    ...#pace=0&key=MY_VARIABLE&transcribe=whisper-1

http and https are read as ws and wss. Options stand in the fragment, which is never sent:

    pace        audio seconds a second; 1 is a microphone and the default. 0 waits for decisions in place of the clock,
                which only a server can serve that tells them (ours, on /v1/realtime).
    key         name of the environment variable that holds the token; default SOUNDFLOW_BENCH_KEY, none where unset.
    transcribe  model that a Realtime server is asked to transcribe with.

The name is written into reports: a URL that carries a secret itself is refused.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from soundflow.errors import ConfigError

KEY: Final = "SOUNDFLOW_BENCH_KEY"
SCHEMES: Final = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
PATHS: Final = {"/realtime": "realtime", "/live/sessions": "live"}
OPTIONS: Final = ("pace", "key", "transcribe")
SECRET: Final = re.compile(
    r"token|secret|password|passwd|signature|credential|api[-_]?key|^key$|^sig$|auth", re.IGNORECASE
)
FASTEST: Final = 100.0


@dataclass(frozen=True, slots=True)
class Address:
    """A server: `url` to connect to, `kind` realtime or live, `model` where it is named."""

    name: str
    url: str
    kind: str
    model: str = ""
    pace: float = 1.0
    key: str = KEY
    transcribe: str = ""

    @staticmethod
    def parse(name: str) -> Address:
        """ConfigError says what is wrong, without repeating what may be a secret."""
        try:
            parts = urlsplit(name)
            _ = parts.port
        except ValueError as error:
            raise ConfigError(f"--systems: a URL was expected ({error})") from error
        shown = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        query = _secretless(parts, shown)
        kind = next((k for end, k in PATHS.items() if parts.path.rstrip("/").endswith(end)), "")
        if parts.scheme.lower() not in SCHEMES or not parts.hostname or not kind:
            raise ConfigError(
                f"--systems: ws://HOST/v1/realtime or ws://HOST/v1/live/sessions (ws, wss, http, https) was expected,"
                f" got {shown}"
            )
        options = _options(parts.fragment, shown)
        if kind == "live" and options["pace"] == "0":
            raise ConfigError(f"--systems: {shown}#pace: the Live wire tells no decisions to wait for; expected pace=1")
        model = dict(query).get("model", "")
        if kind == "live":  # named in session.start, not in the URL
            query = [(k, v) for k, v in query if k != "model"]
        elif "include" not in dict(query):
            query = [*query, ("include", "decisions,sounds")]
        tail = f"?{urlencode(query, safe=',')}" if query else ""
        url = f"{SCHEMES[parts.scheme.lower()]}://{parts.netloc}{parts.path}{tail}"
        return Address(name, url, kind, model, float(options["pace"]), options["key"], options["transcribe"])

    def headers(self) -> dict[str, str]:
        """Of the request; the token comes out of the environment."""
        token = os.environ.get(self.key, "").strip()
        return {"Authorization": f"Bearer {token}"} if token else {}


def _secretless(parts: SplitResult, shown: str) -> list[tuple[str, str]]:
    query = parse_qsl(parts.query, keep_blank_values=True)
    if parts.username or parts.password or any(SECRET.search(k) for k, _ in query):
        raise ConfigError(
            f"--systems: {shown}: the name of a system is written into reports, so that no token may stand in it;"
            f" put it into the variable {KEY}, or name another one by #key=VARIABLE"
        )
    return query


def _options(fragment: str, shown: str) -> dict[str, str]:
    given = dict(parse_qsl(fragment, keep_blank_values=True, strict_parsing=False))
    if fragment and (not given or set(given) - set(OPTIONS)):
        raise ConfigError(
            f"--systems: {shown}#: some of {', '.join(OPTIONS)} were expected, got {sorted(given) or '?'}"
        )
    options = {"pace": "1", "key": KEY, "transcribe": ""} | given
    try:
        pace = float(options["pace"])
    except ValueError:
        pace = math.nan
    if not 0 <= pace <= FASTEST:
        raise ConfigError(
            f"--systems: {shown}#pace: a number from 0 to {FASTEST:g} was expected, got {options['pace']!r}"
        )
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", options["key"]):
        raise ConfigError(f"--systems: {shown}#key: the name of an environment variable was expected")
    return options | {"pace": f"{pace:g}"}
