"""HTTP connections that never say what they want are closed: uvicorn itself waits for ever for a first request."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def patient(handshake_s: float, per_address: int) -> type[H11Protocol]:
    """A protocol class for uvicorn's `http` setting.

    Args:
        handshake_s: until a whole request has come; a connection that is idle after an answer has as long.
        per_address: TCP connections of one address at once; more are closed at once.
    """
    open_now: Counter[str] = Counter()

    class Patient(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._address = self.client[0] if self.client else ""
            open_now[self._address] += 1
            self._seen: Any = None
            self._timer: asyncio.TimerHandle | None = self.loop.call_later(handshake_s, self._look)
            if open_now[self._address] > per_address:
                transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def handle_websocket_upgrade(self, event: Any) -> None:
            self._forget()
            super().handle_websocket_upgrade(event)

        def _look(self) -> None:
            """Close where no request runs and none has begun since the last look."""
            busy = self.cycle is not None and not self.cycle.response_complete
            if not busy and self.cycle is self._seen:
                self.transport.close()
                return
            self._seen = self.cycle
            self._timer = self.loop.call_later(handshake_s, self._look)

        def _forget(self) -> None:
            if self._timer is None:
                return
            self._timer.cancel()
            self._timer = None
            open_now[self._address] -= 1
            if open_now[self._address] <= 0:
                del open_now[self._address]

    return Patient
