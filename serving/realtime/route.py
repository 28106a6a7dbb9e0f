"""`/v1/realtime`: lets a client in, opens its session and serves it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket

from serving.handle import Engine, SessionSpec
from serving.limits import Limits
from serving.realtime.door import Guard, Metrics, NoMetrics, accept, peer_of, query_of, refuse
from serving.realtime.link import Crowd, Link
from serving.realtime.runner import leave, run
from serving.realtime.session import RealtimeSession
from serving.realtime.settings import INCLUDES, Settings
from serving.security import Refused
from soundflow.errors import CapacityError, ConfigError, DataError

SpecOf = Callable[[Mapping[str, str], str], SessionSpec]
"""Query and client's name -> what the server's configuration wants of the session (a room's dial, sounds, voice)."""


def plain_spec(query: Mapping[str, str], client: str) -> SessionSpec:
    """Where nothing is configured."""
    return SessionSpec(client=client)


def router(
    engine: Engine,
    guard: Guard,
    limits: Limits,
    *,
    metrics: Metrics | None = None,
    spec_of: SpecOf = plain_spec,
    clock: Callable[[], float] = time.monotonic,
) -> APIRouter:
    """The endpoint. Query: `model`, `intent=transcription`, `include`, `resume`, `room`."""
    routes, counts, crowd = APIRouter(), metrics or NoMetrics(), Crowd(limits, clock)

    @routes.websocket("/v1/realtime")
    async def realtime(socket: WebSocket) -> None:
        query = query_of(socket)
        try:
            client = guard.admit(socket.headers, query, peer_of(socket))
            with guard.hold(client):
                await _serve(socket, query, replace(spec_of(query, client), client=client))
        except Refused as error:
            await refuse(socket, error.status, error.code, str(error))

    async def _serve(socket: WebSocket, query: dict[str, str], base: SessionSpec) -> None:
        """Open the engine's session before the socket is accepted, so that a full server says 503."""
        include = tuple(i for i in query.get("include", "").split(",") if i)
        if unknown := [i for i in include if i not in INCLUDES]:
            raise Refused(
                400, "bad_include", f"include: some of {', '.join(INCLUDES)} were expected, got {unknown[0]!r:.40}"
            )
        if not engine.ready:
            raise Refused(503, "not_ready", "the model is being loaded; try again in a moment")
        voiced = base.speak and engine.info.voice_rate_hz > 0
        kind = "transcription" if query.get("intent") == "transcription" else "realtime"
        resume = query.get("resume", "")
        settings = Settings.initial(kind, query.get("model") or engine.info.tier, base, voiced, include)
        try:
            handle = await engine.open(settings.spec(base), resume)
        except CapacityError as error:
            raise Refused(503, "capacity", str(error)) from error
        except DataError as error:
            raise Refused(404, "no_such_session", str(error)) from error
        except ConfigError as error:
            raise Refused(400, error.code, str(error)) from error
        counts.session_opened("realtime")
        reason = "lost"
        try:
            if resume:
                settings = _resumed(settings, handle.spec)
            await accept(socket)
            link = Link(socket, limits, clock, crowd)
            session = RealtimeSession(handle, engine.info, link, settings, base, clock)
            session.open(bool(resume))
            reason = await run(link, session, handle.outputs(), limits, clock)
            session.lose()
        finally:
            counts.session_closed("realtime", reason)
            await leave(engine, handle, reason)

    return routes


def _resumed(settings: Settings, spec: SessionSpec) -> Settings:
    """The configuration of a session that goes on, out of what the engine has of it."""
    kind = "realtime" if spec.decide else "transcription"
    found = Settings.initial(kind, str(settings.body.get("model", "")), spec, settings.voiced)
    ours: dict[str, Any] = {**found.body["soundflow"], "include": settings.body["soundflow"]["include"]}
    return replace(found, body={**found.body, "soundflow": {**ours, "proactivity": spec.proactivity}})
