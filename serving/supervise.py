"""Side services of a running server: each is started again when it fails, and never takes the others along."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

from serving.metrics import Metrics, NoMetrics

log = logging.getLogger(__name__)
FIRST_S: Final = 1.0
MOST_S: Final = 60.0
HEALTHY_S: Final = 60.0
"""A service that ran for so long starts again with the shortest wait."""
STOP_S: Final = 5.0

Service = Callable[[], Awaitable[None]]


class Supervisor:
    """Keeps named services running. A service is an async function that runs until it is cancelled; one that returns
    or raises is counted, logged, and started again after a wait that doubles up to `most_s`.
    """

    def __init__(
        self,
        metrics: Metrics | NoMetrics,
        first_s: float = FIRST_S,
        most_s: float = MOST_S,
        healthy_s: float = HEALTHY_S,
    ) -> None:
        self._metrics = metrics
        self._first_s, self._most_s, self._healthy_s = first_s, most_s, healthy_s
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.failures: dict[str, int] = {}

    def keep(self, name: str, service: Service) -> None:
        """Start a service and keep it running."""
        assert name not in self._tasks, name
        self.failures[name] = 0
        self._tasks[name] = asyncio.create_task(self._keep(name, service), name=f"service {name}")

    async def _keep(self, name: str, service: Service) -> None:
        wait_s = self._first_s
        while True:
            began = time.monotonic()
            self._metrics.service(name, True)
            try:
                await service()
                log.warning("service ended; it is started again", extra={"service": name})
            except Exception:  # the border between services: anything that one raises ends here
                log.exception("service failed; it is started again", extra={"service": name, "seconds": wait_s})
            finally:
                self._metrics.service(name, False)
            self.failures[name] += 1
            self._metrics.service_failed(name)
            if time.monotonic() - began >= self._healthy_s:
                wait_s = self._first_s
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.0))
            wait_s = min(self._most_s, 2 * wait_s)

    async def stop(self, wait_s: float = STOP_S) -> None:
        """Cancel all, and wait for `wait_s` at most; one that does not end is named."""
        tasks, self._tasks = dict(self._tasks), {}
        for task in tasks.values():
            task.cancel()
        if not tasks:
            return
        _, late = await asyncio.wait(tasks.values(), timeout=wait_s)
        for task in late:
            log.warning("a service did not stop in time", extra={"service": task.get_name()})
