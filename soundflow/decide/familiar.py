"""How much what is heard is like what was heard just before: the wind, a road and the wipers go on, an alarm begins.

A gust or a passing car is a blast or a siren to the alert branch for a second, while to the encoder the sound stays
what it was. Of alerting sounds of the dial's quarter the cosine is over 0.75 for one in ten at 20 dB and at 10 dB over
the background, for one in four at 0 dB; of wind and wipers that were alarms it was 0.8 to 0.99 (training/RUNS.md). No
torch, no clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from soundflow.decide.likeness import unit
from soundflow.types import FloatArray

NEWEST: Final = 3
"""Chunks whose mean is what is heard, as of the branch's say (`soundflow.decide.evidence`)."""
BEFORE: Final = 25
"""Chunks (10 s) before them whose mean is what was heard; at least KNOWN of them."""
KNOWN: Final = 4
LIKE: Final = 0.75
"""Cosine from which on it is taken as the same, more surely by STEEP log-odds for 1, at most MOST."""
STEEP: Final = 20.0
MOST: Final = 3.0


@dataclass(slots=True)
class Familiar:
    """heard: sound embeddings of the last chunks [D]."""

    heard: deque[FloatArray] = field(default_factory=lambda: deque(maxlen=NEWEST + BEFORE))

    def hear(self, sound: FloatArray) -> float:
        """The next chunk's embedding [D] -> log-odds that speak against an alert."""
        self.heard.append(sound.astype(np.float16))
        if len(self.heard) < NEWEST + KNOWN:
            return 0.0
        every = np.stack(self.heard).astype(np.float32)
        now, before = every[-NEWEST:].mean(axis=0), every[:-NEWEST].mean(axis=0)
        cosine = float(unit(now) @ unit(before))
        return min(max((cosine - LIKE) * STEEP, 0.0), MOST)

    def snapshot(self) -> list[Any]:
        """What `restore` needs."""
        return list(self.heard)

    @staticmethod
    def restore(saved: list[Any]) -> Familiar:
        """As it was."""
        return Familiar(deque(saved, maxlen=NEWEST + BEFORE))
