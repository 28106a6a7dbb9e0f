"""A sound that somebody waits for, as it comes and goes: told of once, it has no say until it has stopped."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

FLOOR, CEILING = 0.01, 0.998
MEMORY: Final = 2
"""Chunks whose highest tag counts: a decision comes up to a chunk behind the sound."""
HEARD: Final = 0.05
"""Probability from which on what was just told of may have been what is waited for."""
STOPPED: Final = 3.0
"""Log-odds under its loudest at which a sound has stopped: a barking dog draws breath, and its tag with it."""
OVER: Final = -2.0
"""Log-odds that it has to fall under for that, too: a tag that is sure of itself falls far before its sound is over."""


def log_odds(p: float) -> float:
    """Of a probability, which is taken as at least FLOOR and at most CEILING."""
    p = min(max(p, FLOOR), CEILING)
    return math.log(p / (1 - p))


@dataclass(slots=True)
class Waited:
    """heard: the tag's probability in the newest chunks that count. loudest: log-odds since it was told of, None where
    it may be told of."""

    heard: deque[float] = field(default_factory=lambda: deque(maxlen=MEMORY))
    loudest: float | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it was told of and has not stopped since."""
        return self.loudest is not None

    def hear(self, p: float) -> None:
        """The highest probability of what is waited for, of the next chunk."""
        if self.loudest is not None:
            self.loudest = max(self.loudest, log_odds(p))
            if log_odds(p) > min(self.loudest - STOPPED, OVER):
                return
            self.loudest = None
        self.heard.append(p)

    def told(self) -> None:
        """Something has just been told of: this, where it is heard."""
        if max(self.heard, default=0.0) >= HEARD:
            self.loudest = log_odds(max(self.heard))
            self.heard.clear()

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"heard": list(self.heard), "loudest": self.loudest}

    @staticmethod
    def restore(saved: dict[str, Any]) -> Waited:
        """As it was."""
        return Waited(deque(saved["heard"], maxlen=MEMORY), saved["loudest"])
