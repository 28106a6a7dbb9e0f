"""One WebSocket: JSON objects in, JSON events out. Bounded both ways; bad frames become errors, not a lost socket.

Out: events wait in an outbox; when a client reads too slowly and it overflows, the connection is closed and nobody else
waits. In: over `frames_per_s` the socket is read more slowly, which the client's TCP feels; it is told so once. What a
connection sends in haste, within that, takes turns with the haste of all others (`Crowd`).
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from serving.limits import Limits

MAX_DEPTH: Final = 32
"""Nesting of one message."""
MAX_REASON: Final = 120
"""Bytes of a close reason (RFC 6455 allows 123)."""
RATE_WINDOW_S: Final = 10.0
FAIR: Final = 0.5
"""Of `frames_per_s`: messages of one connection that never wait. It may save up those of a second."""
CROWD: Final = 2.0
QUICK_LOOK: Final = 256
"""Longer texts than this must begin as an object does, before they are parsed."""
FLUSH_S: Final = 3.0
"""What is queued when the link is finished may take so long to send."""
CLOSE_WAIT_S: Final = 2.0

NORMAL, GOING_AWAY, NO_STATUS, LOST = 1000, 1001, 1005, 1006
POLICY, SERVER_ERROR, RESTART, TRY_LATER = 1008, 1011, 1012, 1013


@dataclass(frozen=True, slots=True)
class Bad:
    """A message that could not be read; the socket goes on."""

    code: str
    message: str
    event_id: str | None = None


class Crowd:
    """Turns, CROWD times `frames_per_s` of them, for the messages of all connections that are ahead of their share."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._clock, self._next = CROWD * limits.frames_per_s, clock, -math.inf

    async def turn(self) -> None:
        """Wait for one."""
        now = self._clock()
        self._next = max(self._next, now) + 1.0 / self._per_s
        await asyncio.sleep(self._next - now)


