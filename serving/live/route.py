"""`/v1/live/sessions`: lets a client in, waits for its `session.start`, opens the session and serves it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket

from serving.handle import Engine, Handle, SessionSpec
from serving.limits import Limits
from serving.live.config import LiveConfig
from serving.live.session import LiveSession
from serving.realtime import link as links
from serving.realtime.door import Guard, Metrics, NoMetrics, accept, peer_of, query_of, refuse
from serving.realtime.errors import Invalid
from serving.realtime.link import Bad, Crowd, Link
from serving.realtime.route import SpecOf, plain_spec
from serving.realtime.runner import leave, run
from serving.security import Refused
from soundflow.errors import CapacityError, SoundflowError


def router(
    engine: Engine,
    guard: Guard,
    limits: Limits,
    *,
    metrics: Metrics | None = None,
    spec_of: SpecOf = plain_spec,
    clock: Callable[[], float] = time.monotonic,
) -> APIRouter:
    """The endpoint. Query: `resume`, `room`; everything else is in session.start."""
    routes, counts, crowd = APIRouter(), metrics or NoMetrics(), Crowd(limits, clock)

    @routes.websocket("/v1/live/sessions")
    async def live(socket: WebSocket) -> None:
        query = query_of(socket)
        try:
            client = guard.admit(socket.headers, query, peer_of(socket))
            with guard.hold(client):
                if not engine.ready:
                    raise Refused(503, "not_ready", "the model is being loaded; try again in a moment")
                base = replace(spec_of(query, client), client=client)
                await accept(socket)
                await _serve(Link(socket, limits, clock, crowd), base, query.get("resume", ""))
        except Refused as error:
            await refuse(socket, error.status, error.code, str(error))

    async def _serve(link: Link, base: SessionSpec, resume: str) -> None:
        outbox = asyncio.create_task(link.run_outbox())
        try:
            opened = await _opened(link, base, resume)
        finally:
            if link.closing is not None:
                await outbox
            outbox.cancel()
            await asyncio.gather(outbox, return_exceptions=True)
        if opened is None:
            return
        handle, config, event_id = opened
        counts.session_opened("live")
        reason = "lost"
        try:
            session = LiveSession(handle, engine.info, link, config, base, clock)
            session.open(event_id, bool(resume))
            reason = await run(link, session, handle.outputs(), limits, clock)
        finally:
            counts.session_closed("live", reason)
            await leave(engine, handle, reason)

    async def _opened(link: Link, base: SessionSpec, resume: str) -> tuple[Handle, LiveConfig, str | None] | None:
        """The session that the client starts; None where it does not, and the link is finished or gone."""
        voiced = base.speak and engine.info.voice_rate_hz > 0
        loop = asyncio.get_running_loop()
        until = loop.time() + limits.handshake_s
        while True:
            try:
                async with asyncio.timeout_at(until):
                    body = await link.read()
            except TimeoutError:
                _say(
                    link, "handshake_timeout", f"session.start was expected within {limits.handshake_s:g} s", None, None
                )
                link.finish(links.POLICY, "handshake_timeout: no session.start")
                return None
            if body is None:
                return None
            found = body.event_id if isinstance(body, Bad) else body.get("event_id")
            event_id = found if isinstance(found, str) else None
            try:
                config = _config(body, engine.info.tier, voiced)
                return await engine.open(config.spec(base), resume), config, event_id
            except Invalid as error:
                _say(link, error.code, str(error), error.param, event_id)
            except SoundflowError as error:
                _say(link, error.code, str(error), None, event_id)
                if isinstance(error, CapacityError):
                    link.finish(links.TRY_LATER, f"capacity: {error}")
                    return None

    return routes


def _config(body: dict[str, Any] | Bad, model: str, voiced: bool) -> LiveConfig:
    if isinstance(body, Bad):
        raise Invalid(body.message, body.code)
    if body["type"] != "session.start":
        raise Invalid(
            f"type: session.start was expected first, got {body['type']!r:.80}", "session_not_started", "type"
        )
    return LiveConfig.start(body.get("session"), model, voiced)


def _say(link: Link, code: str, message: str, param: str | None, event_id: str | None) -> None:
    error = {"type": "invalid_request_error", "code": code, "message": message[:500], "param": param}
    link.send({"type": "error", "event_id": "event_000000", "error": {**error, "client_event_id": event_id}})
