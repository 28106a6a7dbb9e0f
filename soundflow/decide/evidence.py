"""What the sound alone says about answering, added to the LALM's logit of <speak>.

The LALM knows context and the encoder's embedding; the highest tag that alerts (or that the instruction names) is a
plain second opinion, the alert branch (`soundflow.perceive.alert`) a third. Late fusion in log-odds is a product of
experts (Hinton 2002).

Whether it is the sound that somebody waits for is another question than whether a sound alerts, and the LALM hardly
knows (alone it tells "tell me when you hear X" from another sound by chance, `training/RUNS.md`): there the tags of X
have a say of their own, and the larger of the two counts.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from statistics import fmean
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soundflow.decide.policy import Calibration
from soundflow.decide.waited import MEMORY, Waited, log_odds
from soundflow.perceive.labels import ALERTING
from soundflow.types import FloatArray

NEUTRAL: Final = 0.1
"""Probability of the highest of sixty tags that says nothing either way."""
BRANCH_MEMORY: Final = 3
"""Chunks whose mean is the branch's say: what is no alert looks like one now and then, but seldom for 1.2 s."""


class Evidence:
    """Bias of <speak> from the newest tags and the alert branch, for one instruction.

    Args:
        labels: the sound encoder's, in the order of the tags.
        fit: has the weights of tags, branch and what is waited for. With all at 0 the LALM is left alone.
        instruction: one that names no sound may change what is to be answered, and is left to the LALM.
        asked: [tags] of 0 and 1, those that the instruction or a spoken request names
            (`soundflow.perceive.standing.Standing.tags`). `unasked`: there is neither.
        wanted: [tags] of these, those that it asks to be told of (`Standing.wanted`).
        headed: labels that have a head of their own.
    """

    def __init__(
        self,
        labels: Sequence[str],
        fit: Calibration,
        instruction: str,
        asked: FloatArray,
        wanted: FloatArray,
        headed: Collection[str] = (),
    ) -> None:
        alerting = {tag for tags in ALERTING.values() for tag in tags}
        self._alerting = np.array([i for i, x in enumerate(labels) if x in alerting], dtype=np.intp)
        self._asked, self._wanted = np.flatnonzero(asked > 0), np.flatnonzero(wanted > 0)
        self._told = np.union1d(self._alerting, self._asked)
        silent = bool(instruction) and not asked.any()
        self._weight = 0.0 if silent else fit.alert_weight
        self._branch_weight = 0.0 if silent else fit.branch_weight
        self.unasked = not instruction and not asked.any()
        self._wanted_weight = fit.wanted_weight if len(self._wanted) else 0.0
        self._wanted_neutral = log_odds(fit.wanted_neutral)
        self._likelier = np.array([i for i in self._wanted.tolist() if labels[i] in headed], np.intp)
        self._raise = math.exp(fit.wanted_prior)

    def likely(self, p: FloatArray) -> FloatArray:
        """Probabilities [521] of a chunk, those of the headed labels that are waited for raised by their prior."""
        if not len(self._likelier):
            return p
        raised, odds = p.copy(), p[self._likelier] * self._raise
        raised[self._likelier] = odds / (1 - p[self._likelier] + odds)
        return raised

    def wanted(self, tags: FloatArray) -> float:
        """The highest of the tags [521] of a chunk that are waited for, 0 where none is."""
        return float(tags[self._wanted].max()) if len(self._wanted) else 0.0

    def bias(
        self, tags: Sequence[FloatArray], alerts: Sequence[float], waited: Waited | None = None, doubt: float = 0.0
    ) -> float:
        """Log-odds for answering.

        The branch was not taught the sound that is asked for: there its say is the higher one of its own and the tag's.

        Args:
            tags, alerts: [521] and branch log-odds of the last chunks, newest last.
            waited: has heard `wanted` of every chunk. While its sound goes on, once told of, no named tag has a say.
            doubt: to take from the branch's say, where nothing is asked for (`soundflow.decide.familiar`).

        Returns:
            0 without any tags.
        """
        newest, heard = list(tags)[-MEMORY:], list(alerts)[-BRANCH_MEMORY:]
        if not newest:
            return 0.0
        goes_on = waited is not None and waited.goes_on
        columns, asked = (self._alerting, self._asked[:0]) if goes_on else (self._told, self._asked)
        found = 0.0
        if self._weight and len(columns):
            found += self._weight * (_odds(newest, columns) - log_odds(NEUTRAL))
        if self._branch_weight and heard:
            say = max(fmean(heard), _odds(newest, asked)) if len(asked) else fmean(heard) - doubt
            found += self._branch_weight * say
        if self._wanted_weight and waited and waited.heard:
            return max(found, self._wanted_weight * (log_odds(max(waited.heard)) - self._wanted_neutral))
        return found


def _odds(tags: Sequence[FloatArray], columns: NDArray[np.intp]) -> float:
    return log_odds(max(float(t[columns].max()) for t in tags))
