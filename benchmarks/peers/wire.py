"""What both wires share: a socket read by a thread of its own, and how a wire turns its events into ours."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from benchmarks.peers.address import Address
from benchmarks.systems import Ask
from soundflow.errors import SoundflowError
from soundflow.events import Event

Body = dict[str, Any]
MAX_WAITING: Final = 20_000
"""Events of a server that wait to be read; more is a flood, and the item fails."""
MAX_MESSAGE: Final = 16 << 20
OPEN_S: Final = 30.0
AUDIO: Final = ("response.output_audio.delta", "response.audio.delta", "session.output_audio.delta")


@dataclass(frozen=True, slots=True)
class Began:
    """A server that tells no decisions has begun to speak, or to call a function (`act`)."""

    act: bool = False


class Wire(Protocol):
    """One session's side of a protocol. No sockets: events in, events out.

    rate_hz: of the audio that it wants. decides: whether the server tells its decisions. busy: whether it is still
    saying something.
    """

    rate_hz: int
    decides: bool

    @property
    def busy(self) -> bool: ...

    def hello(self, ask: Ask) -> list[Body]:
        """What is sent as the socket opens."""

    def greet(self, event: Body, ask: Ask) -> list[Body] | None:
        """Take an event of the opening -> what to send; None once audio may follow. SoundflowError: it is refused."""

    def audio(self, data: str) -> Body:
        """The message of base64 audio."""

    def take(self, event: Body, t: float, now: float) -> Sequence[Event | Began]:
        """An event that came at the monotonic time `now`, when `t` seconds had been heard."""

    def idle(self, t: float, now: float) -> Sequence[Event | Began]:
        """What is over because nothing more of it has come."""

    def goodbye(self) -> list[Body]:
        """What is sent at the end."""


class Line:
    """An open socket. `take` gives what has come: (monotonic time, event)."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._came: queue.Queue[tuple[float, Body] | None] = queue.Queue(MAX_WAITING)  # None: it is over
        self._fault = ""
        try:
            self._socket = connect(
                address.url,
                additional_headers=address.headers(),
                open_timeout=OPEN_S,
                close_timeout=2,
                max_size=MAX_MESSAGE,
            )
        except (OSError, WebSocketException, TimeoutError) as error:
            body = getattr(getattr(error, "response", None), "body", b"") or b""
            raise SoundflowError(f"{address.name}: a session was expected, got {error} {body[:300]!r}") from error
        self._reader = threading.Thread(target=self._read, name="bench wire", daemon=True)
        self._reader.start()

    def send(self, body: Body) -> None:
        """SoundflowError where the line is gone."""
        try:
            self._socket.send(json.dumps(body))
        except (OSError, WebSocketException) as error:
            raise SoundflowError(f"{self.address.name}: {self._fault or error}") from error

    def take(self, timeout_s: float = 0.0) -> list[tuple[float, Body]]:
        """All that has come; waits so long for a first event. SoundflowError where the server has gone and all that it
        sent was taken."""
        found: list[tuple[float, Body]] = []
        wait = timeout_s > 0 and not self._fault
        try:
            while (one := self._came.get(block=wait, timeout=timeout_s if wait else None)) is not None:
                found.append(one)
                wait = False
        except queue.Empty:
            pass  # that is all
        if not found and self._fault:
            raise SoundflowError(f"{self.address.name}: {self._fault}")
        return found

    def close(self) -> None:
        self._socket.close()
        self._reader.join(5)

    def _read(self) -> None:
        try:
            for message in self._socket:
                event = json.loads(message)
                if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                    raise ValueError("an object with a type was expected")
                if event["type"] in AUDIO:
                    event.pop("delta", None)
                self._came.put_nowait((time.monotonic(), event))
            self._fault = "the server has closed the session"
        except ConnectionClosed as error:
            self._fault = f"the server has closed the session: {error}"
        except queue.Full:
            self._fault = f"the server sent more than {MAX_WAITING} events that were not read"
            self._socket.close()
        except (ValueError, RecursionError) as error:
            self._fault = f"a JSON event was expected of the server ({error})"
            self._socket.close()
        finally:
            if not self._came.full():
                self._came.put_nowait(None)  # whoever waits need wait no longer


def refusal(event: Body) -> str:
    """The text of an `error` event."""
    body = event.get("error")
    body = body if isinstance(body, dict) else {}
    return f"{body.get('code') or body.get('type') or 'error'}: {str(body.get('message', ''))[:300]}"
