"""The client's end of /v1/realtime: connect, send what waits, come back with ?resume= when the socket was lost."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import os
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from soundflow.errors import ConfigError, SoundflowError

INCLUDE: Final = "decisions,sounds,levels"
MAX_HELD: Final = 100
"""Pieces of audio (10 s) that wait while the socket is away."""
MAX_FRAME: Final = 4 * 1024 * 1024
OPEN_S: Final = 10.0
ALIVE_S: Final = 10.0
"""Between two pings, and until a ping's answer; then the socket counts as lost."""
RETRY_S: Final = 30.0
"""How long a lost server is looked for. Servers keep a lost session for as long by default."""
RESUME_TRIES: Final = 2
"""Refusals until a session is given up: the server may still hold its lost socket."""
ENDED: Final = (1000, 1001)
LATER: Final = (429, 500, 502, 503, 504)


T = TypeVar("T")


class LinkError(SoundflowError):
    """The server cannot be reached, refused, or was lost for good; names the URL and the reason."""

    code = "no_connection"


class _Lost(Exception):
    """The socket is gone, or a try to open one failed; another try may help."""


def target(url: str) -> str:
    """What the user typed -> the WebSocket URL: `host:8080`, `http://host:8080` and `ws://host:8080/v1/realtime` are
    one.

    Raises:
        ConfigError: it is no such URL.
    """
    text = url if "://" in url else f"ws://{url}"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{url}: expected ws://HOST:PORT ({error})") from error
    scheme = {"ws": "ws", "http": "ws", "wss": "wss", "https": "wss"}.get(parts.scheme)
    if scheme is None or not host or parts.username:
        raise ConfigError(f"{url}: expected ws://HOST:PORT, or with wss, http or https")
    path = parts.path if parts.path not in ("", "/") else "/v1/realtime"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


