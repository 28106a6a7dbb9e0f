"""The tasks of one socket: read, engine's outputs, paced audio, clock, outbox. The first to end ends them all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final, Protocol

from serving.handle import Engine, Handle, Output
from serving.limits import Limits
from serving.pacing import Frame, Pacer
from serving.realtime import link as links
from serving.realtime.link import Bad, Link

TICK_S: Final = 0.25
DELIBERATE: Final = (links.NORMAL, links.GOING_AWAY, links.NO_STATUS)
"""Close codes of a client that meant it; every other end of the socket leaves the session to be resumed."""

log = logging.getLogger(__name__)


class Session(Protocol):
    """What both wires give the runner."""

    pacer: Pacer

    async def on_client(self, body: dict[str, Any] | Bad) -> None: ...

    def on_output(self, output: Output) -> None: ...

    def on_frame(self, frame: Frame) -> None: ...

    def tick(self) -> None: ...

    def ended(self) -> None:
        """The engine's outputs are over."""
        ...

    def broken(self) -> None:
        """Something of ours failed: tell the client."""
        ...


async def run(
    link: Link, session: Session, outputs: AsyncIterator[Output], limits: Limits, clock: Callable[[], float]
) -> str:
    """Serve until either side ends -> the reason: client, lost, ended, slow_reader, idle, draining, expired, failed."""
    parts = (
        _read(link, session),
        _outputs(session, outputs),
        _frames(session),
        _watch(link, session, limits.idle_s, clock),
    )
    outbox = asyncio.create_task(link.run_outbox())
    tasks = [asyncio.create_task(_guarded(part, session, link)) for part in parts]
    try:
        done, _ = await asyncio.wait({outbox, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        if link.client_code is None and outbox not in done:
            link.finish(links.NORMAL, "the session is over")
            await outbox
    finally:
        for task in (outbox, *tasks):
            task.cancel()
        await asyncio.gather(outbox, *tasks, return_exceptions=True)
    if link.overflowed:
        return "slow_reader"
    if link.closing is None:
        return "client" if link.client_code in DELIBERATE else "lost"
    code, reason = link.closing
    name, colon, _ = reason.partition(":")
    return name if colon else "ended" if code == links.NORMAL else "failed"


async def leave(engine: Engine, handle: Handle, reason: str) -> None:
    """Close the session, or keep it for a resume where the socket was lost."""
    if reason in ("client", "ended", "expired", "failed"):
        await handle.close()
    else:
        engine.detach(handle)


async def _guarded(work: Coroutine[Any, Any, None], session: Session, link: Link) -> None:
    """An error of ours ends this session, with a word to its client; never the process."""
    try:
        await work
    except Exception as error:
        log.error("session failed: %s", type(error).__name__, exc_info=error)
        session.broken()
        link.finish(links.SERVER_ERROR, "failed: internal error")
        raise


async def _read(link: Link, session: Session) -> None:
    while (body := await link.read()) is not None:
        await session.on_client(body)


async def _outputs(session: Session, outputs: AsyncIterator[Output]) -> None:
    async for output in outputs:
        session.on_output(output)
    session.ended()


async def _frames(session: Session) -> None:
    while True:
        session.on_frame(await session.pacer.next())


async def _watch(link: Link, session: Session, idle_s: float, clock: Callable[[], float]) -> None:
    while clock() - link.last_read < idle_s:
        await asyncio.sleep(TICK_S)
        session.tick()
    link.finish(links.GOING_AWAY, f"idle: no message for {idle_s:g} s")
