"""A pause between two sounds, by the level: the encoder's window is longer than it. No torch, no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

PAUSE_DB: Final = 8.0
WINDOW: Final = 3
"""Chunks that a window of the encoder may lie in: its tags outlast a short sound by so many."""


@dataclass(slots=True)
class Pause:
    """levels: dB of the newest chunks."""

    levels: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def hear(self, level_db: float) -> bool:
        """The next chunk -> whether it is so much quieter than those just before that what they held has paused."""
        self.levels.append(level_db)
        return level_db < max(self.levels) - PAUSE_DB

    def snapshot(self) -> list[float]:
        """What `restore` needs."""
        return list(self.levels)

    @staticmethod
    def restore(saved: list[float]) -> Pause:
        """As it was."""
        return Pause(deque(saved, maxlen=WINDOW))
