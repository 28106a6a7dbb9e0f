"""From growing hypotheses to words: what was said in the end, when each word came, and what was taken back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from soundflow.events import Event, ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted, Transcript

BY_CHARACTER: Final = ("zh", "ja", "yue", "th", "lo", "my")
Said = list[Any]
"""[push at whose end it came, final, stable words, text, seconds at which each word ended or null]."""

_MARKS = re.compile(r"[\W_]+")


def by_character(language: str) -> bool:
    """Whether a language is written without spaces: its characters are counted in place of words."""
    return language.lower().partition("-")[0] in BY_CHARACTER


def units(text: str, characters: bool = False) -> list[str]:
    """Words, or characters without spaces."""
    return [c for c in text if not c.isspace()] if characters else text.split()


def folded(word: str) -> str:
    """A word without case, marks and spaces, for telling whether it changed."""
    return _MARKS.sub("", word.casefold())


class Recorder:
    """Events of one stream -> what `follow` reads: transcripts, or the text of replies as it grows."""

    def __init__(self, wants: str) -> None:
        self.wants = wants
        self.said: list[Said] = []
        self._replies: dict[str, str] = {}

    def take(self, events: Sequence[Event], push: int) -> None:
        """Keep what `events`, which came out at the end of `push`, say."""
        for event in events:
            if isinstance(event, Transcript) and self.wants == "transcript":
                self.said.append([push, event.final, event.stable, event.text, _ends(event)])
            elif self.wants == "reply":
                self._reply(event, push)

    def _reply(self, event: Event, push: int) -> None:
        if isinstance(event, ReplyStarted | ReplyDelta):
            text = self._replies.get(event.id, "") + event.text
            self._replies[event.id] = text
            whole = len(text.split()) - (0 if text[-1:].isspace() else 1)  # the last word may go on
            if text:
                self.said.append([push, False, max(0, whole), text, None])
        elif isinstance(event, ReplyDone | ReplyCancelled):
            text = event.text or self._replies.get(event.id, "")
            self._replies.pop(event.id, None)
            if text.strip():
                self.said.append([push, True, len(text.split()), text, None])


def _ends(event: Transcript) -> list[float] | None:
    """Where each word ended by the system's own reckoning; None where it does not say."""
    words = event.words or []
    if not event.final or len(words) != len(event.text.split()) or not all("end" in w for w in words):
        return None
    return [float(w["end"]) for w in words]


@dataclass(slots=True)
class Followed:
    """The final `words`, one entry each in the others: the push at which it was told (named stable, or final), the push
    since which it stood as it is, and the second at which it ended by the system's own reckoning (None: not said).

    `unstable` words were taken back in `revisions` revisions; `broken` of them had been named stable.
    """

    words: list[str] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    ends: list[float | None] = field(default_factory=list)
    finals: list[str] = field(default_factory=list)
    unstable: int = 0
    revisions: int = 0
    broken: int = 0

    @property
    def text(self) -> str:
        return " ".join(self.finals)


def follow(said: Sequence[Said], characters: bool = False) -> Followed:
    """Read hypotheses in the order in which they came out.

    A hypothesis replaces the one before it up to the next final, which ends a segment. Of two that follow each other
    the words behind the first difference of the earlier one are unstable (case and marks apart), as are the words of
    a hypothesis that never became final (Shangguan et al. 2020). An empty partial says nothing: what it took back is
    counted when the next hypothesis, or none, follows.
    """
    out = Followed()
    last: list[str] = []
    told: list[int] = []
    shown: list[int] = []
    for push, final, stable, text, ends in said:
        now = units(text, characters)
        if not now and not final:
            continue
        plain = [folded(w) for w in now]
        same = _common(last, plain)
        if same < len(last):
            out.unstable += len(last) - same
            out.revisions += 1
        out.broken += max(0, len(told) - same)
        shown = shown[:same] + [push] * (len(now) - same)
        told = told[:same]
        named = stable if not characters else len(units(" ".join(text.split()[:stable]), True))
        told += [push] * ((len(now) if final else min(named, len(now))) - len(told))
        last = plain
        if final:
            out.words += now
            out.told += told
            out.shown += shown
            out.ends += ends if ends is not None and len(ends) == len(now) else [None] * len(now)
            out.finals.append(text)
            last, told, shown = [], [], []
    if last:
        out.unstable += len(last)
        out.revisions += 1
    return out


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the common beginning."""
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
