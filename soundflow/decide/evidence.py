"""What the sound alone says about answering, added to the LALM's logit of <speak>.

The LALM knows context and the encoder's embedding; the highest tag that alerts (or that the instruction names) is a
plain second opinion, the alert branch (`soundflow.perceive.alert`) a third. Late fusion in log-odds is a product of
experts (Hinton 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soundflow.perceive.labels import ALERTING
from soundflow.types import FloatArray

NEUTRAL: Final = 0.1
"""Tag probability that says nothing either way."""
FLOOR, CEILING = 0.01, 0.998
_NEUTRAL_ODDS: Final = float(np.log(NEUTRAL / (1 - NEUTRAL)))
MEMORY: Final = 2
"""Chunks whose highest tag counts: a decision comes up to a chunk behind the sound."""


class Evidence:
    """Bias of <speak> from the newest tags and the alert branch, for one instruction.

    Args:
        labels: the sound encoder's, in the order of the tags.
        weight: of the tags.
        branch_weight: of the alert branch. With both at 0 the LALM is left alone.
        instruction: one that names no sound may change what is to be answered, and is left to the LALM.
        asked: [tags] of 0 and 1, `soundflow.perceive.asked.asked_tags` of the instruction.
    """

    def __init__(
        self, labels: Sequence[str], weight: float, branch_weight: float, instruction: str, asked: FloatArray
    ) -> None:
        alerting = {tag for tags in ALERTING.values() for tag in tags}
        self._columns = np.array([i for i, x in enumerate(labels) if x in alerting or asked[i] > 0], dtype=np.intp)
        self._asked = np.flatnonzero(asked > 0)
        silent = bool(instruction) and not asked.any()
        self._weight = 0.0 if silent or not len(self._columns) else weight
        self._branch_weight = 0.0 if silent else branch_weight

    def bias(self, tags: Sequence[FloatArray], alerts: Sequence[float]) -> float:
        """Log-odds for answering, from tags [521] and branch log-odds of the last chunks, newest last; 0 without any.

        The branch was not taught the sound that is asked for: there its say is the higher one of its own and the tag's.
        """
        newest, heard = list(tags)[-MEMORY:], list(alerts)[-MEMORY:]
        if not newest:
            return 0.0
        found = 0.0
        if self._weight:
            found += self._weight * (_odds(newest, self._columns) - _NEUTRAL_ODDS)
        if self._branch_weight and heard:
            named = [_odds(newest, self._asked)] if len(self._asked) else []
            found += self._branch_weight * max([*heard, *named])
        return found


def _odds(tags: Sequence[FloatArray], columns: NDArray[np.intp]) -> float:
    p = np.clip(max(float(t[columns].max()) for t in tags), FLOOR, CEILING)
    return float(np.log(p / (1 - p)))
