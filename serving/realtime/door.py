"""Who may open a socket: asked before it is accepted, so that a refusal is an HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

SUBPROTOCOL = "realtime"


class Guard(Protocol):
    """What the endpoints ask of `serving.security.Guard`; both raise `Refused` (status, code, message)."""

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str], peer: str) -> str: ...

    def hold(self, client: str) -> AbstractContextManager[None]: ...


class Metrics(Protocol):
    """What they tell of `serving.metrics.Metrics`."""

    def session_opened(self, protocol: str) -> None: ...

    def session_closed(self, protocol: str, reason: str) -> None: ...


class NoMetrics:
    """Counts nothing."""

    def session_opened(self, protocol: str) -> None: ...

    def session_closed(self, protocol: str, reason: str) -> None: ...


def query_of(socket: WebSocket) -> dict[str, str]:
    return dict(socket.query_params)


def peer_of(socket: WebSocket) -> str:
    return socket.client.host if socket.client else "local"


async def refuse(socket: WebSocket, status: int, code: str, message: str) -> None:
    """Answer the upgrade with an HTTP error in the shape of OpenAI's errors."""
    kind = "invalid_request_error" if status < 500 and status != 429 else "server_error"
    body: dict[str, Any] = {"error": {"type": kind, "code": code, "message": message, "param": None}}
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(JSONResponse(body, status))
    else:
        await socket.close(1008, code)


async def accept(socket: WebSocket) -> None:
    """Take the socket; browsers that offer the subprotocol get it."""
    offered = socket.scope.get("subprotocols") or []
    await socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
