"""A worker and the sessions that sit on it: passes without pause while there is work, and what gives way under load.

Decisions come first. A chunk that waits longer than LATE of a chunk stops the writing of replies until it is heard. A
lane whose chunks wait for FULL of a chunk on average takes no new session (one that is always busy may still batch
more). One in which half of the
sessions wait for more than VOICELESS chunks lets new replies go unspoken. All of it is counted and told
(docs/serving.md).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from statistics import median
from time import monotonic
from typing import Final, Protocol

from serving.handle import Notice
from serving.metrics import Metrics, NoMetrics
from serving.session import LiveSession
from serving.work import Command, Pass, Result, Work
from soundflow.events import DecisionEvent, ReplyCancelled, ReplyDone

LATE: Final = 0.5
VOICELESS: Final = 2.0  # chunks that half of the sessions wait at least
STUCK_S: Final = 20.0  # a pass that takes longer is taken as a worker that is lost
IDLE_S: Final = 0.01
PING_S: Final = 2.0
HALF_LIFE_S: Final = 3.0  # of the load, while nothing is decided
FULL: Final = 0.6
SMOOTH: Final = 0.03  # share of the newest chunk in the smoothed wait
STARVED_S: Final = 1.0  # replies get a pass after so long, however late the decisions are

log = logging.getLogger(__name__)


class WorkerLost(Exception):
    """The worker's process is gone; nothing of the pass was done as far as anybody can know."""


class Worker(Protocol):
    """Runs a `serving.decider.Decider` somewhere."""

    name: str

    async def step(self, work: list[Work], texts: bool) -> Pass:
        """WorkerLost where the worker died."""
        ...

    async def close(self) -> None: ...


