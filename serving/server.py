"""One running server: sockets first, then the engine, then HTTP and the side services, until it has drained."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn

from serving import heap, logs
from serving.acts import ActingEngine
from serving.app import make_app
from serving.build import adapter_folder, build_engine
from serving.config import Config
from serving.configfile import mcp_token, mqtt_password, tokens
from serving.drain import Drain
from serving.halfopen import patient
from serving.handle import Engine
from serving.metrics import Metrics
from serving.recordings import Recordings
from serving.rooms import RoomEngine
from serving.security import Guard
from serving.services import Parts, act_runner, mqtt_publisher, side_services
from serving.supervise import Supervisor
from soundflow.errors import ConfigError, SoundflowError

log = logging.getLogger(__name__)
CLOSE_S: Final = 5.0
"""For sockets to close after the drain, and for the engine to end."""
MIN_SECRET: Final = 4
"""Shorter ones are not looked for in the logs: they would mask plain words."""
Build = Callable[[Config, Metrics], Awaitable[Engine]]


def make_guard(config: Config, metrics: Metrics) -> Guard:
    """ConfigError: no token beyond loopback, or a bad one."""
    guard = Guard(
        config.as_limits(),
        tokens=tokens(config),
        host=config.host,
        allowed_hosts=config.allowed_hosts,
        allowed_origins=config.allowed_origins,
        rooms=[r.name for r in config.rooms],
        connections_per_s=config.connections_per_s,
        connection_burst=config.connection_burst,
    )
    guard.on_refused = metrics.refused
    return guard


def secrets_of(config: Config) -> list[str]:
    """All that must never be logged."""
    found = [*tokens(config).values(), mqtt_password(config), *(mcp_token(m) for m in config.mcp_servers)]
    hidden = [config.mqtt.url, config.journal.redis_url, *(v for m in config.mcp_servers for v in m.env.values())]
    return [s for s in [*found, *(s.get_secret_value() for s in hidden if s)] if len(s) >= MIN_SECRET]


def _check_tls(config: Config) -> None:
    if config.tls.cert_file is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(config.tls.cert_file, config.tls.key_file)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"tls: a PEM certificate and its key were expected in {config.tls.cert_file} and {config.tls.key_file} "
            f"({getattr(error, 'reason', None) or error.strerror})"
        ) from error


def bind(host: str, port: int, flag: str) -> socket.socket:
    """A socket that listens on host:port; port 0 is any free one.

    Raises:
        ConfigError: the port is in use or may not be used, or the host is not one of this machine's.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, proto)
    except OSError as error:
        raise ConfigError(f"{flag}: {host!r} is not an address of this machine ({error.strerror})") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(128)
    except OSError as error:
        sock.close()
        hints = {
            errno.EADDRINUSE: f"the port is in use by another program; see which with `ss -ltnp 'sport = :{port}'`, "
            f"or choose another with {flag}",
            errno.EACCES: f"ports below 1024 need rights that this user has not; choose another with {flag}",
            errno.EADDRNOTAVAIL: "this machine does not have that address",
        }
        raise ConfigError(f"{host}:{port}: {hints.get(error.errno or 0, error.strerror)}") from error
    sock.setblocking(False)
    return sock


