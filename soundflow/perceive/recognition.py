"""One recognition of the words channel: a pure function of the audio and of what is known before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from soundflow.perceive import agreement
from soundflow.perceive.biasing import Bias
from soundflow.perceive.expected import Expected
from soundflow.perceive.moonshine import Hypothesis, HypWord
from soundflow.types import FloatArray


class Recogniser(Protocol):
    """A recogniser whose result begins with the forced words; `draft` is a guess that only saves time."""

    def hear(
        self, samples: FloatArray, prefix: Sequence[int] = (), draft: Sequence[int] = (), bias: Bias | None = None
    ) -> Hypothesis: ...

    def bias(self, expected: Expected) -> Bias | None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """One recognition; a pure function of its fields. `cut` finds how many `printed` words lie in `samples` first.

    `context` are the words of an earlier segment at the beginning of `samples`; the result is without them.
    """

    kind: Literal["open", "close", "cut"]
    samples: FloatArray
    context: tuple[HypWord, ...]
    printed: tuple[HypWord, ...]
    draft: tuple[int, ...]
    bias: Bias | None = None

    def run(self, recogniser: Recogniser) -> tuple[int, Hypothesis]:
        """How many printed words the audio holds, and the hypothesis that begins with them."""
        kept = len(self.printed)
        if not len(self.samples):  # the speech had stopped before the cut that began this segment
            return kept, Hypothesis(self.printed)
        if self.kind == "cut":
            free = recogniser.hear(
                self.samples, token_ids(self.context), (*token_ids(self.printed), *self.draft), self.bias
            )
            kept = agreement.words_before_cut(self.printed, free.words[len(self.context) :])
            if kept < len(self.printed):
                return kept, Hypothesis(self.printed[:kept])
        heard = recogniser.hear(self.samples, token_ids(self.context + self.printed), self.draft, self.bias)
        logprobs = heard.logprobs[len(token_ids(self.context)) :]
        return kept, replace(heard, words=heard.words[len(self.context) :], logprobs=logprobs)


def token_ids(words: Sequence[HypWord]) -> tuple[int, ...]:
    """The tokens that spell the words."""
    return tuple(i for word in words for i in word.ids)
