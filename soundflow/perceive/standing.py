"""What somebody has asked to be told of by voice: "tell me when you hear a dog" ... "never mind the dog".

The LALM reads the words and decides; this only says which sound tags they point at, so that these tags can be made
plain to it (soundflow/perceive/projector.py) and count as evidence (soundflow/decide/evidence.py). Words, no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from soundflow.perceive.asked import asked_tags
from soundflow.types import FloatArray

_DROP: Final = re.compile(
    r"\b(stop (listening|telling|watching|reporting|counting)|never ?mind|forget (it|that|about)|cancel|ignore|"
    r"no more (messages|alerts|reports)|not any ?more|any ?more\W*$|leave (it|out)|stay quiet|"
    r"(do not|don'?t) (have to )?(tell|want|need|listen|report))\b",
    re.IGNORECASE,
)
_ASK: Final = re.compile(
    r"\b(tell me|let me know|listen|watch out|look out|keep an ear|keep count|warn me|alert me|notify|report|say "
    r"(so|some ?thing|how|in)|check|wait(ing)? for|count|whenever|every ?time|each time|"
    r"(if|when|once|as soon as) (you|there|i)|want to know)\b",
    re.IGNORECASE,
)
_CHANGE: Final = re.compile(
    r"\b(instead|switch to|make that|i meant|actually|changed my mind|not that|now)\b", re.IGNORECASE
)


_EACH: Final = re.compile(
    r"\b(every|each|whenever|count|how (many|often)|again|sound by sound|all (the )?sounds|narrate|describe)\b",
    re.IGNORECASE,
)


class Standing:
    """The tags that the instruction and the last spoken request name.

    Args:
        instruction: of the session; its tags stay.
        labels: the sound encoder's.
    """

    def __init__(self, instruction: str, labels: Sequence[str]) -> None:
        self._labels = labels
        self._given, self._given_wanted = asked_tags(instruction, labels), _wanted(instruction, labels)
        self._spoken = np.zeros_like(self._given)
        self._given_each, self._spoken_each = bool(_EACH.search(instruction)), False

    @property
    def tags(self) -> FloatArray:
        """[len(labels)] of 1 for each tag that is asked for now, else 0."""
        return np.maximum(self._given, self._spoken)

    @property
    def wanted(self) -> FloatArray:
        """[len(labels)] of 1 for those of `tags` that somebody asks to be told of: "transcribe the speech" names speech
        and does not wait for it."""
        return np.maximum(self._given_wanted, self._spoken)

    @property
    def each(self) -> bool:
        """Whether what is asked for is to be told each time it comes."""
        return self._given_each or self._spoken_each

    def hear(self, text: str) -> bool:
        """Take a closed utterance -> whether what is asked for by voice has changed.

        A request replaces the one before. Clauses that take something back do not ask: "forget that, watch out for a
        cat" asks for a cat.
        """
        kept = " ".join(_asking(text))
        named = asked_tags(kept, self._labels)
        asks = bool(_ASK.search(kept)) or (bool(self._spoken.any()) and bool(_CHANGE.search(kept)))
        if asks and named.any():
            found, each = named, bool(_EACH.search(kept))
        elif _DROP.search(text):
            found, each = np.zeros_like(self._given), False
        else:
            return False
        changed = each != self._spoken_each or not np.array_equal(found, self._spoken)
        self._spoken, self._spoken_each = found, each
        return changed

    def snapshot(self) -> dict[str, Any]:
        return {"spoken": self._spoken.copy(), "each": self._spoken_each}

    def restore(self, saved: dict[str, Any]) -> None:
        self._spoken, self._spoken_each = saved["spoken"].copy(), saved["each"]


def _asking(text: str) -> list[str]:
    """Its clauses that take nothing back."""
    return [c for c in re.split(r"[,;.!?]", text) if not _DROP.search(c)]


def _wanted(instruction: str, labels: Sequence[str]) -> FloatArray:
    """The tags named in an instruction that asks to be told of something."""
    kept = _asking(instruction)
    return asked_tags(" ".join(kept) if any(_ASK.search(c) for c in kept) else "", labels)
