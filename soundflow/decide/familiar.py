"""How much what is heard is like what was heard just before: the wind, a road and the wipers go on, an alarm begins.

A gust or a passing car is a blast or a siren to the alert branch for a second, while to the encoder the sound stays
what it was. Of alerting sounds of the dial's quarter the least cosine of three chunks is over 0.7 for one in eight at
20 dB over the background, one in ten at 10 dB, one in five at 0 dB, and mostly by little; ambience of train at its most
alarming is over it by enough for two thirds of MOST (training/RUNS.md). No torch, no clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import numpy as np

from soundflow.decide.likeness import unit
from soundflow.types import FloatArray

NEWEST: Final = 3
"""Chunks of which the one that is least like the room counts; the branch's say is of as many."""
BEFORE: Final = 25
"""Chunks (10 s) before them whose mean is the room; at least KNOWN of them."""
KNOWN: Final = 4
LIKE: Final = 0.7
"""Cosine from which on it is taken as the same, more surely by STEEP log-odds for 1, at most MOST."""
STEEP: Final = 20.0
MOST: Final = 3.0
LOOKED_BACK: Final = 24
"""Chunks; a sound that is looked at once more as a whole lasts 12 and a little."""


@dataclass(slots=True)
class Familiar:
    """heard: sound embeddings of the last chunks [D]. doubts: end of a chunk, and how like what was before it was."""

    heard: deque[FloatArray] = field(default_factory=lambda: deque(maxlen=NEWEST + BEFORE))
    doubts: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=LOOKED_BACK))

    def hear(self, sound: FloatArray, end: int = 0) -> float:
        """The embedding [D] of the next chunk, which ends at sample `end` -> `doubt`."""
        self.heard.append(sound.astype(np.float16))
        self.doubts.append((end, self._newest()))
        return self.doubt

    @property
    def doubt(self) -> float:
        """Log-odds that speak against an alert: the least of the NEWEST chunks, as a shot is over in one of them."""
        newest = len(self.doubts) - NEWEST
        return min((doubt for _, doubt in islice(self.doubts, max(newest, 0), None)), default=0.0)

    def least(self, since: int) -> float:
        """The least of them since a sample, 0 where that is longer ago: how like the room the sound was, all in all."""
        return min((doubt for end, doubt in self.doubts if end > since), default=0.0)

    def _newest(self) -> float:
        if len(self.heard) < NEWEST + KNOWN:
            return 0.0
        before = np.stack(self.heard)[:-NEWEST].astype(np.float32).mean(axis=0)
        cosine = float(unit(self.heard[-1].astype(np.float32)) @ unit(before))
        return min(max((cosine - LIKE) * STEEP, 0.0), MOST)

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"heard": list(self.heard), "doubts": list(self.doubts)}

    @staticmethod
    def restore(saved: dict[str, Any]) -> Familiar:
        """As it was."""
        return Familiar(deque(saved["heard"], maxlen=NEWEST + BEFORE), deque(saved["doubts"], maxlen=LOOKED_BACK))
