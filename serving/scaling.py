"""As many workers as the load asks for, between two numbers."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

EVERY_S: Final = 5.0
GROW_AT: Final = 0.4
SHRINK_AT: Final = 0.12
GROW_AFTER: Final = 3
SHRINK_AFTER: Final = 24
"""Looks in a row; two minutes, since a new worker takes seconds to load and sessions that move hear audio again."""

log = logging.getLogger(__name__)


class Scaled(Protocol):
    """What is scaled: `serving.engine.LaneEngine`."""

    @property
    def load(self) -> float: ...

    @property
    def workers(self) -> int: ...

    async def grow(self) -> None: ...

    def shrink(self) -> None: ...


class Scaler:
    """Looks at the load again and again. `look` is one look, so that tests need no clock."""

    def __init__(self, engine: Scaled, least: int, most: int) -> None:
        self._engine, self._least, self._most = engine, least, most
        self._high = self._low = 0

    async def look(self) -> None:
        """Add a worker where decisions have waited long, remove one where they have not waited for long enough."""
        load, workers = self._engine.load, self._engine.workers
        self._high = self._high + 1 if load > GROW_AT else 0
        self._low = self._low + 1 if load < SHRINK_AT else 0
        if self._high >= GROW_AFTER and workers < self._most:
            log.info("adding a worker", extra={"count": workers + 1})
            self._high = 0
            await self._engine.grow()
        elif self._low >= SHRINK_AFTER and workers > self._least:
            log.info("removing a worker", extra={"count": workers - 1})
            self._low = 0
            self._engine.shrink()

    async def run(self) -> None:
        """Until it is cancelled. A worker that cannot be started is tried again at a later look."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except Exception:
                log.exception("scaling failed")
