"""The HTTP and WebSocket application: health, metrics and models here, the protocols by their own routers."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any, Protocol

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import Headers, MutableHeaders

from serving.config import Config
from serving.handle import Engine
from serving.logs import REQUEST_ID, new_request_id
from serving.metrics import CONTENT_TYPE, Metrics, NoMetrics
from serving.rooms import RoomEngine
from serving.security import Guard, Refused

log = logging.getLogger(__name__)
STARTED = int(time.time())


class Readiness(Protocol):
    """What /ready asks: `serving.drain.Drain`."""

    def reasons(self) -> list[str]: ...


class _EngineOnly:
    """Readiness of an application that nobody drains."""

    def __init__(self, engine: Engine, guard: Guard) -> None:
        self._engine, self._guard = engine, guard

    def reasons(self) -> list[str]:
        why = [] if self._engine.ready else ["engine is not ready"]
        return [*why, "draining"] if self._guard.draining else why


def make_app(
    engine: Engine,
    config: Config,
    guard: Guard,
    metrics: Metrics | NoMetrics,
    readiness: Readiness | None = None,
    routers: Iterable[APIRouter] | None = None,
) -> FastAPI:
    """The application.

    Args:
        readiness: default asks engine and guard.
        routers: default are those of all protocols and the page.
    """
    app = FastAPI(title="SoundFlow", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_exception_handler(Refused, _refusal)
    app.include_router(operations(engine, guard, metrics, readiness or _EngineOnly(engine, guard)))
    for router in protocol_routers(engine, config, guard, metrics) if routers is None else routers:
        app.include_router(router)
    app.add_middleware(Edge, guard=guard)
    return app


def protocol_routers(engine: Engine, config: Config, guard: Guard, metrics: Metrics | NoMetrics) -> list[APIRouter]:
    """OpenAI Realtime, OpenAI Live and the page. Imported here, so that what is not served need not be installed."""
    from serving.live import route as live
    from serving.realtime import route as realtime
    from serving.web import route as web

    limits = config.as_limits()
    more: dict[str, Any] = {
        "metrics": metrics,
        **({"spec_of": engine.spec_of} if isinstance(engine, RoomEngine) else {}),
    }
    return [
        realtime.router(engine, guard, limits, **more),
        live.router(engine, guard, limits, **more),
        web.router(config),
    ]


def operations(engine: Engine, guard: Guard, metrics: Metrics | NoMetrics, readiness: Readiness) -> APIRouter:
    """`/health` the process is alive, `/ready` it takes sessions, `/metrics` Prometheus, `/v1/models`.

    The first two need no token, so that any supervisor can ask; the others need it where one is set.
    """
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready")
    async def ready() -> JSONResponse:
        why = readiness.reasons()
        body = {"ready": not why, "reasons": why, "sessions": engine.sessions}
        return JSONResponse(body, 503 if why else 200)

    @router.get("/metrics")
    async def page(request: Request) -> Response:
        _with_token(guard, request)
        readiness.reasons()
        if (load := getattr(engine, "load", None)) is not None:
            metrics.load(load)
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    @router.get("/v1/models")
    async def models(request: Request) -> dict[str, Any]:
        _with_token(guard, request)
        info = engine.info
        model = {"id": f"soundflow-{info.tier}", "object": "model", "created": STARTED, "owned_by": "soundflow"}
        return {"object": "list", "data": [model]}

    return router


def _with_token(guard: Guard, request: Request) -> None:
    headers = {k.lower(): v for k, v in request.headers.items()}
    guard.check_token(headers, request.query_params, request.client.host if request.client else "")


def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    more = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {"Retry-After": "2"}
    return JSONResponse(error.body(), error.status, headers=more if error.status in {401, 429, 503} else None)


class Edge:
    """Outermost layer: an id for each request, the Host check for plain HTTP, safe headers, one log line without the
    query (it may hold the token). WebSockets are checked whole by their own routers.
    """

    def __init__(self, app: Any, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request = new_request_id(Headers(scope=scope).get("x-request-id", ""))
        token, status, began = REQUEST_ID.set(request), 0, time.monotonic()

        async def out(message: Any) -> None:
            nonlocal status
            if message["type"] in {"http.response.start", "websocket.accept", "websocket.http.response.start"}:
                status = message.get("status", 101)
                message.setdefault("headers", [])
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "no-referrer")
            await send(message)

        try:
            if scope["type"] == "http" and (refused := self._refuse(scope)) is not None:
                await refused(scope, receive, out)
            else:
                await self._app(scope, receive, out)
        finally:
            took = round(time.monotonic() - began, 3)
            extra = {"path": scope["path"][:80], "status": status, "seconds": took, "protocol": scope["type"]}
            log.debug("request", extra=extra)
            REQUEST_ID.reset(token)

    def _refuse(self, scope: Any) -> JSONResponse | None:
        if scope["path"] in {"/health", "/ready"}:
            return None
        found = Headers(scope=scope)
        try:
            self._guard.check_host(found)
            self._guard.check_origin(found)
        except Refused as error:
            self._guard.on_refused(error.code)
            return _refusal(Request(scope), error)
        return None
