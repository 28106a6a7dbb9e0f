"""Which sound tags an instruction names: "tell me when you hear church bells" -> "Church bell", "Bell".

Words are compared by their stems, so that a model need not learn 521 names to be told of one; what is asked for in
other words ("a cock crow") is left to the LALM. Names only, no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from soundflow.types import FloatArray

_WORD: Final = re.compile(r"[a-z]+")
_IGNORED: Final = frozenset(
    {"a", "an", "the", "of", "or", "and", "in", "on", "to", "for", "with", "etc", "sound", "sounds", "noise", "run"}
    | {"high", "low", "mid", "heavy", "light", "medium", "frequency", "small", "large", "instrument", "technique"}
)
_ENDINGS: Final = frozenset({"", "e", "s", "es", "y", "ies", "ed", "ing", "er", "ers", "ling", "le", "ter", "ening"})
_SYNONYMS: Final = {
    "phone": "telephone", "plane": "airplane", "kid": "child", "kids": "child", "children": "child",
    "laughing": "laughter", "laugh": "laughter", "screams": "screaming", "mew": "meow", "kitten": "cat",
    "puppy": "dog", "hen": "chicken", "thunderclap": "thunder", "shots": "gunshot", "shooting": "gunshot",
    "breaks": "breaking", "weeping": "crying", "footstep": "footsteps", "hoover": "vacuum",
}  # fmt: skip


def asked_tags(instruction: str, labels: Sequence[str]) -> FloatArray:
    """[len(labels)] of 1 for each tag of which one name ("Chicken, rooster" has two) is in the instruction, else 0."""
    if not (said := _words(instruction)):
        return np.zeros(len(labels), np.float32)
    found = [any(_named(name, said) for name in _names(label)) for label in labels]
    return np.asarray(found, dtype=np.float32)


@lru_cache(1024)
def _names(label: str) -> tuple[tuple[str, ...], ...]:
    """The names of a tag, each as its words: parts between commas, the one in brackets apart."""
    parts = re.split(r"[,(]", label.lower())
    return tuple(tuple(words) for part in parts if (words := _words(part)))


def _words(text: str) -> list[str]:
    found = [w for w in _WORD.findall(text.lower()) if w not in _IGNORED]
    return [_SYNONYMS.get(w, w) for w in found]


def _named(name: Sequence[str], said: Sequence[str]) -> bool:
    return all(any(_same(word, other) for other in said) for word in name)


def _same(a: str, b: str) -> bool:
    """Whether two words differ in their ending alone ("crackle", "crackling"; "clap", "clapping")."""
    if a == b:
        return True
    common = 0
    while common < min(len(a), len(b)) and a[common] == b[common]:
        common += 1
    if common < max(3, min(len(a), len(b)) - 2):
        return False
    last = a[common - 1]
    return all(rest in _ENDINGS or rest.removeprefix(last) in {"ing", "ed", "er"} for rest in (a[common:], b[common:]))
