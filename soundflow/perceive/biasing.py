"""Contextual biasing: phrases that are likely to be said make the recogniser's next tokens a little likelier.

Shallow fusion with a list of phrases (Zhao et al. 2019, "Shallow-Fusion End-to-End Contextual Biasing"), for greedy
decoding: a token that opens a phrase gets a bonus in log-odds, one that goes on with a phrase begun another one.
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

Next = Mapping[tuple[int, ...], NDArray[np.intp]]


class Bias:
    """Phrases as tokens of one recogniser. Never changes, so that any number of streams may share it.

    Args:
        phrases: token ids of each; the first `most` count, the first LONGEST tokens of each.
        opens, goes_on: log-odds, above.
        words: as whole utterances; they are believed where anything else would be doubted.
        beside: others that count as well, with their own log-odds; of a token's the largest counts, once.
    """

    def __init__(
        self,
        phrases: Iterable[Sequence[int]],
        opens: float = OPENS,
        goes_on: float = GOES_ON,
        words: Iterable[str] = (),
        beside: Bias | None = None,
        most: int = MOST_PHRASES,
    ) -> None:
        found: dict[tuple[int, ...], set[int]] = {}
        for phrase in islice(phrases, most):
            ids = tuple(phrase)[:LONGEST]
            for k, token in enumerate(ids):
                found.setdefault(ids[:k], set()).add(token)
        behind: Next = {begun: np.array(sorted(tokens), dtype=np.intp) for begun, tokens in found.items()}
        mine = [(behind, opens, goes_on)] if behind else []
        self._groups: Sequence[tuple[Next, float, float]] = [*mine, *(beside._groups if beside else ())]
        self._longest = max((len(begun) for behind, *_ in self._groups for begun in behind), default=0)
        self.words = frozenset(words)

    def __deepcopy__(self, _: dict[int, Any]) -> Bias:
        return self

    def raised(self, ids: Sequence[int], logits: FloatArray) -> FloatArray:
        """A copy of logits [V] of the token behind `ids` with the bonus."""
        if not self._groups:
            return logits
        bonus = np.zeros_like(logits)
        begun = [tuple(ids[-k:]) for k in range(1, min(self._longest, len(ids)) + 1)]
        for behind, opens, goes_on in self._groups:
            bonus[behind[()]] = np.maximum(bonus[behind[()]], opens)
            for tail in begun:
                if (tokens := behind.get(tail)) is not None:
                    bonus[tokens] = np.maximum(bonus[tokens], goes_on)
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
