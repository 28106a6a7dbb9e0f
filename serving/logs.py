"""Structured logs without audio, words or secrets.

A record carries its message, numbers and short names, the request it belongs to, and for an exception its type and
place. Messages of exceptions are left out but for those of SAID: others may quote what a client sent.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from serving.security import Refused
from soundflow.errors import CapacityError, ConfigError, WeightsError

REQUEST_ID: ContextVar[str] = ContextVar("soundflow_request_id", default="")
MASK: Final = "***"
MAX_TEXT: Final = 300
MAX_VALUE: Final = 120
SAID: Final = (OSError, ConfigError, WeightsError, CapacityError, Refused)
LOUD: Final = ("websockets", "uvicorn", "wyoming", "mcp", "httpx", "httpcore", "openai", "aiomqtt", "zeroconf", "ray")
"""Libraries that write payloads, headers or URLs at their DEBUG or INFO level."""
FIELDS: Final = frozenset(
    {"session", "client", "protocol", "service", "code", "reason", "status", "path", "method", "seconds", "count"}
    | {"rows", "room", "topic", "host", "port", "kind", "chunk", "reply", "attempt", "peer", "tier", "version"}
)
"""What `extra` may hold."""

REFUSED_SOCKET: Final = "ASGI callable returned without completing handshake."
"""uvicorn says so as an error whenever a WebSocket is refused with an HTTP status, which is no error."""

_SECRETS: Final = (
    re.compile(r"(?i)(bearer\s+)[^\s\"',;]+"),
    re.compile(r"(openai-insecure-api-key\.)[^\s\"',;]+"),
    re.compile(
        r"(?i)((?:^|[?&\s\"'-])(?:access_|api_)?(?:token|password|api_?key|secret)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;]+"
    ),
    re.compile(r"(\b[a-z][a-z0-9+.-]{0,15}://)[^\s/@]+@"),
)
_REQUEST: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id(offered: str = "") -> str:
    """The client's own id where it is a sane one, else a new one."""
    return offered if _REQUEST.fullmatch(offered) else f"req_{secrets.token_hex(8)}"


def redact(text: str, known: Iterable[str] = ()) -> str:
    """The text without tokens, passwords and the `known` secrets."""
    for secret in known:
        text = text.replace(secret, MASK)
    for pattern in _SECRETS[:-1]:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return _SECRETS[-1].sub(rf"\g<1>{MASK}@", text)


class Clean(logging.Filter):
    """Keeps payloads and secrets out of a record; adds the request's id.

    Args:
        known: secrets of the configuration.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        super().__init__()
        self._known = tuple(sorted((k for k in known if k), key=len, reverse=True))

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_plain(a) for a in record.args)
        elif isinstance(record.args, dict):
            record.args = {k: _plain(v) for k, v in record.args.items()}
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            text = str(record.msg)
        text = redact(text, self._known).replace("\r", " ").replace("\n", " ")
        record.msg = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."
        record.args = ()
        record.request = REQUEST_ID.get()
        return True

    def field(self, value: Any) -> Any:
        """A value of `extra`, as it may be written."""
        clean = _plain(value)
        return redact(clean, self._known) if isinstance(clean, str) else clean


class Calm(logging.Filter):
    """Lets one line of code write `most` records in `window_s`; the next window says how many were left out. So a
    flood of bad requests does not fill the disk.
    """

    def __init__(self, most: int = 30, window_s: float = 60.0) -> None:
        super().__init__()
        self._most, self._window_s = most, window_s
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "uvicorn.error" and record.msg == REFUSED_SOCKET:
            return False
        key = (record.pathname, record.lineno)
        since, count = self._seen.get(key, (record.created, 0))
        if record.created - since >= self._window_s:
            if count > self._most:
                record.msg = f"{record.msg} ({count - self._most} more were left out)"
            since, count = record.created, 0
        self._seen[key] = (since, count + 1)
        return count < self._most


def _plain(value: Any) -> Any:
    """Numbers and short text as they are; anything that may be audio or a payload as its type and size."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= MAX_VALUE else f"{value[:MAX_VALUE]}..."
    if isinstance(value, BaseException):
        return reason(value)
    try:
        size = len(value)
    except TypeError:
        return str(value)[:MAX_VALUE] if isinstance(value, type | datetime) else f"<{type(value).__name__}>"
    return f"<{type(value).__name__} of {size}>"


def reason(error: BaseException) -> str:
    """What of an exception may be written: its type, and its message where that quotes nobody."""
    name = type(error).__name__
    return f"{name}: {error}"[:MAX_TEXT] if isinstance(error, SAID) else name


def _where(info: Any) -> list[str]:
    frames = traceback.extract_tb(info[2])[-8:]
    return [f"{f.filename}:{f.lineno} {f.name}" for f in frames]


class Plain(logging.Formatter):
    """One line: time, level, logger, message, fields."""

    def __init__(self, clean: Clean) -> None:
        super().__init__()
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        body = self.body(record)
        head = f"{body.pop('time')} {body.pop('level'):7} {body.pop('logger')}: {body.pop('message')}"
        where = body.pop("where", [])
        tail = "".join(f" {k}={v}" for k, v in body.items())
        return head + tail + "".join(f"\n    {line}" for line in where)

    def body(self, record: logging.LogRecord) -> dict[str, Any]:
        out: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.msg,
        }
        if request := getattr(record, "request", ""):
            out["request"] = request
        out |= {k: self._clean.field(v) for k, v in sorted(vars(record).items()) if k in FIELDS}
        if record.exc_info and record.exc_info[1] is not None:
            out["error"] = self._clean.field(reason(record.exc_info[1]))
            out["where"] = _where(record.exc_info)
        return out


class Json(Plain):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.body(record), ensure_ascii=False, default=str)


def setup(
    format: str = "plain", level: str = "info", known: Iterable[str] = (), stream: TextIO | None = None
) -> logging.Handler:
    """Send every log of the process through one clean handler; what was set up before is replaced.

    Args:
        format: `plain` or `json`.
        level: of our own loggers; libraries that write payloads stay at `warning` or above.
        known: secrets that must not come out.
    """
    clean = Clean(known)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Calm())
    handler.addFilter(clean)
    handler.setFormatter(Json(clean) if format == "json" else Plain(clean))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("serving", "soundflow"):
        logging.getLogger(name).setLevel(level.upper())
    for name in LOUD:
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    logging.captureWarnings(True)
    return handler
