"""A Ray Serve application: replicas of the whole server, each with an engine of its own.

    serve run serving.ray.app:app config=/etc/soundflow.yaml

Sessions stick to a replica where the client sends the header `x-session-id`; one whose replica is gone comes back with
`?resume=SESSION_ID`, and any replica takes it up from the journal (`journal.redis_url`, or a SQLite file that all see).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve import Application
from ray.serve.config import RequestRouterConfig

from serving.app import make_app
from serving.build import build_engine
from serving.config import Config
from serving.configfile import load
from serving.drain import Drain
from serving.metrics import Metrics
from serving.ray.workers import gpus_of
from serving.rooms import RoomEngine
from serving.server import make_guard

ROUTER = "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter"
SHARE = 0.5
"""Of the sessions that a replica may hold: where another replica is started."""


def asgi(config: Config) -> FastAPI:
    """The server's application; its engine is made when the replica starts, drained and closed when it stops."""

    @asynccontextmanager
    async def lifespan(outer: FastAPI) -> AsyncIterator[None]:
        metrics = Metrics()
        guard = make_guard(config, metrics)
        inner = await build_engine(config, metrics)
        engine = RoomEngine(inner, config, None)
        drain = Drain(engine, guard, metrics, config.as_limits().drain_s)
        outer.mount("/", make_app(engine, config, guard, metrics, drain))
        drain.serving()
        try:
            yield
        finally:
            drain.ask()
            await drain.done()
            await inner.close()

    return FastAPI(lifespan=lifespan, openapi_url=None)


def deployment(config: Config, replicas: int = 0) -> Application:
    """Args: replicas: 0 scales with the open sessions, from one replica to `config.workers`."""
    limits = config.as_limits()
    options: dict[str, Any] = {
        "name": "soundflow",
        "max_ongoing_requests": limits.max_sessions + 16,  # a socket is one request; the rest are health and metrics
        "graceful_shutdown_timeout_s": limits.drain_s + 20.0,
        "ray_actor_options": {"num_cpus": 1, "num_gpus": gpus_of(config)},
        "request_router_config": RequestRouterConfig(request_router_class=ROUTER.replace(":", ".")),
    }
    if replicas:
        options["num_replicas"] = replicas
    else:
        target = max(1.0, SHARE * limits.max_sessions)
        scaling = {"min_replicas": 1, "max_replicas": config.workers, "target_ongoing_requests": target}
        options["autoscaling_config"] = scaling

    @serve.deployment(**options)
    @serve.ingress(lambda: asgi(config))
    class SoundFlow:
        """One replica."""

    application: Application = SoundFlow.bind()
    return application


def app(arguments: dict[str, str]) -> Application:
    """For `serve run`: `config` is the path of a file; without it the environment (SOUNDFLOW_*) says all."""
    path = arguments.get("config", "")
    return deployment(load(Path(path) if path else None), int(arguments.get("replicas", "0")))
