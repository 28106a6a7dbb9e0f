"""Questions about what was told, answered with what was said: "Where are my keys?".

A small language model makes names and numbers up once a few turns lie between. What was said is written down, so the
sentence that a question is about is looked up and quoted: "I noted: My keys are in the hall." Questions that no
sentence fits are left to the LALM. Words, no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from soundflow.clock import samples
from soundflow.types import Note

PAUSE_S: Final = 120.0
"""A conversation ends with a longer pause; places ("the second thing") are counted in the newest one."""
ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

_ASKS: Final = re.compile(
    r"\b(what|which|when|where|who|whose|how)\b|\b(do you (remember|know)|(tell|remind) me|name|say)\b", re.I
)
_LATER: Final = re.compile(
    r"\b(tell|warn|alert|remind) (me|us)\b.*\b(when|if|whenever|once|as soon as)\b(?!.*\b(is|are|was|were)\W*$)", re.I
)
_MINE: Final = re.compile(r"\b(my|our|mine|ours|i|we)\b", re.I)
_SAYING: Final = "(say|said|tell|told|name|named|mention|mentioned)"
_TOLD: Final = re.compile(rf"\b(did|have|had|that) i (\w+ )?{_SAYING}\b|\bi (just )?{_SAYING}\b", re.I)
_QUESTION: Final = re.compile(
    r"\?\s*$|^(what|which|when|where|who|whose|why|how|do|does|did|is|are|was|were|can|could|will|would|shall|should|"
    r"have you|has|had|tell me|remind me)\b",
    re.I,
)
_PLACE: Final = re.compile(rf"\b({'|'.join(ORDINALS)}|last)\b", re.I)
_LISTED: Final = re.compile(
    rf"\bthe ({'|'.join(ORDINALS)}|last) (thing|one|word|task|guest|item|place|name|person)\b", re.I
)
_COMMON: Final = frozenset(
    re.findall(
        r"[a-z']+",
        """a an the my our your his her its their i we you he she it they me us mine ours this that these those of in
        on at to for with from by and or but so as than then is are was were am be been do does did have has had will
        would can could shall should may might must what which when where who whose why how say said tell told name
        named mention mentioned ask asked remember know remind please just now again there here not no yes one thing
        things last it's i'm what's where's who's when's zero two three four five six seven eight nine ten
        eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty
        seventy eighty ninety hundred""",
    )
) | frozenset(ORDINALS)
_ATTRIBUTES: Final = frozenset(
    re.findall(
        r"\w+",
        """called colour color number city town country day date time place room price cost age old much many euro
        euros dollar dollars pound pounds live lives favourite favorite best like most kind food plan idea new year want
        make put leave left need buy get keep word""",
    )
)
"""What a question asks for: the sentence that answers it need not hold the word."""


def told(asked: str, notes: Sequence[Note], now: int) -> str:
    """The answer to a question about what somebody said before; "" where `asked` is none, or nothing fits.

    Args:
        notes: of sounds, and of what was said (in quotes), oldest first.
        now: sample of the question.
    """
    asked = asked.strip()
    if not _ASKS.search(asked) or _LATER.search(asked):
        return ""
    said = [(n.sample, n.text.strip('"')) for n in notes if n.text.startswith('"')]
    statements = [(at, text) for at, text in said if not _QUESTION.search(text)]
    if not statements:
        return ""
    if (place := _PLACE.search(asked)) and (_MINE.search(asked) or _LISTED.search(asked)):
        newest = _newest(statements, [at for at, _ in said], now)
        return _quoted(_by_place(asked, place[1].lower(), newest))
    return _quoted(_about(asked, [text for _, text in statements]))


def _about(asked: str, statements: Sequence[str]) -> str:
    """The newest of the statements that hold most of what the question is about."""
    words = _words(asked)
    keys = words - _COMMON - _ATTRIBUTES or (words & _ATTRIBUTES if _MINE.search(asked) else set())
    if not keys:
        return statements[-1] if _TOLD.search(asked) and not words - _COMMON - _ATTRIBUTES else ""
    least = 0.5 if _MINE.search(asked) else 1.0
    best, found = (least, 0, 0), ""
    for text in statements:
        here = _words(text)
        score = len(keys & here) / len(keys), len(_pairs(asked) & _pairs(text)), len(words & here & _ATTRIBUTES)
        if keys & here and score >= best:
            best, found = score, text
    return found


def _by_place(asked: str, place: str, statements: Sequence[str]) -> str:
    """The statement at that place: among short ones where a word is asked for, else among those that the question's
    own words fit, else among all."""
    keys = _words(asked) - _COMMON - _ATTRIBUTES
    if " word" in asked.lower():
        chosen = [text for text in statements if len(text.split()) <= 2]
    else:
        chosen = [text for text in statements if keys & _words(text)] or list(statements)
    k = len(chosen) - 1 if place == "last" else ORDINALS.index(place)
    return chosen[k] if len(chosen) > 1 and k < len(chosen) else ""


def _newest(statements: Sequence[tuple[int, str]], said: Sequence[int], now: int) -> list[str]:
    """Those of the newest conversation. `said`: samples of all that was said."""
    since = now
    for at in reversed(said):
        if since - at > samples(PAUSE_S):
            break
        since = at
    return [text for at, text in statements if at >= since]


def _quoted(text: str) -> str:
    if not text:
        return ""
    text = text.strip()
    return f"I noted: {text[0].upper()}{text[1:]}{'' if text[-1] in '.!' else '.'}"


def _words(text: str) -> set[str]:
    return {_stem(word) for word in re.findall(r"[a-z0-9']+", text.lower())}


def _pairs(text: str) -> set[tuple[str, str]]:
    words = [_stem(word) for word in re.findall(r"[a-z0-9']+", text.lower())]
    return set(pairwise(words))


def _stem(word: str) -> str:
    """Without the ending of a plural, a possessive or a third person."""
    word = word.removesuffix("'s")
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
