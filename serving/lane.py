"""A worker and the sessions that sit on it: passes without pause while there is work, and what gives way under load.

A worker that can is let hear the chunks of the next pass while the LALM runs over the last one.

Decisions come first. A chunk that waits longer than LATE of a chunk stops the writing of replies until it is heard. A
lane whose chunks wait for FULL of a chunk on average takes no new session (one that is always busy may still batch
more). One in which half of the
sessions wait for more than VOICELESS chunks lets new replies go unspoken. All of it is counted and told
(docs/serving.md).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median
from time import monotonic
from typing import Final, Protocol

from serving.handle import Notice
from serving.metrics import Metrics, NoMetrics
from serving.session import LiveSession
from serving.work import Command, Frame, Open, Pass, Result, Work, WorkerLost
from soundflow.events import DecisionEvent, ReplyCancelled, ReplyDone

LATE: Final = 0.5
VOICELESS: Final = 2.0  # chunks that half of the sessions wait at least
LEAST_ROWS: Final = 4
"""Of a pass, before it is worth two of half its size."""
STUCK_S: Final = 20.0  # a pass that takes longer is taken as a worker that is lost
IDLE_S: Final = 0.01
PING_S: Final = 2.0
HALF_LIFE_S: Final = 3.0  # of the load, while nothing is decided
FULL: Final = 0.6
SMOOTH: Final = 0.03  # share of the newest chunk in the smoothed wait
STARVED_S: Final = 1.0  # replies get a pass after so long, however late the decisions are

log = logging.getLogger(__name__)


class Worker(Protocol):
    """Runs a `serving.decider.Decider` somewhere."""

    name: str
    hear: Callable[[list[Frame]], Awaitable[None]] | None
    """Hears frames of a pass to come while a pass runs; None where that saves no time."""

    async def step(self, work: list[Work], texts: bool) -> Pass:
        """WorkerLost where the worker died."""
        ...

    async def close(self) -> None: ...


class Lane:
    """Sessions of one worker.

    Args:
        chunk_s: length of a chunk.
        lost: told when the worker is gone; the lane then does nothing more.
        most_rows: sessions in one pass; one serves them one by one, each from its samples to its decision.
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
        self._hear = worker.hear if most_rows > 1 else None
        self._ready: dict[str, LiveSession] = {}
        self._heard: dict[str, list[Work]] = {}  # what the next pass takes
        self._aboard: dict[str, list[Work]] = {}  # what the pass that runs has taken
        self._hearing: set[str] = set()
        self._pass: asyncio.Task[None] | None = None
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

    def blames(self, session: LiveSession) -> bool:
        """Of a lane whose worker was lost: whether this session may be why. Where nothing ran, all may be."""
        ran = self._hearing | set(self._aboard)
        return session.id in ran or not ran

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
            while not self._retiring or self._pass is not None:
                self._some.clear()
                if not await self._advance():
                    await self._wait()
        except WorkerLost:
            log.warning("%s is lost", self.worker.name)
        except Exception:
            log.exception("a pass of %s failed", self.worker.name)
        finally:
            if self._pass is not None:
                self._pass.cancel()
        self.alive = False
        self._lost(self)

    async def _advance(self) -> bool:
        """End, start and prepare passes -> whether there may be more to do at once."""
        if self._pass is not None and self._pass.done():
            ended, self._pass = self._pass, None
            ended.result()
            self._aboard = {}
        if self._retiring:
            return False
        if self._hear is None:
            if self._pass is None:
                self._heard = self._gather(self._most_rows)
                self._launch()
            return False
        # Of many sessions one half is heard while the LALM runs over the other.
        most = min(self._most_rows, max(LEAST_ROWS, -(-len(self.sessions) // 2)))
        fresh = self._gather(most if self._pass is None else most - len(self._heard))
        if self._pass is None:
            self._launch()
        frames = [w for due in fresh.values() if not isinstance(due[0], Open) for w in due if isinstance(w, Frame)]
        if frames:
            self._hearing = set(fresh)
            async with _patience(self.worker.name):
                await self._hear(frames)
            self._hearing = set()
        self._heard |= fresh
        return bool(fresh)

    async def _wait(self) -> None:
        """For work, or for the pass that runs; a worker without any work is asked now and then whether it is there."""
        if self._pass is not None:
            await self._some.wait()
            return
        held = bool(self._ready) or any(s.writing for s in self.sessions.values())
        try:
            async with asyncio.timeout(IDLE_S if held else PING_S):
                await self._some.wait()
        except TimeoutError:
            if not held:
                await self._ask([], False)

    async def _ask(self, pieces: list[Work], texts: bool) -> Pass:
        async with _patience(self.worker.name):
            return await self.worker.step(pieces, texts)

    def _gather(self, most: int) -> dict[str, list[Work]]:
        """What is due of at most so many sessions that are in no pass yet. A suspect goes alone."""
        found: dict[str, list[Work]] = {}
        alone = not self._heard and self._pass is None
        if any(s.suspect for name in self._heard if (s := self.sessions.get(name)) is not None):
            return found
        for name, session in list(self._ready.items()):
            if len(found) >= most or (session.suspect and (found or not alone)):
                break
            if name in self._heard or name in self._aboard:
                continue
            del self._ready[name]  # the one that was served last is the last of the next pass
            if due := session.due():
                found[name] = due
            if due or session.early:
                self._ready[name] = session
            if due and session.suspect:
                break
        return found

    def _launch(self) -> None:
        """Start a pass, where there is something for it."""
        now = monotonic()
        waits = [max(0.0, now - s.waits_since) for s in self.sessions.values()]
        texts = max(waits, default=0.0) < LATE * self._chunk_s or now - self._wrote > STARVED_S
        self._degrade(median(waits) if waits else 0.0)
        writing = any(s.writing for s in self.sessions.values())
        work = {name: due for name, due in self._heard.items() if name in self.sessions}
        self._heard = {}
        leaving, self._leaving = self._leaving, []
        pieces: list[Work] = [*leaving, *(piece for due in work.values() for piece in due)]
        if not pieces and not (texts and writing):
            return
        if texts:
            self._wrote = now
            for session in self._ready.values():
                session.let_write()
        elif writing:
            self._metrics.dropped("reply_pauses", 1)
        self._aboard = work
        self._pass = asyncio.create_task(self._through(work, pieces, texts), name=f"pass {self.worker.name}")
        self._pass.add_done_callback(lambda _: self._some.set())

    async def _through(self, work: dict[str, list[Work]], pieces: list[Work], texts: bool) -> None:
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


@asynccontextmanager
async def _patience(name: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(STUCK_S):
            yield
    except TimeoutError as error:
        raise WorkerLost(f"{name} did not answer within {STUCK_S:g} s") from error
