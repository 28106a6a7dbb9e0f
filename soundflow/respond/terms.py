"""On what terms a sound is waited for: its second time, its end, a look after some seconds; and in which words to tell.

"Tell me when you hear a bell for the second time", "Tell me when the rain has stopped", "Is the music still there in
ten seconds?". A small language model cannot count chunks; the terms are read out of the request. Words, no model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from soundflow.respond.spoken_numbers import spelled, spoken_numbers

LONGEST_S: Final = 86_400.0
_TIMES: Final = (
    (
        2,
        r"\b(second|2nd) time\b|\b(hear|heard|count)\b(?:(?!\bnot\b|n't)[^.;!?])*\b(twice|(two|2) times)\b|"
        r"\bagain after the first\b|\breport the second\b",
    ),
    (3, r"\b(third|3rd) time\b|\b(hear|heard|count)\b(?:(?!\bnot\b|n't)[^.;!?])*\b(three|3) times\b"),
)
_SO_FAR: Final = re.compile(r"\bhow (many|often)\b", re.I)
_ENDS: Final = re.compile(
    r"\b(when|once|as soon as|moment|until|if|after)\b[^.;!?]{0,60}?\b((has|have|had) (stopped|ended|finished|gone)|"
    r"stops|ends|(is|are) (over|gone|finished|done)|goes (away|quiet|silent))\b|"
    r"\b(when|once|as soon as|moment|until|if)\b[^.;!?]{0,20}\b(can ?not|can'?t|can no longer|no longer|"
    r"(do|does) not|don'?t|doesn'?t) hear\b",
    re.I,
)
_STILL: Final = re.compile(
    r"\bstill\b|\bwhether\b|\bthere or gone\b|\bgone or\b|\bis (it|the|there)\b|\bwhat has become\b|"
    r"\bfor \w+ more (seconds|minutes)\b|\b(not|n't) gone\b",
    re.I,
)
_IF: Final = re.compile(r"\b(if|should|only if)\b", re.I)
_CALLED: Final = (
    r"\b(?:is|if|whether|when|once|as soon as|the moment|hear|on|to|of)\s+(the [a-z' -]+?)\s+"
    r"(?:has|have|is|are|stops?|ends?|goes|still|there|can|any ?more|in|for|and)\b",
    r"\b(?:hear|become of|listen to|report on)\s+(the [a-z' -]+?)(?:\s+(?:any ?more|in|for|and|has|is)\b|\W*$)",
)


@dataclass(frozen=True, slots=True)
class Terms:
    """nth: of how many times the last is told, 0 for every time. ends: its end is told and not that it is there.
    after_s: seconds after which one looks whether it is there, 0 for none; then `only_if` it is, it is told. called:
    how the request calls it ("the rain"), "" where that is not known. counts: each is told by its number."""

    nth: int = 0
    ends: bool = False
    after_s: float = 0.0
    only_if: bool = False
    called: str = ""
    counts: bool = False


def terms(text: str) -> Terms:
    """The terms of a request for a sound; of one without any, `Terms()`."""
    after = seconds_of(text)
    called = next((m[1].strip().lower() for pattern in _CALLED if (m := re.search(pattern, text, re.I))), "")
    if 0 < after <= LONGEST_S and _STILL.search(text) and not re.search(r"\bwithin\b", text, re.I):
        only = bool(_IF.search(text)) and not re.search(r"\bwhether\b", text, re.I)
        return Terms(after_s=after, only_if=only, called=called)
    nth = next((n for n, pattern in _TIMES if re.search(pattern, text, re.I)), 0)
    if nth and not _SO_FAR.search(text):
        return Terms(nth=nth, called=called)
    if _ENDS.search(text) and not after:
        return Terms(ends=True, called=called)
    return Terms(counts=bool(_COUNTS.search(text)))


_COUNTED: Final = re.compile(
    r"\bhow (often|many times)\b.*\b(heard|erred|(did|have|has|had) (you|i|we|anybody|anyone) (ever )?hear)\b|"
    r"^\W*(\w+\W+)?(often|times) (did|have) you hear|\bthe count (for|of)\b",
    re.I,
)
_COUNTS: Final = re.compile(r"\bcount\b|\bhow (many|often)\b|\bnumber\b", re.I)


def seconds_of(text: str) -> float:
    """The first time that a text names, in seconds, 0 for none: "in five seconds", "for seven more minutes"; not "a
    second time"."""
    plain = re.sub(
        r"\bsecond time\b", "", re.sub(r"\bmore (?=(second|minute|hour)s)", "", text, flags=re.I), flags=re.I
    )
    return next((n.value * n.unit for n in spoken_numbers(plain) if n.unit), 0.0)


def time_said(name: str, nth: int) -> str:
    """That a sound has come for the nth time."""
    return f"I heard {name} for the {('first', 'second', 'third')[nth - 1]} time."


def asks_count(text: str) -> bool:
    """Whether somebody asks how often a sound was heard, up to now."""
    return bool(_COUNTED.search(text))


def counted_said(name: str, count: int) -> str:
    """How often a sound was heard."""
    if not count:
        return f"I have not heard {name}."
    times = {1: "once", 2: "twice"}.get(count, f"{' '.join(spelled(count))} times")
    return f"I heard {name} {times}."


def number_said(count: int) -> str:
    """How many there were."""
    return f"{' '.join(spelled(count)).capitalize()}."


def end_said(name: str) -> str:
    """That a sound is over."""
    return f"I do not hear {name} any more, {_it(name)} stopped."


def look_said(name: str, there: bool) -> str:
    """Whether a sound is still there."""
    return f"Yes, I still hear {name}." if there else f"No, I do not hear {name} any more."


def word_said(word: str) -> str:
    """That a word was said."""
    return f'I heard the word "{word}".'


def _it(name: str) -> str:
    return "they have" if name.endswith("s") and not name.endswith("ss") else "it has"
