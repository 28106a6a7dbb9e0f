"""Audio out at the speed at which it plays: at most LEAD_MS ahead of real time, so that a barge-in is heard at once.

The pacer knows how much of which reply was sent, and how much of that a client that plays without delay has played.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from soundflow.errors import CapacityError

LEAD_MS: Final = 300.0
"""The most that is sent ahead of real time."""
FRAME_MS: Final = 80.0
"""The most that one frame holds."""
MAX_WAITING_MS: Final = 180_000.0
"""Audio that may wait to be sent."""
REMEMBERED: Final = 32
"""Replies whose sent time is known."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`data` to send now: `ms` long, at `start_ms` of its reply. `last`: the reply has no more, `data` may be empty.
    `text`: words that begin with this frame.
    """

    reply: str
    data: bytes
    ms: float
    start_ms: float
    text: str = ""
    text_ms: float = 0.0
    last: bool = False


@dataclass(slots=True)
class _Sent:
    """What was sent of a reply: stretches of (when it began to play, ms)."""

    ms: float = 0.0
    spans: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=64))
    before_ms: float = 0.0


class Pacer:
    """One session's audio out. `put` never waits; `next` waits until the next frame is due.

    Args:
        lead_ms: how far ahead of real time frames are handed out.
        clock: seconds, never going back. sleep: waits for so many seconds of it.
    """

    def __init__(
        self,
        lead_ms: float = LEAD_MS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._lead_s = lead_ms / 1000
        self._clock, self._sleep = clock, sleep
        self._queue: deque[Frame] = deque()
        self._filled = asyncio.Event()
        self._put_ms: dict[str, float] = {}
        self._sent: OrderedDict[str, _Sent] = OrderedDict()
        self._waiting_ms = 0.0
        self._plays_until = float("-inf")

    @property
    def waiting_ms(self) -> float:
        return self._waiting_ms

    @property
    def ahead_ms(self) -> float:
        """What was sent and has not been played yet, if the client plays without delay."""
        return max(self._plays_until - self._clock(), 0.0) * 1000

    def put(self, reply: str, data: bytes, bytes_per_ms: float, text: str = "", last: bool = False) -> None:
        """Add audio to the end; `bytes_per_ms` is that of its format, whose frames are cut at whole milliseconds.

        Raises:
            CapacityError: more than MAX_WAITING_MS would wait; nothing was added.
        """
        total = len(data) / bytes_per_ms
        if self._waiting_ms + total > MAX_WAITING_MS:
            raise CapacityError(f"at most {MAX_WAITING_MS / 1000:.0f} s of audio may wait to be sent")
        step = int(FRAME_MS) * int(bytes_per_ms)
        at = self._put_ms.get(reply, 0.0)
        cuts = range(0, len(data), step) if data else ((0,) if last or text else ())
        for i in cuts:
            part = data[i : i + step]
            ms = len(part) / bytes_per_ms
            first, final = i == 0, i + step >= len(data)
            words, words_ms = (text, total) if first else ("", 0.0)
            self._queue.append(Frame(reply, part, ms, at, words, words_ms, last and final))
            at += ms
        self._put_ms[reply] = at
        if last:
            self._put_ms.pop(reply, None)
        self._waiting_ms += total
        if self._queue:
            self._filled.set()

    async def next(self) -> Frame:
        """The next frame, once its start is at most the lead ahead of real time."""
        while True:
            if not self._queue:
                self._filled.clear()
                await self._filled.wait()
                continue
            wait = self._plays_until - self._clock() - self._lead_s
            if wait > 1e-9 and self._queue[0].data:
                await self._sleep(wait)
                continue
            frame = self._queue.popleft()
            self._account(frame)
            return frame

    def _account(self, frame: Frame) -> None:
        self._waiting_ms = max(self._waiting_ms - frame.ms, 0.0) if self._queue else 0.0
        start = max(self._plays_until, self._clock())
        if frame.data:
            self._plays_until = start + frame.ms / 1000
        sent = self._sent.setdefault(frame.reply, _Sent())
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        sent.ms += frame.ms
        if len(sent.spans) == sent.spans.maxlen:
            sent.before_ms += sent.spans[0][1]
        sent.spans.append((start, frame.ms))

    def sent_ms(self, reply: str) -> float:
        """Milliseconds of the reply that were handed out."""
        sent = self._sent.get(reply)
        return sent.ms if sent else 0.0

    def played_ms(self, reply: str) -> float:
        """Milliseconds of it that have been played by now, at best."""
        sent = self._sent.get(reply)
        if sent is None:
            return 0.0
        now = self._clock()
        return sent.before_ms + sum(min(max((now - start) * 1000, 0.0), ms) for start, ms in sent.spans)

    def cancel(self, reply: str) -> float:
        """Drop what was not sent of the reply -> ms of it that were played. The client is taken to drop the rest."""
        played = self.played_ms(reply)
        kept = deque(f for f in self._queue if f.reply != reply)
        dropped = len(kept) < len(self._queue)
        self._queue = kept
        self._waiting_ms = sum(f.ms for f in kept)
        self._put_ms.pop(reply, None)
        if dropped or (reply in self._sent and next(reversed(self._sent)) == reply):
            self._plays_until = min(self._plays_until, self._clock())
        return played
