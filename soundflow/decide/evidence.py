"""What the sound tags alone say about answering, added to the LALM's logit of <speak>.

The LALM knows context and the encoder's embedding; the highest tag that alerts (or that the instruction names) is a
plain second opinion. Late fusion in log-odds is a product of experts (Hinton 2002); its weight is fitted with the dial.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from soundflow.perceive.labels import ALERTING
from soundflow.types import FloatArray

NEUTRAL: Final = 0.1
"""Tag probability that says nothing either way."""
FLOOR, CEILING = 0.01, 0.998
MEMORY: Final = 2
"""Chunks whose highest tag counts: a decision comes up to a chunk behind the sound."""


class Evidence:
    """Bias of <speak> from the newest tags, for one instruction.

    Args:
        labels: the sound encoder's, in the order of the tags.
        weight: of the evidence; 0 leaves the LALM alone.
        instruction: one that names no sound may change what is to be answered, and is left to the LALM.
        asked: [tags] of 0 and 1, `soundflow.perceive.asked.asked_tags` of the instruction.
    """

    def __init__(self, labels: Sequence[str], weight: float, instruction: str, asked: FloatArray) -> None:
        alerting = {tag for tags in ALERTING.values() for tag in tags}
        self._columns = np.array([i for i, x in enumerate(labels) if x in alerting or asked[i] > 0], dtype=np.intp)
        silent = bool(instruction) and not asked.any()
        self._weight = 0.0 if silent or not len(self._columns) else weight

    def bias(self, tags: Sequence[FloatArray]) -> float:
        """Log-odds for answering, from the tags [521] of the last chunks, newest last; 0 without any."""
        newest = list(tags)[-MEMORY:]
        if not self._weight or not newest:
            return 0.0
        best = max(float(t[self._columns].max()) for t in newest)
        p = min(max(best, FLOOR), CEILING)
        return self._weight * (float(np.log(p / (1 - p))) - float(np.log(NEUTRAL / (1 - NEUTRAL))))
