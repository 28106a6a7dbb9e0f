"""Whether a sound that somebody speaks of goes on: by its tag, and by how loud the room is beside the speech.

The tag of rain or a fan comes and goes while the sound does not, and may never come; but a sound that goes on keeps the
room loud, and its end is a step down. No torch, no clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from soundflow.decide.waited import STOPPED

MEMORY: Final = 12
"""Chunks (4.8 s) without speech whose median says how loud the room is with the sound."""
STEP_DB: Final = 8.0
"""Under that the sound is over, where its tag does not say otherwise; ends of clips of cal are steps of 10 to 30."""
LOUD_DB: Final = -50.0
"""Over that something sounds in a room."""
HEARD: Final = -3.0
"""Log-odds of the tag from which on it is heard."""
FAINT: Final = 5
"""Chunks without the tag, after it was clearly there, after which a sound is over in a room that stays loud."""
CLEAR: Final = -1.0


@dataclass(slots=True)
class Lasting:
    """levels: dB of the chunks with the sound. peak: log-odds at its clearest. low, faint: how many of the newest
    chunks were quiet, and without the tag. known: somebody spoke of it as there, or it was heard."""

    levels: deque[float] = field(default_factory=lambda: deque(maxlen=MEMORY))
    peak: float = HEARD
    low: int = 0
    faint: int = 0
    known: bool = False

    def hear(self, odds: float, level_db: float, speaking: bool) -> None:
        """The next chunk: log-odds of what is spoken of, level, and whether somebody speaks in it."""
        self.peak = max(self.peak, odds)
        self.known = self.known or odds > HEARD
        self.faint = self.faint + 1 if odds < self.peak - STOPPED else 0
        if speaking:
            self.low = 0
        elif self.levels and level_db < median(self.levels) - STEP_DB and odds < HEARD:
            self.low += 1
        else:
            self.low = 0
            self.levels.append(level_db)

    def begin(self, spoken: bool) -> None:
        """Something else is waited for. Where somebody speaks of it now it sounds, if the room is loud: what was much
        quieter than the newest chunks was before it."""
        loud = max(list(self.levels)[-4:], default=0.0)
        self.levels = deque((x for x in self.levels if x > loud - STEP_DB), maxlen=MEMORY)
        self.peak, self.low, self.faint, self.known = HEARD, 0, 0, spoken and bool(self.levels) and loud > LOUD_DB

    def gone(self, chunks: int) -> bool:
        """Whether it has been over for so many chunks."""
        return (self.known and self.low >= chunks) or (self.peak >= CLEAR and self.faint >= FAINT)

    def there(self, chunks: int) -> bool:
        """Whether it goes on, as far as one can tell."""
        return self.known and not self.gone(chunks)

    def again(self) -> None:
        """Its end was told of; it may come once more, and is then to be heard first."""
        self.levels.clear()
        self.peak, self.low, self.faint, self.known = HEARD, 0, 0, False

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {
            "levels": list(self.levels),
            "peak": self.peak,
            "low": self.low,
            "faint": self.faint,
            "known": self.known,
        }

    @staticmethod
    def restore(saved: dict[str, Any]) -> Lasting:
        """As it was."""
        return Lasting(
            deque(saved["levels"], maxlen=MEMORY), saved["peak"], saved["low"], saved["faint"], saved["known"]
        )