class Link:
    """See the module. `send` never waits; `read` and `run_outbox` are run by one task each."""

    def __init__(
        self,
        socket: WebSocket,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        crowd: Crowd | None = None,
    ) -> None:
        self._socket, self._limits, self._clock = socket, limits, clock
        self._crowd, self._fair = crowd or Crowd(limits, clock), FAIR * limits.frames_per_s
        self._outbox: deque[str] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._broken = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._flush_until = math.inf
        self._tokens, self._filled_at = limits.frames_per_s * RATE_WINDOW_S, clock()
        self._throttled = False
        self.last_read = clock()
        self.client_code: int | None = None
        self.overflowed = False

    @property
    def closing(self) -> tuple[int, str] | None:
        """Code and reason that this side closes with."""
        return self._closing

    def send(self, event: dict[str, Any]) -> None:
        """Queue one event. Over the outbox's bounds the connection is closed (1008, slow_reader)."""
        if self._closing is not None:
            return
        text = json.dumps(event, allow_nan=False)
        if len(self._outbox) >= self._limits.outbox or self._bytes + len(text) > self._limits.outbox_bytes:
            self.overflowed = True
            self.abort(POLICY, f"slow_reader: more than {self._limits.outbox} events or bytes waited for this client")
            return
        self._outbox.append(text)
        self._bytes += len(text)
        self._wake.set()

    def finish(self, code: int = NORMAL, reason: str = "") -> None:
        """Send what is queued, then close. The first reason stays."""
        if self._closing is None:
            self._closing = (code, reason.encode()[:MAX_REASON].decode(errors="ignore"))
            self._flush_until = self._clock() + FLUSH_S
            self._wake.set()

    def abort(self, code: int, reason: str) -> None:
        """Close without sending what is queued."""
        self.finish(code, reason)
        self._outbox.clear()
        self._bytes = 0
        self._broken.set()

    async def run_outbox(self) -> None:
        """Send until the link is finished, aborted or gone."""
        sender = asyncio.ensure_future(self._send_all())
        broken = asyncio.ensure_future(self._broken.wait())
        try:
            while not (sender.done() or broken.done() or self._clock() > self._flush_until):
                await asyncio.wait({sender, broken}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sender, broken):
                task.cancel()
            await asyncio.gather(sender, broken, return_exceptions=True)
        await self._close()

    async def _send_all(self) -> None:
        while True:
            while self._outbox:
                text = self._outbox.popleft()
                self._bytes -= len(text)
                try:
                    await self._socket.send_text(text)
                except (WebSocketDisconnect, RuntimeError, OSError):
                    return
            if self._closing is not None:
                return
            self._wake.clear()
            await self._wake.wait()

    async def _close(self) -> None:
        if self._closing is None or self._socket.client_state is WebSocketState.DISCONNECTED:
            return
        try:
            async with asyncio.timeout(CLOSE_WAIT_S):
                await self._socket.close(*self._closing)
        except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            return

    async def read(self) -> dict[str, Any] | Bad | None:
        """The next message; None when the client has gone (`client_code` says how)."""
        if (bad := await self._spend()) is not None:
            return bad
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            # uvicorn says 1005 for a lost connection, too; only a close frame has a reason
            code = message.get("code") or NO_STATUS
            self.client_code = LOST if code == NO_STATUS and message.get("reason") is None else code
            return None
        self.last_read = self._clock()
        text = message.get("text")
        if text is None:
            return Bad("invalid_frame", "a text frame with one JSON object was expected, got a binary frame")
        return parse(text, self._limits.max_frame_bytes)

    async def _spend(self) -> Bad | None:
        """Take one of the connection's tokens; wait for it where there is none, and say so the first time."""
        rate = self._limits.frames_per_s
        now = self._clock()
        self._fair = min(FAIR * rate, self._fair + (now - self._filled_at) * FAIR * rate)
        self._tokens = min(rate * RATE_WINDOW_S, self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens >= 1.0:
            self._throttled = self._throttled and self._tokens < rate
            self._tokens -= 1.0
            if self._fair >= 1.0:
                self._fair -= 1.0
            else:
                await self._crowd.turn()
            return None
        if not self._throttled:
            self._throttled = True
            return Bad(
                "rate_limit_exceeded",
                f"at most {rate:g} messages a second over {RATE_WINDOW_S:g} s were expected; the rest is read slowly",
            )
        await asyncio.sleep((1.0 - self._tokens) / rate)
        self._tokens, self._filled_at = 0.0, self._clock()
        return None


def parse(text: str, max_bytes: int) -> dict[str, Any] | Bad:
    """One JSON object of bounded size and depth, finite numbers and real text."""
    if len(text) > max_bytes or (len(text) * 4 > max_bytes and len(text.encode(errors="replace")) > max_bytes):
        return Bad(
            "frame_too_large", f"a message of at most {max_bytes} bytes was expected, got {len(text)} characters"
        )
    if len(text) > QUICK_LOOK and text.lstrip(" \t\r\n")[:1] != "{":
        return Bad("invalid_json", f"a JSON object was expected, got a text that begins with {text[:1]!r}")
    try:
        body = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        return Bad("invalid_json", f"one JSON object was expected: {error!s:.120}")
    if not isinstance(body, dict):
        return Bad("invalid_json", f"a JSON object was expected, got {type(body).__name__}")
    raw_id = body.get("event_id")
    event_id = raw_id if isinstance(raw_id, str) and len(raw_id) <= 512 and _real(raw_id) else None
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        return Bad("invalid_json", f"at most {MAX_DEPTH} levels of nesting were expected", event_id)
    if "\\u" in text and not _real(json.dumps(body, ensure_ascii=False)):
        return Bad("invalid_json", "text with half of a surrogate pair cannot be read", event_id)
    if not isinstance(body.get("type"), str):
        return Bad("invalid_event", "a `type` (text) was expected in the message", event_id)
    return body


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text:.40} is not a finite number")
    return value


def _real(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(body: Any) -> int:
    deepest, level = 0, [body]
    while level and deepest <= MAX_DEPTH:
        deepest += 1
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return deepest
