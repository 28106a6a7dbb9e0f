"""Questions about what was heard, answered from the notes: "did you hear the doorbell?", "what was before the siren?".

A small language model says yes to nearly every "did you hear ...?". What was heard is written down, so that such a
question is looked up, not guessed at. Questions that this does not understand are left to the LALM. Words, no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

import numpy as np

from soundflow.clock import samples, seconds
from soundflow.perceive.asked import asked_tags
from soundflow.perceive.labels import ALERTING, GENERIC, SPEECH, display_name, group_of
from soundflow.types import Note

MOST_LISTED: Final = 4
TOGETHER_S: Final = 2.5
NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_KINDS: Final = {display_name(k): frozenset(display_name(x) for x in kinds) for k, kinds in GENERIC.items()}

_ABOUT: Final = re.compile(
    r"\b(hear|heard|hearing|notice|noticed|sounds?|noises?|happen|happened|was that|miss)\b", re.I
)
_MADE: Final = re.compile(
    r"\b(did|has|had|have)\b.*\b(ring|rang|rung|go off|gone off|went off|bark|barked|cry|cried|knock|knocked|cough|"
    r"coughed|sneeze|sneezed|scream|screamed|shout|shouted|honk|honked|break|broken|explode|exploded)\b",
    re.I,
)
_YES_NO: Final = re.compile(r"\b(did|have|has|had|was there|were there|any)\b", re.I)
_BESIDE: Final = re.compile(r"\b(before|after|ahead of|prior to|following)\b\s+(?P<what>.+)$", re.I)
_BACK: Final = re.compile(rf"\b({'|'.join(NUMBERS[1:])}) questions? ago\b", re.I)
_FIRST: Final = re.compile(r"\bfirst\b", re.I)
_LAST: Final = re.compile(r"\b(last|latest|newest|most recent|just now|was that|just (hear|heard))\b", re.I)
_QUESTION: Final = re.compile(r"\b(question|asked|said|told)\b", re.I)
_WH: Final = re.compile(r"\b(what|which|when|how)\b", re.I)
_WHEN: Final = re.compile(r"\b(when|how long ago|what time)\b", re.I)
_HOW: Final = re.compile(r"\bhow (many|often|much|do|does|can|should|would|is|are)\b", re.I)
_LATER: Final = re.compile(
    r"\b(tell me|let me know|warn me|whenever|every time|if you|when you hear|as soon as)\b", re.I
)
_COMMON: Final = frozenset(
    re.findall(
        r"\w+",
        """he she they
        what which when where how who did does was were is are the a an my your our his her it its of in on at to for
        with and or before after question questions asked said told you i me we about have has had do that this much""",
    )
)
_OPEN: Final = (_COMMON - {"asked", "said", "told"}) | frozenset(
    re.findall(
        r"\w+",
        """hear heard notice noticed sound sounds noise noises happen happened miss missed so far just now today tonight
        last latest newest first most recent anything something everything tell there any all out while away gone thing
        things can could please remember been be""",
    )
)
"""A question of nothing but these words asks for whatever there was."""


def recall(asked: str, notes: Sequence[Note], now: int, labels: Sequence[str]) -> str:
    """The answer to a question about what was heard; "" where `asked` is none, or is not understood.

    Args:
        notes: of sounds, and of what was said (in quotes), oldest first.
        now: sample of the question.
        labels: of the sounds that can be named.
    """
    asked = asked.strip()
    if _LATER.search(asked) or not (_ABOUT.search(asked) or _MADE.search(asked)):
        return ""
    sounds = events([n for n in notes if not n.text.startswith('"')])
    said = [n for n in notes if n.text.startswith('"')]
    if (back := _BACK.search(asked)) and _WH.search(asked):
        return _back(NUMBERS.index(back[1].lower()), sounds, said)
    if (beside := _BESIDE.search(asked)) and _WH.search(asked):
        return _beside(beside, sounds, said, labels)
    if _HOW.search(asked):
        return ""
    if names := names_of(asked, labels):
        return _named(asked, names, sounds, now)
    if not sounds or _words(asked) - _OPEN or not (_WH.search(asked) or _YES_NO.search(asked)):
        return ""
    when = ", {}" if _WHEN.search(asked) else ""
    if _FIRST.search(asked):
        return f"The first sound that I noticed was {sounds[0].name}{when.format(ago(now - sounds[0].sample))}."
    if _LAST.search(asked):
        return f"I heard {sounds[-1].name}{when.format(ago(now - sounds[-1].sample))}."
    newest = list(dict.fromkeys(e.name for e in reversed(sounds)))[:MOST_LISTED]
    return f"I heard {_and(newest[::-1])}."


@dataclass(frozen=True, slots=True)
class Heard:
    """One sound under all `names` that it was given, the most telling first."""

    sample: int
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.names[0]


def events(sounds: Sequence[Note]) -> list[Heard]:
    """Notes that began together, or while a whole sound lasted, are of one sound. What it was as a whole says most of
    it, then a kind ("a duck"), then its class ("an animal")."""
    groups: list[list[Note]] = []
    for note in sounds:
        if groups and note.sample <= _end(groups[-1]):
            groups[-1].append(note)
        else:
            groups.append([note])
    found = []
    for group in groups:
        names = dict.fromkeys(n.text for n in sorted(group, key=lambda n: not n.until))
        whole = {n.text for n in group if n.until}
        by_class = sorted(
            names, key=lambda x: x not in whole and not (_KINDS.get(x, frozenset()) - {x}).isdisjoint(names)
        )
        found.append(Heard(group[0].sample, tuple(by_class)))
    return found


def _end(group: Sequence[Note]) -> int:
    """Last sample at which another note may begin that belongs to these."""
    return max(group[0].sample + samples(TOGETHER_S), *(n.until for n in group))


def names_of(text: str, labels: Sequence[str]) -> tuple[str, ...]:
    """How the sounds that `text` names are written down, what it says itself first: "a dog" is a dog barking, too."""
    found: dict[str, None] = {}
    text = text.replace("-", "")  # "door-bell"
    wanted = [labels[i] for i in np.flatnonzero(asked_tags(text, labels)).tolist() if labels[i] not in SPEECH]
    for label in sorted(wanted, key=len):
        found[display_name(label)] = None
    for label in wanted:
        group = group_of(label)
        for other in ALERTING[group] if group else GENERIC.get(label, ()):
            found[display_name(other)] = None
    return tuple(found)


def ago(count: int) -> str:
    """How long ago so many samples are, as one says it."""
    s = seconds(count)
    if s < 8:
        return "just now"
    if s < 50:
        return f"about {max(1, round(s / 10))}0 seconds ago"
    if s < 90:
        return "about a minute ago"
    if s < 3300:
        return f"about {round(s / 60)} minutes ago"
    return "about an hour ago" if s < 5400 else f"about {round(s / 3600)} hours ago"


def _named(asked: str, names: Sequence[str], sounds: Sequence[Heard], now: int) -> str:
    """Whether, or when, one of `names` was heard."""
    hits = [(e, name) for e in sounds for name in e.names if name in names]
    if not (_WHEN.search(asked) or _YES_NO.search(asked)):
        return ""
    yes, no = ("", "") if _WHEN.search(asked) else ("Yes, ", "No, ")
    if not hits:
        return f"{no}I have not noticed {names[0]}."
    last = hits[-1][0]
    name = next(name for e, name in hits if e is last)
    return f"{yes}I heard {name} {ago(now - last.sample)}."


def _back(count: int, sounds: Sequence[Heard], said: Sequence[Note]) -> str:
    """The sound before what was said so many utterances ago."""
    if not 0 < count <= len(said):
        return ""
    before = [e for e in sounds if e.sample < said[-count].sample]
    return f"I heard {before[-1].name} before that." if before else "I noticed nothing before that."


def _beside(asked: re.Match[str], sounds: Sequence[Heard], said: Sequence[Note], labels: Sequence[str]) -> str:
    """The sound next to another one, or to something that was said."""
    what, behind = asked["what"], asked[1].lower() in ("after", "following")
    names = () if _QUESTION.search(what) else names_of(what, labels)
    anchor: Heard | Note | None = _spoken(what, said)
    if names:
        anchor = next((e for e in reversed(sounds) if set(e.names) & set(names)), None)
        if anchor is None:
            return f"I have not noticed {names[0]}."
    if anchor is None:
        return ""
    others = [e for e in sounds if not set(e.names) & set(names) and (e.sample > anchor.sample) == behind]
    word = "after" if behind else "before"
    if not others:
        return f"I noticed nothing {word} that."
    return f"I heard {(others[0] if behind else others[-1]).name} {word} that."


def _spoken(what: str, said: Sequence[Note]) -> Note | None:
    """The newest of what was said that shares most words with `what`; with no words of its own, the newest."""
    if not _QUESTION.search(what):
        return None
    wanted = _words(what) - _COMMON - {"last", "previous"}
    if not wanted:
        return said[-1] if said else None
    best = max(reversed(said), key=lambda n: (len(wanted & _words(n.text)), _alike(what, n.text)), default=None)
    return best if best and wanted & _words(best.text) else None


def _alike(a: str, b: str) -> float:
    """0 to 1: what was misheard is still spelled alike."""
    return SequenceMatcher(None, a.lower(), b.lower(), autojunk=False).ratio()


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9']+", text.lower()))


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
