"""A request for a sound that nothing is called, read as the nearest one: "tell me when you hear a reap".

A small recogniser hears "beep" as "reap", "beat" or "beak" and "breaking glass" as "great and glass", while the rest of
the request is understood. Only what is asked for is read anew, only where it is no name, and what it was read as is
said in the answer. Letters, no model: words are spelled by a few rules of English as they sound, and compared by edits,
of which some are half as wrong as others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from soundflow.perceive.asked import asked_tags
from soundflow.perceive.expected import SOUNDS

FARTHEST: Final = 0.34
"""Cost of the edits over the sounds of the longer one: one of three."""
_MORE: Final = ("breaking glass", "children playing", "screaming", "church bells", "thunderstorm", "low hum")
NAMES: Final = (*SOUNDS, *_MORE)
_OF_NAMES: Final = frozenset(word for name in NAMES for word in name.split())
_OBJECT: Final = re.compile(
    r"\b(?:hear|heard|listen(?:ing)? for|(?:watch|look)(?:ing)? out for|ear out for|waiting for|count for|"
    r"tell(?:ing)? me about|meant|make that|switch(?:ed)? to|counting)\s+((?:(?:a|an|some)\s+)?)((?:single )?)"
    r"(?!the\b)([a-z' -]+?)(?=\W*$|[,.;:!?]|\s+(?:please|instead|now|again|any ?more|let me|tell me|so far|twice|"
    r"for the|a second|a third|(?:\w+ )?times?|in \w+ (?:seconds?|minutes?)|and (?:tell|report|nothing)|has|have|is|"
    r"comes?|until|before|when|if)\b)",
    re.IGNORECASE,
)
_PLAIN_WORDS: Final = """
that this it them him her me you us what who which anything something everything nothing anybody somebody anyone someone
everybody everyone too sound sounds noise noises one ones my your his our their two three four ten
"""
_PLAIN: Final = frozenset(_PLAIN_WORDS.split())
"""Words that stand for no name, nor for one that was misheard."""
_SOUNDED: Final = (
    ("laugh", "laf"), ("cough", "kof"), ("sneeze", "sniz"), ("eigh", "e"), ("igh", "i"), ("gh", ""), ("ph", "f"),
    ("tch", "C"), ("ch", "C"), ("sh", "S"), ("th", "T"), ("ng", "N"), ("ck", "k"), ("qu", "kw"), ("wh", "w"),
    ("kn", "n"), ("wr", "r"), ("x", "ks"), ("ce", "se"), ("ci", "si"), ("cy", "sy"), ("c", "k"), ("q", "k"),
    ("ee", "i"), ("ea", "i"), ("ie", "i"), ("ei", "i"), ("oo", "u"), ("ou", "u"), ("ow", "u"), ("ew", "u"),
    ("ai", "e"), ("ay", "e"), ("oa", "o"), ("aw", "o"), ("au", "o"), ("y", "i"), ("z", "s"), ("j", "g"),
)  # fmt: skip
_VOWELS: Final = frozenset("aeiou")
_ALIKE: Final = tuple(map(frozenset, ("bpdtgk", "fvT", "sSC", "mnN", "lrw")))
VOWEL, ALIKE, LEFT_OUT = 0.4, 0.5, 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """text: with the name in the place of what was heard. name: with its article, "" where nothing was read anew."""

    text: str
    name: str = ""


def read(text: str, labels: Sequence[str]) -> Reading:
    """A closed utterance as it is to be understood; `labels` are those that names are known of."""
    found = _OBJECT.search(text)
    words = found[3].lower().split() if found else []
    name = nearest(found[3]) if found and not _PLAIN & set(words) else ""
    if not found or not name:
        return Reading(text)
    named = bool(asked_tags(found[3], labels).any())
    if named and (name.split()[-1] != words[-1] or all(_usual(word, labels) for word in words)):
        return Reading(text)
    article = found[1].strip().lower()
    article = article if article == "some" else "an" if name[0] in "aeiou" else "a"
    said = f"{article} {found[2]}{name}"
    return Reading(f"{text[: found.start(1)]}{said}{text[found.end(3) :]}", said)


def heard_as(text: str, labels: Sequence[str], heard: Collection[int]) -> list[int]:
    """Of the labels that were `heard`, the one whose name sounds most like what a text asks for, and others of that
    name; none where it asks for nothing, or none is near: "how often did you hear a duck?", where a dog was."""
    found = _OBJECT.search(text)
    called = {i: labels[i].split(",")[0].lower() for i in heard}
    name = nearest(found[3], set(called.values())) if found else ""
    return [i for i, own in called.items() if name and own == name]


def nearest(said: str, among: Collection[str] = NAMES) -> str:
    """The name that sounds most like these words, "" where none is within FARTHEST: none of another length is."""
    long = len(sounded(said))
    near = [x for x in among if abs(long - len(sounded(x))) * LEFT_OUT <= FARTHEST * max(long, len(sounded(x)), 1)]
    cost, name = min(((distance(said, x), x) for x in near), default=(1.0, ""))
    return name if cost <= FARTHEST else ""


def distance(a: str, b: str) -> float:
    """0 for what sounds alike to 1: the cost of edits over the length of the longer one."""
    one, other = sounded(a), sounded(b)
    row = [LEFT_OUT * k for k in range(len(other) + 1)]
    for i, x in enumerate(one, 1):
        last, row[0] = row[0], LEFT_OUT * i
        for j, y in enumerate(other, 1):
            last, row[j] = row[j], min(last + _swap(x, y), row[j] + LEFT_OUT, row[j - 1] + LEFT_OUT)
    return row[-1] / max(len(one), len(other), 1)


@lru_cache(2048)
def sounded(words: str) -> str:
    """Words as they sound, about: "knocking" is "nokiN"."""
    found = ""
    for word in re.findall(r"[a-z]+", words.lower()):
        spelled = word[:-1] if len(word) > 3 and word.endswith("e") else word
        for letters, sound in _SOUNDED:
            spelled = spelled.replace(letters, sound)
        found += re.sub(r"(.)\1+", r"\1", spelled)
    return found


def _swap(x: str, y: str) -> float:
    if x == y:
        return 0.0
    if x in _VOWELS and y in _VOWELS:
        return VOWEL
    return ALIKE if any(x in group and y in group for group in _ALIKE) else 1.0


def _usual(word: str, labels: Sequence[str]) -> bool:
    """Whether a word is one that names are made of."""
    return len(word) < 3 or word in _OF_NAMES or bool(asked_tags(word, labels).any())
