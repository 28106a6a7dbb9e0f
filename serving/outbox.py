"""What waits for one client: bounded, in order, and the dispensable leaves first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from serving.handle import Heard, Output
from soundflow.events import DecisionEvent, Transcript


def dispensable(output: Output) -> bool:
    """Whether a later output makes up for its loss: levels, silent decisions, growing transcripts."""
    if isinstance(output, Transcript):
        return not output.final
    return isinstance(output, Heard) or (isinstance(output, DecisionEvent) and output.decision == "silent")


class Outbox:
    """A queue to one consumer. Belongs to one event loop.

    Args:
        most: outputs that may wait; at most half of it are dispensable ones, the oldest of which then leave.
    """

    def __init__(self, most: int) -> None:
        self.dropped = 0
        self._most = most
        self._queue: deque[Output] = deque()
        self._light = 0
        self._some = asyncio.Event()
        self._ended = False

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, output: Output) -> bool:
        """Add an output -> False where it is one that must not be lost and there is no room for it: the consumer does
        not keep up."""
        if self._ended:
            return True
        light = dispensable(output)
        if self._light and (len(self._queue) >= self._most or (light and self._light >= self._most // 2)):
            self._thin()
        if len(self._queue) >= self._most:
            self.dropped += light
            return light
        self._queue.append(output)
        self._light += light
        self._some.set()
        return True

    def end(self, *last: Output) -> None:
        """Nothing comes behind `last`."""
        if not self._ended:
            self._queue.extend(last)
            self._ended = True
            self._some.set()

    async def outputs(self) -> AsyncIterator[Output]:
        """In order; ends behind the last. An output that was not asked for yet stays for the next consumer."""
        while True:
            while self._queue:
                output = self._queue.popleft()
                self._light -= dispensable(output)
                yield output
            if self._ended:
                return
            self._some.clear()
            await self._some.wait()

    def _thin(self) -> None:
        """Drop the oldest half of the dispensable ones."""
        drop = max(1, self._light // 2)
        kept: deque[Output] = deque()
        for output in self._queue:
            if drop and dispensable(output):
                drop -= 1
                self.dropped += 1
                self._light -= 1
            else:
                kept.append(output)
        self._queue = kept