class Http(uvicorn.Server):
    """uvicorn without its own signal handlers: `serving.drain` has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """A server that is starting or runs. `http_port` and `wyoming_port` are the real ones.

    Raises:
        ConfigError: a setting that cannot be served, a port in use. WeightsError: from the engine.
    """

    def __init__(self, config: Config, build: Build = build_engine) -> None:
        self.config, self._build = config, build
        self.metrics = Metrics()
        self.guard = make_guard(config, self.metrics)
        _check_tls(config)
        self._runner = act_runner(config)
        self._sock = bind(config.host, config.port, "--port")
        self.http_port = int(self._sock.getsockname()[1])
        self.wyoming_port = 0
        if config.wyoming.enabled:
            try:
                probe = bind(config.wyoming.host, config.wyoming.port, "--wyoming-port")
            except ConfigError:
                self._sock.close()
                raise
            self.wyoming_port = int(probe.getsockname()[1])
            probe.close()
        self.drain: Drain | None = None
        self._inner: Engine | None = None
        self._rolling: asyncio.Task[None] | None = None

    async def run(self, on_ready: Callable[[Server], None] = lambda server: None) -> None:
        """Serve until a signal or `drain.ask()` ends it. `on_ready` is called once everything listens."""
        config, recordings = self.config, None
        try:
            inner = self._inner = await self._build(config, self.metrics)
        except BaseException:
            self._sock.close()
            raise
        try:
            if config.recordings.enabled:
                recordings = Recordings(config.recordings, self.metrics.dropped)
            acting = ActingEngine(inner, self._runner) if self._runner else inner
            await self._serve(RoomEngine(acting, config, recordings), on_ready)
        finally:
            self._sock.close()
            await _within("engine", inner.close())
            if recordings:
                await asyncio.to_thread(recordings.close)

    async def _serve(self, engine: RoomEngine, on_ready: Callable[[Server], None]) -> None:
        config, limits = self.config, self.config.as_limits()
        self.drain = drain = Drain(engine, self.guard, self.metrics, limits.drain_s)
        app: Any = make_app(engine, config, self.guard, self.metrics, drain)
        if config.otel.endpoint:
            from serving.tracing import traced

            app = traced(app, config.otel)
        publisher = mqtt_publisher(config, engine, self.metrics)
        http = Http(self._uvicorn(app))
        supervisor = Supervisor(self.metrics)
        remove = drain.install(asyncio.get_running_loop())
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._reload)
        serving = asyncio.create_task(http.serve([self._sock]), name="http")
        asked = asyncio.create_task(drain.asked(), name="asked")
        try:
            while not http.started and not serving.done() and not asked.done():
                await asyncio.sleep(0.01)
            parts = Parts(config, engine, self.guard, self.metrics, self.wyoming_port, self._runner, publisher)
            for name, service in side_services(parts).items():
                supervisor.keep(name, service)
            heap.lasting()
            drain.serving()
            notify("READY=1")
            on_ready(self)
            await asyncio.wait([serving, asked], return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                notify("STOPPING=1")
                await drain.done()
            http.should_exit = True
            await _within("http", asyncio.shield(serving), CLOSE_S + limits.handshake_s)
        finally:
            remove()
            asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR1)
            asked.cancel()
            await supervisor.stop()
            if not serving.done():
                serving.cancel()
                await asyncio.wait([serving], timeout=CLOSE_S)

    @property
    def rolling(self) -> bool:
        """Whether the weights are being loaded anew."""
        return self._rolling is not None and not self._rolling.done()

    def _reload(self) -> None:
        """Roll the workers over to the adapter that `soundflow versions` names now; open sessions go on."""
        roll = getattr(self._inner, "roll", None)
        if roll is not None and not self.rolling:
            self._rolling = asyncio.create_task(self._roll(roll), name="reload")

    async def _roll(self, roll: Callable[[Path | None], Awaitable[None]]) -> None:
        try:
            await roll(await asyncio.to_thread(adapter_folder, self.config))
            heap.lasting()
            log.info("the weights were loaded anew")
        except SoundflowError as error:
            log.error("the weights could not be loaded, the old ones serve on: %s", error)

    def _uvicorn(self, app: Any) -> uvicorn.Config:
        config, limits = self.config, self.config.as_limits()
        return uvicorn.Config(
            app,
            host=config.host,
            port=self.http_port,
            http=patient(limits.handshake_s, 4 * limits.max_client_sessions + 64),
            ws="websockets-sansio",
            ws_max_size=limits.max_frame_bytes,
            ws_per_message_deflate=False,  # base64 of audio hardly gets smaller
            ws_ping_interval=20.0,
            ws_ping_timeout=20.0,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(config.trusted_proxies),
            forwarded_allow_ips=list(config.trusted_proxies),
            timeout_graceful_shutdown=int(CLOSE_S),
            ssl_certfile=config.tls.cert_file,
            ssl_keyfile=config.tls.key_file,
        )


async def _within(what: str, work: Awaitable[object], seconds: float = CLOSE_S) -> None:
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        log.warning("did not end in time", extra={"service": what, "seconds": seconds})


def notify(state: str) -> None:
    """Tell systemd, where it asked to be told (Type=notify)."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(state.encode(), f"\0{path[1:]}" if path.startswith("@") else path)
        except OSError as error:
            log.warning("systemd could not be told: %s", error)


def serve(
    config: Config, on_ready: Callable[[Server], None] = lambda server: None, build: Build = build_engine
) -> None:
    """Run a server until it is told to stop.

    Raises:
        ConfigError, WeightsError: it could not start.
    """
    heap.settle()
    logs.setup(config.log.format, config.log.level, secrets_of(config))
    asyncio.run(Server(config, build).run(on_ready))
