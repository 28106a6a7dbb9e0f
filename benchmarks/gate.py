"""Threshold, hold, wariness and cool-down of our policy and session, for the rule system and for replays."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from soundflow.clock import samples
from soundflow.decide.likeness import like, unit
from soundflow.decide.policy import WARY, raised
from soundflow.session import SessionConfig
from soundflow.types import FloatArray

HOLD_CHUNKS: Final = 3
COOLDOWN_S: Final = SessionConfig().cooldown_s
REACH: Final = 150
"""Chunks of 400 ms in the cool-down."""


def odds_between(low: float, high: float) -> float:
    """Log-odds from one threshold to another; 0 where one of them is no probability strictly between 0 and 1."""
    if not (0.0 < low < 1.0 and 0.0 < high < 1.0):
        return 0.0
    return math.log(high / (1 - high)) - math.log(low / (1 - low))


class Likes:
    """Which of the last REACH chunks each chunk sounds like: `found` holds a hexadecimal number a chunk, whose bit n is
    set where chunk - n - 1 is alike. So a cool-down by likeness can be replayed without the embeddings."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._kept: deque[tuple[int, FloatArray]] = deque(maxlen=REACH)

    def hear(self, embedding: FloatArray) -> str:
        """The entry of the next chunk, whose sound embedding is [D] `embedding`."""
        now = len(self.found)
        bits = sum(1 << (now - at - 1) for at in like(self._kept, embedding, now - REACH - 1))
        self._kept.append((now, unit(embedding)))
        self.found.append(f"{bits:x}")
        return self.found[-1]


class Gate:
    """Which scores fire. Silent within the cool-down: a topic that was announced, and what sounds like it."""

    def __init__(self, threshold: float, cooldown_s: float = COOLDOWN_S, hold: int = HOLD_CHUNKS) -> None:
        self._threshold, self._cooldown, self._hold = threshold, samples(cooldown_s), hold
        self._wary = raised(threshold, WARY)
        self._until = self._wary_until = 0
        self._said: dict[str, int] = {}
        self._fired: deque[tuple[int, int]] = deque(maxlen=REACH)

    def fires(self, chunk: int, end: int, p: float, topic: str, likes: str = "0") -> bool:
        """Take chunk number `chunk`, which ends at sample `end`; `likes` as in Likes."""
        if p < (self._wary if end <= self._wary_until else self._threshold) or chunk < self._until:
            return False
        self._until = chunk + 1 + self._hold
        if topic in self._said and end - self._said[topic] < self._cooldown:
            return False
        alike = int(likes, 16)
        if any(end - at < self._cooldown and alike >> (chunk - k - 1) & 1 for k, at in self._fired):
            return False
        self._fired.append((chunk, end))
        self._said[topic], self._wary_until = end, end + self._cooldown
        return True

    def answers(self, chunk: int, p: float, log_odds: float) -> bool:
        """Take a chunk in which somebody has just finished speaking: its threshold is `log_odds` higher, and it neither
        holds nor knows a cool-down."""
        if p < raised(self._threshold, log_odds):
            return False
        self._until = chunk + 1 + self._hold
        return True
