"""Contextual biasing: phrases that are likely to be said make the recogniser's next tokens a little likelier.

Shallow fusion with a list of phrases (Zhao et al. 2019, "Shallow-Fusion End-to-End Contextual Biasing"), for greedy
decoding: a token that opens a phrase gets `OPENS` in log-odds, one that goes on with a phrase begun gets `GOES_ON`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from soundflow.types import FloatArray

OPENS, GOES_ON = 3.0, 4.0
MOST_PHRASES: Final = 512
"""Phrases behind these are not helped."""
LONGEST: Final = 16  # tokens of a phrase


class Bias:
    """Phrases as tokens of one recogniser. Never changes, so that any number of streams may share it.

    Args:
        phrases: token ids of each; the first MOST_PHRASES count, the first LONGEST tokens of each.
    """

    def __init__(self, phrases: Iterable[Sequence[int]]) -> None:
        found: dict[tuple[int, ...], set[int]] = {}
        for phrase in islice(phrases, MOST_PHRASES):
            ids = tuple(phrase)[:LONGEST]
            for k, token in enumerate(ids):
                found.setdefault(ids[:k], set()).add(token)
        self._next: Mapping[tuple[int, ...], NDArray[np.intp]] = {
            begun: np.array(sorted(tokens), dtype=np.intp) for begun, tokens in found.items()
        }
        self._longest = max((len(begun) for begun in found), default=0)

    def __deepcopy__(self, _: dict[int, Any]) -> Bias:
        return self

    def raised(self, ids: Sequence[int], logits: FloatArray) -> FloatArray:
        """A copy of logits [V] of the token behind `ids` with the bonus; a token gets the larger one, once."""
        if not self._next:
            return logits
        bonus = np.zeros_like(logits)
        bonus[self._next[()]] = OPENS
        for k in range(1, min(self._longest, len(ids)) + 1):
            tokens = self._next.get(tuple(ids[-k:]))
            if tokens is not None:
                bonus[tokens] = GOES_ON
        return logits + bonus


def pair_merged(text: str, ids: Mapping[bytes, int]) -> list[int]:
    """Token ids of a phrase: byte-pair merges, the pair with the lowest id first (SentencePiece numbers them by rank).

    Args:
        text: words between spaces; each begins with the tokens' space mark.
        ids: token -> id.

    Returns: empty where a character is no token.
    """
    parts = [c.encode() for c in "▁" + "▁".join(text.split())]
    while True:
        pairs = [(ids.get(a + b), k) for k, (a, b) in enumerate(pairwise(parts))]
        known = [(token, k) for token, k in pairs if token is not None]
        if not known:
            break
        k = min(known)[1]
        parts[k : k + 2] = [parts[k] + parts[k + 1]]
    found = [ids.get(p) for p in parts]
    return [] if None in found else [i for i in found if i is not None]
