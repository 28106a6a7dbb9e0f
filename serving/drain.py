"""Stop without a loss: refuse what is new, tell what is open, wait a stated time, then close with 1012."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from serving.handle import Engine
from serving.metrics import Metrics, NoMetrics
from serving.security import Guard

log = logging.getLogger(__name__)
POLL_S: Final = 0.1
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Phase(StrEnum):
    starting = "starting"
    serving = "serving"
    draining = "draining"
    stopped = "stopped"


class Drain:
    """The life of the server: starting, serving, draining, stopped; never back.

    The first of SIGNALS starts to drain, the second ends the wait.
    """

    def __init__(self, engine: Engine, guard: Guard, metrics: Metrics | NoMetrics, drain_s: float) -> None:
        self._engine, self._guard, self._metrics, self._drain_s = engine, guard, metrics, drain_s
        self.phase = Phase.starting
        self._asked = asyncio.Event()
        self._hurry = asyncio.Event()

    def serving(self) -> None:
        """All that must be bound is bound."""
        if self.phase is Phase.starting:
            self.phase = Phase.serving

    def reasons(self) -> list[str]:
        """Why no new session is taken; none: the server is ready."""
        why = []
        if self.phase is not Phase.serving:
            why.append(self.phase.value)
        if not self._engine.ready:
            why.append("engine is not ready")
        self._metrics.ready(not why)
        return why

    def ask(self) -> None:
        """Begin to drain; a second time: do not wait for the open sessions. Safe in a signal handler of the loop."""
        if self._asked.is_set():
            self._hurry.set()
            return
        self.phase = Phase.draining
        self._guard.draining = True
        self._engine.drain()
        self.reasons()
        self._asked.set()
        log.info("draining", extra={"count": self._engine.sessions, "seconds": self._drain_s})

    def install(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Listen for the signals -> a function that stops listening."""
        for number in SIGNALS:
            loop.add_signal_handler(number, self.ask)

        def remove() -> None:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

        return remove

    async def asked(self) -> None:
        """Wait until somebody asks to stop."""
        await self._asked.wait()

    async def done(self) -> int:
        """Wait until no session is open, `drain_s` have passed, or somebody hurries -> sessions that are still open."""
        await self._asked.wait()
        end = time.monotonic() + self._drain_s
        while self._engine.sessions and not self._hurry.is_set() and (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._hurry.wait(), min(POLL_S, left))
            except TimeoutError:
                continue
        self.phase = Phase.stopped
        left_open = self._engine.sessions
        log.info("drained", extra={"count": left_open})
        return left_open
