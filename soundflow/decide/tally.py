"""How often each sound was heard, for a question that comes afterwards: "how many times did you hear a dog?".

A small language model does not count: of 22 such questions of cal it said "twice" to most (training/RUNS.md). No torch,
no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from soundflow.decide.pause import log_odds
from soundflow.types import FloatArray

HEARD: Final = 0.07
"""Probability from which on a sound is there; this, STOPPED and OVER were chosen on those questions, as were the pauses
(`soundflow.decide.pause`) in which nothing is."""
STOPPED: Final = 2.0
"""Log-odds under its loudest at which it has stopped, if they are under OVER."""
OVER: Final = -1.0
MOST: Final = 1024
"""Times that are kept, of all labels together; some minutes in which something sounds all the time."""
REMEMBERED: Final = 256  # of them elsewhere


class Tally:
    """Of `size` labels. A label's time begins where it is heard and lasts until it has stopped."""

    def __init__(self, size: int) -> None:
        self._loudest = np.full(size, -np.inf, np.float32)  # of the time that goes on; -inf: none does
        self._since = np.zeros(size, np.int64)
        self._times: deque[tuple[int, int, int]] = deque(maxlen=MOST)  # begin, end, label

    def hear(self, p: FloatArray, now: int) -> None:
        """The probabilities [size] of the chunk that ends at sample `now`."""
        odds = log_odds(p)
        on = self._loudest > -np.inf
        self._loudest = np.where(on, np.maximum(self._loudest, odds), self._loudest).astype(np.float32)
        stopped = on & (odds < np.minimum(self._loudest - STOPPED, OVER))
        self._times.extend((int(self._since[i]), now, i) for i in np.flatnonzero(stopped).tolist())
        begins = ~on & (p >= HEARD)
        self._since[begins] = now
        self._loudest[begins], self._loudest[stopped] = odds[begins], -np.inf

    def count(self, labels: Sequence[int], until: int) -> int:
        """How often one of `labels` was heard up to sample `until`; times that overlap are one."""
        wanted = set(labels)
        times = [(a, b) for a, b, i in self._times if i in wanted]
        times += [(int(self._since[i]), until) for i in wanted if self._loudest[i] > -np.inf]
        found, over = 0, -1
        for begin, end in sorted(t for t in times if t[0] <= until):
            found += begin >= over
            over = max(over, end)
        return found

    def heard(self) -> set[int]:
        """The labels that were heard at all."""
        return {i for _, _, i in self._times} | set(np.flatnonzero(self._loudest > -np.inf).tolist())

    def memory(self) -> list[list[int]]:
        """JSON: the newest times."""
        return [list(time) for time in self._times][-REMEMBERED:]

    def recall(self, saved: Sequence[Sequence[int]]) -> None:
        """Count what `memory` says, too."""
        self._times.extend((int(a), int(b), int(i)) for a, b, i in saved)

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"loudest": self._loudest.copy(), "since": self._since.copy(), "times": list(self._times)}

    def restore(self, saved: dict[str, Any]) -> None:
        """As it was."""
        self._loudest, self._since = saved["loudest"].copy(), saved["since"].copy()
        self._times = deque(saved["times"], maxlen=MOST)
