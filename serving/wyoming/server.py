"""The Wyoming server: a TCP socket, the connections on it, and their end."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from serving.handle import Engine, Output, SessionSpec
from serving.metrics import Metrics, NoMetrics
from serving.wyoming.bounds import Bounds
from serving.wyoming.connection import Connection, Service
from serving.wyoming.frames import FrameError, close, refuse
from serving.wyoming.handling import Conversations
from serving.wyoming.opening import Observe, Opener, Quota
from soundflow.errors import ConfigError

_LOG: Final = logging.getLogger(__name__)
STOP_S: Final = 5.0


def _ignore(peer: str, output: Output) -> None: ...


class WyomingServer:
    """Serves Wyoming on host:port. Wyoming knows no passwords: beyond loopback, name the networks that may connect.

    Args:
        spec: instruction, tools and dial of the sentences that are handled.
        acts: whether these may control the home (told to the client).
        networks: addresses that may connect, as `192.168.1.0/24`; empty is everybody who can reach the host.
        quota: `serving.security.Guard`, or nothing.
        observe: sees (peer, output) of every session; never waits.
        detect_decides: announcements count as detections.

    Raises:
        ConfigError: a network that is none.
    """

    def __init__(
        self,
        engine: Engine,
        host: str = "127.0.0.1",
        port: int = 10_300,
        *,
        bounds: Bounds | None = None,
        spec: SessionSpec | None = None,
        acts: bool = False,
        networks: Sequence[str] = (),
        quota: Quota | None = None,
        metrics: Metrics | NoMetrics | None = None,
        observe: Observe = _ignore,
        detect_decides: bool = True,
    ) -> None:
        self._engine, self.host, self.port = engine, host, port
        self._bounds = bounds or Bounds()
        self._quota, self._metrics, self._observe = quota, metrics or NoMetrics(), observe
        self._waiting = Conversations(self._bounds)
        heard = replace(spec or SessionSpec(), manual=True, speak=False, decide=True)
        self._service = Service(self._bounds, self._waiting, heard, detect_decides, acts)
        try:
            self._networks = [ipaddress.ip_network(n) for n in networks]
        except ValueError as error:
            raise ConfigError(f"wyoming networks: expected addresses such as 192.168.1.0/24: {error}") from error
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        return self._open.total()

    async def start(self) -> None:
        """Listen; `port` is then the real one. OSError where it is taken."""
        self._server = await asyncio.start_server(
            self._accept, self.host, self.port, limit=self._bounds.header_bytes, backlog=128
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def serve(self) -> None:
        """Start, and serve until cancelled."""
        await self.start()
        try:
            while True:
                await asyncio.sleep(self._bounds.confirm_s / 2)
                await self._waiting.expire()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Take nobody more, and close what is open."""
        if self._server is not None:
            self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)
        await self._waiting.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        peer = str(writer.get_extra_info("peername", ("unknown",))[0])
        self._open[peer] += 1
        try:
            await self._serve(reader, writer, peer)
        except asyncio.CancelledError:
            writer.transport.abort()  # `stop` cancels; the stream's own callback would log a re-raised one
        finally:
            self._open[peer] -= 1
            self._open += Counter()  # forgets the peers without a connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> None:
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        refusal = self._refusal(peer)
        if refusal is not None:
            if self._open.total() <= 2 * self._bounds.connections:
                await refuse(reader, writer, refusal, self._bounds)
            await close(writer)
            return
        opener = Opener(self._engine, peer, self._quota, self._metrics, self._observe)
        connection = Connection(reader, writer, opener, replace_client(self._service, peer))
        reason = await connection.run()
        if reason not in ("closed", "lost"):
            _LOG.info("wyoming: connection closed: %s", reason)

    def _refusal(self, peer: str) -> FrameError | None:
        if self._networks and not self._allowed(peer):
            return FrameError("forbidden", "this address may not connect")
        if self._open.total() > self._bounds.connections:
            return FrameError("busy", f"at most {self._bounds.connections} connections are served")
        if self._open[peer] > self._bounds.peer_connections:
            return FrameError("busy", f"at most {self._bounds.peer_connections} connections of one address are served")
        return None

    def _allowed(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.split("%", maxsplit=1)[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


def replace_client(service: Service, peer: str) -> Service:
    """The same service for one peer: its sessions carry its name."""
    return replace(service, spec=replace(service.spec, client=peer))
