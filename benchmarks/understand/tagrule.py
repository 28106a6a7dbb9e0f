"""A rule without a language model: the option whose words overlap most with the tags (and words) that were heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.task_content import stem, words
from soundflow.types import FloatArray

AUDIBLE: Final = 0.1  # a tag counts as heard from here on, as in the model's own names of sounds
MOST_TAGS: Final = 12
_PLAIN = "a an the of and or in on by with from to is are was it sound sounds noise"
_EMPTY: Final = frozenset(_PLAIN.split())


def heard_tags(most: FloatArray, labels: Sequence[str]) -> dict[str, float]:
    """The `MOST_TAGS` strongest AudioSet labels of p >= `AUDIBLE`, `most` [521] being the highest p of each."""
    order = sorted(range(len(labels)), key=lambda i: (-float(most[i]), i))[:MOST_TAGS]
    return {labels[i]: round(float(most[i]), 4) for i in order if most[i] >= AUDIBLE}


def stems(text: str) -> frozenset[str]:
    """Stems of the words of an option or a label, without those that tell nothing."""
    return frozenset(stem(w) for w in words(text) if w not in _EMPTY)


def overlaps(choices: Sequence[str], tags: Mapping[str, float], said: str = "") -> list[float]:
    """For each choice c with stems S(c): sum over heard tags t of p(t) |S(c) & S(t)| / |S(c)|, and, with `said`,
    the share of S(c) that was said.
    """
    spoken, found = stems(said), []
    for choice in choices:
        own = stems(choice)
        total = sum(p * len(own & stems(tag)) for tag, p in tags.items()) + len(own & spoken)
        found.append(round(total / len(own), 6) if own else 0.0)
    return found
