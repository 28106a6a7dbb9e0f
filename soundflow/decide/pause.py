"""A pause between two sounds, by the level, and what is heard anew after it: the encoder's window is longer than it. No
torch, no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from soundflow.types import FloatArray

PAUSE_DB: Final = 8.0
WINDOW: Final = 3
"""Chunks that a window of the encoder may lie in: its tags outlast a short sound by so many."""
RISEN: Final = 1.0
"""Log-odds over the least since the pause from which on a tag is of something new."""
AGAIN: Final = 0.0
"""And those that are enough where the level has risen again."""


class Pause:
    """What of `size` tags is heard: not in a pause, and behind one only what has risen since, or is still there as the
    level rises by PAUSE_DB. What is left of a sound in the window is not a second one."""

    def __init__(self, size: int = 1) -> None:
        self._levels: deque[float] = deque(maxlen=WINDOW)
        self._quietest = np.inf  # since the pause
        self._least = np.full(size, np.inf, np.float32)  # log-odds since the pause; inf: heard

    def hear(self, level_db: float, p: FloatArray) -> FloatArray:
        """Level and probabilities [size] of the next chunk -> those that count [size], 0 for others."""
        odds = log_odds(p)
        self._levels.append(level_db)
        if level_db < max(self._levels) - PAUSE_DB:
            self._quietest = min(self._quietest, level_db)
            self._least = np.minimum(self._least, odds)
            return np.zeros_like(p)
        louder = level_db > self._quietest + PAUSE_DB
        if louder:
            self._quietest = np.inf
        waits = self._least < np.inf
        self._least = np.where(waits, np.minimum(self._least, odds), self._least)
        heard = ~waits | (odds >= self._least + RISEN) | (louder & (odds >= AGAIN))
        self._least[heard] = np.inf
        return np.where(heard, p, 0).astype(np.float32)

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"levels": list(self._levels), "quietest": self._quietest, "least": self._least.copy()}

    @staticmethod
    def restore(saved: Mapping[str, Any]) -> Pause:
        """As it was."""
        found = Pause(len(saved["least"]))
        found._levels.extend(saved["levels"])
        found._quietest, found._least = saved["quietest"], saved["least"].copy()
        return found


def log_odds(p: FloatArray) -> FloatArray:
    """Of probabilities, of which none is surer than 1e-6."""
    found: FloatArray = np.log(np.maximum(p, 1e-6) / np.maximum(1 - p, 1e-6))
    return found
