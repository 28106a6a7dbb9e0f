"""Sessions of one connection: opened under the quota, counted, told to the observer, and closed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack, aclosing
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from wyoming.event import Eventable

from serving.handle import Engine, Handle, Output, SessionSpec
from serving.metrics import Metrics, NoMetrics
from serving.wyoming.frames import FrameError

Send = Callable[[Eventable], Awaitable[None]]
Observe = Callable[[str, Output], None]
T = TypeVar("T")
PROTOCOL: Final = "wyoming"
CLOSE_S: Final = 5.0


class Quota(Protocol):
    """What is asked of `serving.security.Guard`: a place for one session of a client."""

    def hold(self, client: str) -> AbstractContextManager[object]: ...


@dataclass(slots=True)
class Open:
    """A session that this connection drives. `close` may be called twice."""

    handle: Handle
    held: ExitStack
    metrics: Metrics | NoMetrics
    observe: Callable[[Output], None]
    closed: bool = False

    async def outputs(self) -> AsyncGenerator[Output, None]:
        """As `Handle.outputs`, seen by the observer."""
        async for output in self.handle.outputs():
            self.observe(output)
            yield output

    async def close(self, reason: str, flush: bool = False) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            await self.handle.close(flush)
        finally:
            self.metrics.session_closed(PROTOCOL, reason)
            self.held.close()


@dataclass(frozen=True, slots=True)
class Opener:
    """engine: whose sessions. quota: of each peer. observe(peer, output): sees everything that happens."""

    engine: Engine
    peer: str
    quota: Quota | None
    metrics: Metrics | NoMetrics
    observe: Observe

    async def open(self, spec: SessionSpec) -> Open:
        """SoundflowError where the server is full, or this peer has its share (`Refused`)."""
        with ExitStack() as held:
            if self.quota is not None:
                held.enter_context(self.quota.hold(self.peer))
            handle = await self.engine.open(spec)
            self.metrics.session_opened(PROTOCOL)
            return Open(handle, held.pop_all(), self.metrics, lambda output: self.observe(self.peer, output))


async def each(session: Open, take: Callable[[Output], Awaitable[bool]]) -> None:
    """Give every output to `take`, until it returns False or the session ends; then the session is closed."""
    try:
        async with aclosing(session.outputs()) as outputs:
            async for output in outputs:
                if not await take(output):
                    break
    finally:
        await asyncio.shield(session.close("done"))


async def within(seconds: float, wait: Awaitable[object], what: str) -> None:
    """FrameError("timeout") where it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            await wait
    except TimeoutError:
        raise FrameError("timeout", f"{what} took longer than {seconds:g} s") from None


async def timed(items: AsyncIterator[T], seconds: float, what: str) -> AsyncIterator[T]:
    """The items; FrameError("timeout") where the next one takes longer."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                item = await anext(items)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise FrameError("timeout", f"{what} took longer than {seconds:g} s") from None
        yield item