class Lane:
    """Sessions of one worker.

    Args:
        chunk_s: length of a chunk.
        lost: told when the worker is gone; the lane then does nothing more.
        most_rows: sessions in one pass; one serves them one by one.
    """

    def __init__(
        self,
        worker: Worker,
        chunk_s: float,
        metrics: Metrics | NoMetrics,
        lost: Callable[[Lane], None],
        most_rows: int = 64,
    ) -> None:
        self.worker, self.sessions = worker, dict[str, LiveSession]()
        self._waited_at = monotonic()
        self.wait_s = 0.0  # from the end of a chunk to its decision, smoothed
        self.alive = True
        self._chunk_s, self._metrics, self._lost, self._most_rows = chunk_s, metrics, lost, most_rows
        self._ready: dict[str, LiveSession] = {}
        self._leaving: list[Command] = []
        self._some = asyncio.Event()
        self._voiceless = False
        self._wrote = monotonic()
        self._retiring = False
        self._task = asyncio.create_task(self._run(), name=f"lane {worker.name}")

    @property
    def full(self) -> bool:
        """Whether another session would be too much."""
        return bool(self.sessions) and self.load > FULL

    @property
    def load(self) -> float:
        """Smoothed wait for a decision, in chunks. Passes of one session take 0.1 to 0.2, one is the deadline."""
        if not self.sessions:
            return 0.0
        return self.wait_s / self._chunk_s * 0.5 ** ((monotonic() - self._waited_at) / HALF_LIFE_S)

    def add(self, session: LiveSession) -> None:
        if not self.sessions:
            self.wait_s = 0.0
        self.sessions[session.id] = session
        session.mute = self._voiceless
        session.late_s = self._waited
        self.wake(session)

    def remove(self, session: LiveSession) -> None:
        self.sessions.pop(session.id, None)
        self._ready.pop(session.id, None)

    def wake(self, session: LiveSession) -> None:
        self._ready[session.id] = session
        self._some.set()

    def forget(self, session: str) -> None:
        """Free the seat of a session that ended without the worker's knowledge."""
        self._leaving.append(Command(session, "close", False))
        self._some.set()

    def retire(self) -> None:
        """End behind the pass that runs, as if lost: what it gave counts, the sessions go on elsewhere."""
        self._retiring = True
        self._some.set()

    async def close(self) -> None:
        self.alive = False
        self._task.cancel()
        await asyncio.wait([self._task])
        await self.worker.close()

    async def _run(self) -> None:
        try:
            while not self._retiring:
                writing = any(s.writing for s in self.sessions.values())
                await (self._pass() if self._ready or self._leaving or writing else self._idle())
        except WorkerLost:
            log.warning("%s is lost", self.worker.name)
        except Exception:
            log.exception("a pass of %s failed", self.worker.name)
        self.alive = False
        self._lost(self)

    async def _idle(self) -> None:
        """Wait for work; a worker without any is asked now and then whether it is still there."""
        self._some.clear()
        try:
            async with asyncio.timeout(PING_S):
                await self._some.wait()
        except TimeoutError:
            await self._ask([], False)

    async def _ask(self, pieces: list[Work], texts: bool) -> Pass:
        try:
            async with asyncio.timeout(STUCK_S):
                return await self.worker.step(pieces, texts)
        except TimeoutError as error:
            raise WorkerLost(f"{self.worker.name} did not answer within {STUCK_S:g} s") from error

    async def _pass(self) -> None:
        now, work = monotonic(), dict[str, list[Work]]()
        for name, session in list(self._ready.items()):
            if len(work) >= self._most_rows or (work and session.suspect):
                break
            del self._ready[name]  # the one that was served last is the last of the next pass
            if due := session.due():
                work[name] = due
            if due or session.early:
                self._ready[name] = session
            if due and session.suspect:
                break
        waits = [max(0.0, now - s.waits_since) for s in self.sessions.values()]
        texts = max(waits, default=0.0) < LATE * self._chunk_s or now - self._wrote > STARVED_S
        self._degrade(median(waits) if waits else 0.0)
        leaving, self._leaving = self._leaving, []
        pieces: list[Work] = [*leaving, *(piece for due in work.values() for piece in due)]
        writing = any(s.writing for s in self.sessions.values())
        if texts:
            self._wrote = now
        elif writing:
            self._metrics.dropped("reply_pauses", 1)
        if not pieces and not (texts and writing):
            await asyncio.sleep(IDLE_S)
            return
        done = await self._ask(pieces, texts)
        self._metrics.step(done.seconds, done.frames)
        self._metrics.tokens(done.tokens)
        self._metrics.queue(sum(s.backlog for s in self.sessions.values()))
        self._deliver(work, done)

    def _deliver(self, work: dict[str, list[Work]], done: Pass) -> None:
        """What one session makes of its results is its own affair."""
        for name, due in work.items():
            if (session := self.sessions.get(name)) is not None:
                session.took(due)
        for result in done.results:
            session = self.sessions.get(result.session)
            if session is None:
                continue
            self._count(result)
            try:
                session.take(result)
            except Exception:
                log.exception("a session failed at the front")
                session.fail("internal")

    def _count(self, result: Result) -> None:
        for output in result.outputs:
            if isinstance(output, DecisionEvent):
                self._metrics.decision(output.decision)
            elif isinstance(output, ReplyDone | ReplyCancelled):
                self._metrics.reply("done" if isinstance(output, ReplyDone) else output.reason)

    def _degrade(self, wait: float) -> None:
        """Voices give way before decisions do."""
        voiceless = wait > VOICELESS * self._chunk_s
        if voiceless == self._voiceless:
            return
        self._voiceless = voiceless
        for session in list(self.sessions.values()):
            session.mute = voiceless
            if voiceless and session.spec.speak and session.spec.decide:
                session.notice(Notice("overload", "replies are written but not spoken for a while", {"late_s": wait}))
        if voiceless:
            self._metrics.dropped("voice", len(self.sessions))

    def _waited(self, wait: float) -> None:
        self.wait_s += SMOOTH * (max(0.0, wait) - self.wait_s)
        self._waited_at = monotonic()
        if wait > self._chunk_s:
            self._metrics.deadline_miss(1)
