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

from soundflow.perceive.names import display_name
from soundflow.types import FloatArray

_WORD: Final = re.compile(r"[a-z]+")
_IGNORED: Final = frozenset(
    {"a", "an", "the", "of", "or", "and", "in", "on", "to", "for", "with", "etc", "sound", "sounds", "noise", "run"}
    | {"high", "low", "mid", "heavy", "light", "medium", "frequency", "small", "large", "technique", "single", "some"}
)
_ENDINGS: Final = frozenset({"", "e", "s", "es", "y", "ies", "ed", "ing", "er", "ers", "ling", "le", "ter", "ening"})
_SYNONYMS: Final = {
    "phone": "telephone", "plane": "airplane", "kid": "child", "kids": "child", "children": "child",
    "laughing": "laughter", "laugh": "laughter", "screams": "screaming", "mew": "meow", "kitten": "cat",
    "puppy": "dog", "hen": "chicken", "thunderclap": "thunder", "shots": "gunshot", "shooting": "gunshot",
    "breaks": "breaking", "weeping": "crying", "cries": "cry", "footstep": "footsteps", "hoover": "vacuum",
}  # fmt: skip

_ALIASES: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    tuple(said.split()): labels
    for said, labels in {
        "busy tone": ("Busy signal", "Dial tone"),
        "busy signal": ("Busy signal", "Dial tone"),
        "dial tone": ("Dial tone",),
        "car horn": ("Vehicle horn, car horn, honking", "Toot"),
        "horn": ("Vehicle horn, car horn, honking", "Toot", "Air horn, truck horn"),
        "car engine": ("Engine", "Idling", "Accelerating, revving, vroom", "Medium engine (mid frequency)"),
        "car alarm": ("Car alarm", "Alarm"),
        "fire alarm": ("Fire alarm", "Smoke detector, smoke alarm", "Alarm"),
        "smoke alarm": ("Fire alarm", "Smoke detector, smoke alarm", "Alarm"),
        "smoke detector": ("Fire alarm", "Smoke detector, smoke alarm", "Alarm"),
        "fire engine": ("Fire engine, fire truck (siren)", "Siren"),
        "police car": ("Police car (siren)", "Siren"),
        "crow": ("Crow", "Caw"),
        "birdsong": ("Bird vocalization, bird call, bird song", "Bird"),
        "wind": ("Wind", "Wind noise (microphone)"),
        "kettle": ("Boiling",),
        "clanging metal": ("Clang",),
        "washing machine": (),
    }.items()
}
"""Labels of what the words of a label do not find, or of what they would find too much of. A longer one goes first."""


_ALONE: Final = {"baby": ("Baby cry, infant cry", "Crying, sobbing"), "child": ("Children playing",)}
"""What is meant where nothing else is named: "tell me when you hear the baby"."""


def asked_tags(instruction: str, labels: Sequence[str]) -> FloatArray:
    """[len(labels)] of 1 for each tag of which one name ("Chicken, rooster" has two) is in the instruction, else 0."""
    whole = _words(instruction)
    said, known = _aliased(whole)
    found = [label in known or _asked(label, said, whole) for label in labels]
    if not any(found):
        alone = {label for word in whole for label in _ALONE.get(word, ())}
        found = [label in alone for label in labels]
    return np.asarray(found, dtype=np.float32)


def _asked(label: str, said: list[str], whole: list[str]) -> bool:
    """Whether a name of the label is in the words that no alias has taken, or one of several words in all of them: a
    taught "tea kettle" is not any kettle."""
    return any(_named(name, said) or (len(name) > 1 and _named(name, whole)) for name in _names(label))


def _aliased(said: list[str]) -> tuple[list[str], set[str]]:
    """The words without those of aliases, and the labels of these."""
    known: set[str] = set()
    for alias in sorted(_ALIASES, key=len, reverse=True):
        n, k = len(alias), 0
        while k + n <= len(said):
            if all(_same(a, b) for a, b in zip(alias, said[k : k + n], strict=True)):
                known |= set(_ALIASES[alias])
                said = [*said[:k], *said[k + n :]]
            else:
                k += 1
    return said, known


_DIN: Final = "Cacophony"
"""A plain name that is the stem of another word, "dinner"."""


@lru_cache(1024)
def _names(label: str) -> tuple[tuple[str, ...], ...]:
    """The names of a tag, each as its words: parts between commas, the one in brackets apart, and its plain name."""
    parts = [*re.split(r"[,(]", label.lower()), *([display_name(label)] if label != _DIN else [])]
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