@dataclass(slots=True)
class Wire:
    """One conversation over as many sockets as it takes.

    on_event: every server event, in order. on_session: a session is there; True: it is the one of before.
    on_lost: the socket is gone, with why.
    """

    url: str
    token: str
    live: bool
    on_event: Callable[[dict[str, Any]], None]
    on_session: Callable[[bool], None]
    on_lost: Callable[[str], None]
    retry_s: float = RETRY_S
    session: str = ""
    sent_s: float = 0.0
    dropped: int = 0
    _known: bool = False
    _unknown: int = 0
    _unsent: deque[bytes] = field(default_factory=deque)
    _events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=256))
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def audio(self, pcm: bytes) -> None:
        """Queue 24 kHz PCM. While MAX_HELD pieces wait, a live source loses the oldest, another one waits here."""
        while len(self._unsent) >= MAX_HELD:
            if self.live:
                self._unsent.popleft()
                self.dropped += 1
            else:
                self._room.clear()
                await self._room.wait()
        self._unsent.append(pcm)
        self._more.set()

    def send(self, event: dict[str, Any]) -> None:
        """Queue an event; those go ahead of audio; a new session gets none of the one before."""
        self._events.append(event)
        self._more.set()

    @property
    def waiting(self) -> bool:
        return bool(self._unsent or self._events)

    def finish(self) -> None:
        """End the session and `run`."""
        self._over.set()
        self._more.set()

    async def run(self) -> str:
        """Talk until `finish` or until the server ends the session -> its reason.

        Raises:
            LinkError: the server cannot be reached, refused, or stayed away for `retry_s`.
        """
        tries, since = 0, None
        while (socket := await self._unless_over(self._try())) is not None:
            if not isinstance(socket, _Lost):
                tries, since = 0, None
                try:
                    return await self._talk(socket)
                except _Lost as error:
                    socket = error
                    self.on_lost(str(error))
            if not self._known:
                raise LinkError(f"{self.url}: {socket}")
            since = since or time.monotonic()
            if time.monotonic() - since >= self.retry_s:
                raise LinkError(f"{self.url}: {socket}; gave up after {self.retry_s:g} s")
            await self._unless_over(asyncio.sleep(min(0.25 * 2**tries, 4.0) * random.uniform(0.75, 1.25)))
            tries += 1
        return "ended"

    async def _unless_over(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The outcome of `work`, None where `finish` was called first."""
        task, over = asyncio.ensure_future(work), asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
            return await task if task.done() and not self._over.is_set() else None
        finally:
            for each in (task, over):
                each.cancel()
            await asyncio.gather(task, over, return_exceptions=True)

    async def _try(self) -> ClientConnection | _Lost:
        try:
            return await self._open()
        except _Lost as error:
            return error

    def _address(self) -> str:
        parts = urlsplit(self.url)
        query = {**dict(parse_qsl(parts.query)), "include": INCLUDE}
        if self.session:
            query["resume"] = self.session
        return urlunsplit(parts._replace(query=urlencode(query)))

    async def _open(self) -> ClientConnection:
        """A socket whose session is there. Raises _Lost, or LinkError where another try cannot help."""
        host = urlsplit(self.url).hostname or ""
        try:
            socket = await connect(
                self._address(),
                additional_headers={"Authorization": f"Bearer {self.token}"} if self.token else None,
                max_size=MAX_FRAME,
                open_timeout=OPEN_S,
                close_timeout=2.0,
                ping_interval=ALIVE_S,
                ping_timeout=ALIVE_S,
                proxy=None if _near(host) else True,
            )
        except InvalidStatus as error:
            raise self._refused(error) from error
        except InvalidURI as error:
            raise ConfigError(f"{self.url}: {error}") from error
        except TimeoutError as error:
            raise _Lost(f"no answer within {OPEN_S:g} s") from error
        except (InvalidHandshake, EOFError) as error:
            raise _Lost(f"no WebSocket answers there ({error})") from error
        except OSError as error:
            raise _Lost(os.strerror(error.errno) if error.errno else str(error) or type(error).__name__) from error
        greeted = False
        try:
            async with asyncio.timeout(OPEN_S):
                await self._greet(socket)
            greeted = True
            return socket
        except TimeoutError as error:
            raise _Lost(f"no session.created within {OPEN_S:g} s") from error
        except ConnectionClosed as error:
            raise _Lost(_closed(error)) from error
        finally:
            if not greeted:
                socket.transport.abort()

    def _refused(self, error: InvalidStatus) -> Exception:
        status, why = error.response.status_code, _reason(error.response.body)
        if status in LATER:
            return _Lost(f"refused with {status}: {why}")
        if status == 404 and self.session:
            self._unknown += 1
            if self._unknown >= RESUME_TRIES:
                self.session = ""
            return _Lost("the server does not know the session")
        hint = " (pass --token)" if status == 401 and not self.token else ""
        return LinkError(f"{self.url}: refused with {status}: {why}{hint}")

    async def _greet(self, socket: ClientConnection) -> None:
        first = _parse(await socket.recv())
        if first["type"] != "session.created":
            raise LinkError(f"{self.url}: session.created was expected first, got {first['type']!r:.80}")
        session = str((first.get("session") or {}).get("id") or "")
        resumed, self.session = bool(session) and session == self.session, session
        self._known, self._unknown = True, 0
        if not resumed:
            self._events.clear()
        self.on_session(resumed)
        self.on_event(first)

    async def _talk(self, socket: ClientConnection) -> str:
        """Until the server or we end it. Raises _Lost."""
        reading, sending = asyncio.ensure_future(self._read(socket)), asyncio.ensure_future(self._write(socket))
        try:
            done, _ = await asyncio.wait({reading, sending}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
            await socket.close()
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code in ENDED:
                return error.rcvd.reason or "the server ended the session"
            raise _Lost(_closed(error)) from error
        finally:
            for task in (reading, sending):
                task.cancel()
            await asyncio.gather(reading, sending, return_exceptions=True)
        return "ended"

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            self.on_event(_parse(await socket.recv()))

    async def _write(self, socket: ClientConnection) -> None:
        while not self._over.is_set():
            while self._events:
                event = self._events[0]
                await socket.send(json.dumps(event))
                if self._events and self._events[0] is event:
                    self._events.popleft()
            if self._unsent:
                piece = self._unsent[0]
                audio = base64.b64encode(piece).decode("ascii")
                await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
                if self._unsent and self._unsent[0] is piece:  # not dropped meanwhile
                    self._unsent.popleft()
                self.sent_s += len(piece) / 48_000
                self._room.set()
            else:
                self._more.clear()
                await self._more.wait()


def _parse(text: str | bytes) -> dict[str, Any]:
    """Raises _Lost for what is no event: nothing behind it can be trusted."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _Lost("the server sent something that is not JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        raise _Lost("the server sent something that is no event")
    return body


def _reason(body: bytes | None) -> str:
    """The message of a refusal; shortened, without control characters."""
    text = (body or b"").decode("utf-8", "replace")
    try:
        text = str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        pass
    return "".join(c if c.isprintable() else " " for c in text[:200]).strip() or "no reason given"


def _closed(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "the connection was lost"
    return f"closed with {error.rcvd.code}" + (f": {error.rcvd.reason}" if error.rcvd.reason else "")


def _near(host: str) -> bool:
    """Loopback: no proxy can be meant."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
