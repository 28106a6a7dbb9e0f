"""Sessions on lanes: admission, sticky placement, drain, resume, and moving on when a worker is lost."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from pathlib import Path
from time import monotonic
from typing import Any, Final

import numpy as np

from serving.handle import EngineInfo, Handle, Notice, SessionSpec, VoicePiece
from serving.journal import Journal, NoJournal
from serving.lane import Lane, Worker
from serving.limits import Limits
from serving.metrics import Metrics, NoMetrics
from serving.session import LiveSession
from serving.voices import Voices
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import CapacityError, DataError
from soundflow.respond.speech_text import sentences

RESPAWN_S: Final = (0.0, 0.5, 2.0, 5.0, 15.0, 30.0)
"""Waits before a lost worker is replaced, by how many were lost within the last one of them."""

SETTLE_S: Final = 2.0
"""Before a replacement loads its model where others live: they need the processor to hear the moved sessions again."""

log = logging.getLogger(__name__)


class LaneEngine:
    """`serving.handle.Engine` over any workers.

    Args:
        info: what the workers run.
        workers: at least one; each has room for all sessions that a lost peer leaves to it.
        respawn: makes a worker in the place of a lost one.
        journal_chunks: chunks of the newest audio that the journal keeps; 0 keeps none.
        most_rows: sessions in one pass of a worker.
        renew: makes `respawn` give workers with the weights of another adapter -> a call that takes that back;
                raises where it cannot.
    """

    def __init__(
        self,
        info: EngineInfo,
        workers: Sequence[Worker],
        voices: Voices,
        limits: Limits,
        metrics: Metrics | NoMetrics | None = None,
        journal: Journal | None = None,
        respawn: Callable[[], Awaitable[Worker]] | None = None,
        journal_chunks: int = 0,
        most_rows: int = 64,
        renew: Callable[[Path | None], Awaitable[Callable[[], None]]] | None = None,
    ) -> None:
        self._info, self._voices, self._limits = info, voices, limits
        self._metrics, self._journal = metrics or NoMetrics(), journal or NoJournal()
        self._respawn, self._journal_chunks, self._most_rows = respawn, journal_chunks, most_rows
        self._renew = renew
        self._chunk_samples = round(info.chunk_ms * SAMPLE_RATE_HZ / 1000)
        self._sessions: dict[str, LiveSession] = {}
        self._detached: dict[str, asyncio.TimerHandle] = {}
        self._homeless: list[LiveSession] = []
        self._draining = self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._resuming: set[str] = set()
        self._lost_at: deque[float] = deque(maxlen=len(RESPAWN_S))
        self._retired: set[Lane] = set()
        self.lanes: list[Lane] = []
        for worker in workers:
            self._add(worker)

    @property
    def info(self) -> EngineInfo:
        return self._info

    @property
    def ready(self) -> bool:
        return not self._draining and any(lane.alive for lane in self.lanes)

    @property
    def sessions(self) -> int:
        """Open sessions, without those that wait for a resume."""
        return len(self._sessions) - len(self._detached)

    @property
    def load(self) -> float:
        """How long decisions wait, in chunks, mean over the workers: the signal to scale by. 1 is the deadline."""
        alive = [lane.load for lane in self.lanes if lane.alive]
        return sum(alive) / len(alive) if alive else 1.0

    @property
    def workers(self) -> int:
        """That serve now."""
        return sum(lane.alive and lane not in self._retired for lane in self.lanes)

    async def open(self, spec: SessionSpec, resume: str = "") -> Handle:
        if self._draining:
            raise CapacityError("the server is shutting down and takes no new sessions")
        if resume:
            return await self._resume(spec, resume)
        self._admit(spec)
        name = f"sess_{secrets.token_hex(12)}"
        return self._seat(LiveSession(name, spec, self._chunk_samples, self._limits, self._voices, self))

    def _admit(self, spec: SessionSpec) -> None:
        if len(self._sessions) >= self._limits.max_sessions:
            raise CapacityError(f"at most {self._limits.max_sessions} sessions are served at once")
        mine = sum(s.spec.client == spec.client for s in self._sessions.values())
        if spec.client and mine >= self._limits.max_client_sessions:
            raise CapacityError(f"at most {self._limits.max_client_sessions} sessions of one client are served at once")
        alive = [lane for lane in self.lanes if lane.alive]
        if not alive and self._respawn is None:
            raise CapacityError("no worker is left")
        if alive and all(lane.full for lane in alive):
            raise CapacityError("all workers are busy; try again later or add workers")

    def _seat(self, session: LiveSession) -> LiveSession:
        self._sessions[session.id] = session
        self._place(session)
        return session

    def _place(self, session: LiveSession) -> None:
        alive = [lane for lane in self.lanes if lane.alive and lane not in self._retired]
        if not alive:
            self._homeless.append(session)
            return
        min(alive, key=lambda lane: (lane.full, len(lane.sessions))).add(session)

    async def _resume(self, spec: SessionSpec, name: str) -> LiveSession:
        session = self._sessions.get(name)
        if session is not None and session.spec.client == spec.client and name in self._detached:
            self._detached.pop(name).cancel()
            session.notice(Notice("resumed", "the session goes on", {"heard_s": session.heard_s}))
            return session
        if session is not None or name in self._resuming:
            raise DataError("a session of this client that waits to be resumed was expected", name[:64])
        self._resuming.add(name)
        try:
            return await self._from_journal(spec, name)
        finally:
            self._resuming.discard(name)

    async def _from_journal(self, spec: SessionSpec, name: str) -> LiveSession:
        record = await asyncio.to_thread(self._journal.get, name)
        if self._draining:
            raise CapacityError("the server is shutting down and takes no new sessions")
        if record is None or record["spec"]["client"] != spec.client:
            raise DataError("a session of this client that waits to be resumed was expected", name[:64])
        self._admit(spec)
        session = LiveSession.of(name, record, self._chunk_samples, self._limits, self._voices, self)
        self._seat(session)
        session.notice(Notice("resumed", "the session goes on from the journal", {"heard_s": session.heard_s}))
        return session

    def detach(self, handle: Handle) -> None:
        """Unknown, closed or already detached handles are left as they are."""
        session = self._sessions.get(handle.id)
        if session is None or session.id in self._detached or session.over:
            return
        later = asyncio.get_running_loop().call_later
        self._detached[session.id] = later(self._limits.resume_s, self._expire, session)

    def _expire(self, session: LiveSession) -> None:
        self._detached.pop(session.id, None)
        session.notice(Notice("expired", "nobody came back for this session"))
        self._run(session.close())

    async def synthesize(self, text: str) -> AsyncIterator[VoicePiece]:
        rate = self._voices.rate_hz
        for sentence in sentences(text):
            said = sentence
            async with aclosing(self._voices.speak(sentence)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    yield VoicePiece("", piece, rate, said)
                    said = ""
        if rate:
            yield VoicePiece("", np.zeros(0, np.float32), rate, last=True)

    def drain(self) -> None:
        """Take no new sessions; tell the open ones."""
        self._draining = True
        for session in list(self._sessions.values()):
            session.notice(Notice("draining", "the server is shutting down; connect again soon"))

    async def close(self) -> None:
        """End every session and worker. What the journal holds of open sessions stays, for a resume."""
        self._draining = self._closed = True
        for timer in self._detached.values():
            timer.cancel()
        for session in list(self._sessions.values()):
            session.fail("the server has shut down")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(lane.close() for lane in self.lanes))
        await self._voices.close()
        await asyncio.to_thread(self._journal.close)

    def wake(self, session: LiveSession) -> None:
        """A session has work."""
        for lane in self.lanes:
            if session.id in lane.sessions:
                lane.wake(session)
                return

    def remembered(self, session: LiveSession) -> None:
        """What a session remembers has changed."""
        if not session.over:
            self._journal.put(session.id, session.record(self._journal_chunks))

    def over(self, session: LiveSession) -> None:
        """A session has ended."""
        self._sessions.pop(session.id, None)
        if (timer := self._detached.pop(session.id, None)) is not None:
            timer.cancel()
        if not self._closed:
            self._journal.delete(session.id)
        for lane in self.lanes:
            if session.id in lane.sessions:
                lane.remove(session)
                lane.forget(session.id)

    def dropped(self, kind: str, count: int) -> None:
        """Something was lost under load."""
        self._metrics.dropped(kind, count)

    def _add(self, worker: Worker) -> None:
        chunk_s = self._chunk_samples / SAMPLE_RATE_HZ
        self.lanes.append(Lane(worker, chunk_s, self._metrics, self._lost, self._most_rows))
        self._metrics.workers(self.workers)
        homeless, self._homeless = self._homeless, []
        for session in homeless:
            if not session.over:
                self._place(session)

    async def grow(self) -> None:
        """Add a worker. Whatever its start raises: nothing has changed."""
        if self._respawn is not None:
            self._add(await self._respawn())

    def shrink(self) -> None:
        """Retire the worker with the fewest sessions; they move. Never the last one."""
        alive = [lane for lane in self.lanes if lane.alive and lane not in self._retired]
        if len(alive) > 1:
            self._retire(min(alive, key=lambda lane: len(lane.sessions)))

    async def roll(self, adapter: Path | None = None) -> None:
        """Replace every worker by a new one with the weights of `adapter` (None: those that ship), one after the other.

        Sessions move and lose nothing. What the new weights raise ends it with the old workers still there.
        """
        undo = await self._renew(adapter) if self._renew is not None else None
        for lane in [lane for lane in self.lanes if lane.alive]:
            try:
                await self.grow()
            except BaseException:
                if undo is not None:
                    undo()
                raise
            self._retire(lane)

    def _retire(self, lane: Lane) -> None:
        self._retired.add(lane)
        lane.retire()

    def _lost(self, lane: Lane) -> None:
        """Its sessions go on with the others at once; a new worker takes its place, unless it was retired."""
        retired = lane in self._retired
        if not retired:
            log.error("a worker is lost; its sessions move", extra={"count": len(lane.sessions)})
            self._metrics.dropped("worker", 1)
        self.lanes.remove(lane)
        self._metrics.workers(self.workers)
        orphans = list(lane.sessions.values())
        lane.sessions.clear()
        for session in orphans:
            session.move(lost=not retired and lane.blames(session))
            if session.over:
                continue
            if self._respawn is None and not any(other.alive for other in self.lanes):
                session.fail("no worker is left")
            else:
                self._place(session)
        if not self._closed:
            self._run(self._replace(lane))

    async def _replace(self, lane: Lane) -> None:
        await lane.worker.close()
        if lane in self._retired:
            self._retired.discard(lane)
            return
        if self._respawn is None:
            return
        while not self._closed:
            lately = sum(monotonic() - at < RESPAWN_S[-1] for at in self._lost_at)
            self._lost_at.append(monotonic())
            wait = RESPAWN_S[min(lately, len(RESPAWN_S) - 1)]
            await asyncio.sleep(max(wait, SETTLE_S) if any(other.alive for other in self.lanes) else wait)
            try:
                self._add(await self._respawn())
                return
            except Exception:
                log.exception("a worker could not be started")

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this until the engine closes."""
        self._run(work)

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
