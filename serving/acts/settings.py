"""Which MCP servers act, which of their tools, and which of these need a yes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from soundflow.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class McpServer:
    """One MCP server, reached by `url` (streamable HTTP) or started as `command` (stdio).

    token: sent as a bearer token with every request to `url`; never shown or logged.
    env: the variables that `command` gets beside a few plain ones (PATH, HOME, ...); never shown or logged.
    allow: patterns (`*`, `?`) of the tools that the model may call. Nothing is allowed unless it is named.
    confirm: patterns of tools that always need a yes. trust: of tools that never do. For the others, the rule of
        docs/tools.md decides, and a tool that calls itself destructive needs a yes.

    Raises:
        ConfigError: names the field.
    """

    name: str
    url: str = ""
    command: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow: tuple[str, ...] = ()
    confirm: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"mcp server {self.name!r:.64}"
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f"{where}: name: expected 1 to 32 of A-Z a-z 0-9 _ -")
        if bool(self.url) == bool(self.command):
            raise ConfigError(f"{where}: expected either url or command")
        if self.url:
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ConfigError(f"{where}: url: expected http://... or https://...")
            if parts.username or parts.password:
                raise ConfigError(f"{where}: url: expected no user or password; use token")
        if not self.token.isascii() or any(c.isspace() for c in self.token):
            raise ConfigError(f"{where}: token: expected ASCII characters without spaces")

    def allows(self, tool: str) -> bool:
        return matches(tool, self.allow)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class ActLimits:
    """call_s: until a call is given up. running: calls at once; waiting: further ones, more are refused.
    confirm_s: how long a risky call waits for its yes; unconfirmed: how many do.
    result_chars: of a result that the model is told. refresh_s: between looks at a server's tools, which are also the
    look whether it still lives. retry_s, retry_max_s: first and longest wait before a lost server is tried again.
    """

    call_s: float = 10.0
    running: int = 8
    waiting: int = 32
    confirm_s: float = 60.0
    unconfirmed: int = 32
    result_chars: int = 2_000
    refresh_s: float = 30.0
    retry_s: float = 1.0
    retry_max_s: float = 60.0
