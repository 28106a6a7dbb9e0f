"""What somebody has asked to be told of: "tell me when you hear a dog" ... "never mind the dog".

The LALM reads the words and decides; this only says which sound tags (or which word) they point at, so that these tags
can be made plain to it (soundflow/perceive/projector.py) and count as evidence (soundflow/decide/evidence.py), and what
is not to be told of any more. Words, no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from soundflow.perceive.asked import asked_tags
from soundflow.perceive.labels import GENERIC, HAZARDS, group_of
from soundflow.types import FloatArray

_DROP: Final = re.compile(
    r"\b(stop (listening|telling|watching|reporting|counting)|never ?mind|forget (it|that|about)|cancel|"
    r"ignore (?!the first)|no more (messages|alerts|reports)|not any ?more|leave (it|out)|stay quiet|"
    r"any ?more\W*$|no longer (need|want)|"
    r"(do not|don'?t) (have to )?(tell|want|need|listen|report))\b",
    re.IGNORECASE,
)
_LISTEN: Final = re.compile(
    r"\b(listen (for|to|out)|(watch|look) out for|keep an ear|ear out for|keep count|(i am|i'?m|be) waiting for|count|"
    r"(if|when|whenever|once|as soon as|time|while|moment|should) (that )?(you|there is) (can )?(still )?"
    r"(hear\w*|have heard|an?)|"
    r"still there in|(alert|warn|notify) (me|us) (of|about|to)|on the lookout for)\b",
    re.IGNORECASE,
)
_TELL: Final = re.compile(
    r"\b(tell (me|us)|let (me|us) know|(warn|alert|notify|wake) (me|us)|report|say (so|some ?thing|how|in)|check|"
    r"want to know|waiting for)\b",
    re.IGNORECASE,
)
_WHEN: Final = re.compile(
    r"\b(when|if|whenever|once|as soon as|moment|each|every|until|still|whether|again|twice|second|time|should|"
    r"there or gone|become of|comes?)\b",
    re.IGNORECASE,
)
_CHANGE: Final = re.compile(r"\b(instead|switch to|make that|i meant|changed my mind|not that)\b", re.IGNORECASE)
_REPLACES: Final = re.compile(
    r"\b(instead|switch to|make that|i meant|changed my mind|not that|actually|now|nothing else|only)\b|^\W*no\b",
    re.IGNORECASE,
)
"""In a request: the one before is over. Alone the words say nothing of the kind ("the music is too loud now")."""
CHANGE_WORDS: Final = 12
"""A change without a request's words is short: "make that a cat, please"."""


_PAST: Final = re.compile(
    r"\b(did you (hear|count)|(?<!until )(?<!when )you (have )?heard|have you heard|(is|was) the count)\b",
    re.IGNORECASE,
)
"""Asks for what was, and waits for nothing."""

_NOT_HEARD: Final = re.compile(r"(\b(?:can ?not|can'?t|do not|don'?t) hear\b.*?) any ?more\b", re.IGNORECASE)
_EACH: Final = re.compile(
    r"\b(every|each|whenever|count|how (many|often)|again|sound by sound|all (the )?sounds|narrate|describe)\b",
    re.IGNORECASE,
)

_OFF: Final = re.compile(
    r"\b(stop (listening|telling|watching|reporting|counting)|no more (messages|alerts|reports)|cancel that|"
    r"tell me any ?more|(not|don'?t) (need|want)(ing)? (that|it|this) any ?more|"
    r"no longer (need|want) (that|it|this))\b",
    re.IGNORECASE,
)
"""Takes back what is waited for without naming its sound."""
_NEVER_MIND: Final = re.compile(
    r"^\W*(oh |no |okay )*(never ?mind( that| it)?|forget (it|that)|cancel (that|it))( please)?\W*$", re.IGNORECASE
)
"""As a whole utterance it takes back a spoken request; an instruction it does not, as it may be said to anybody."""
_MUTES: Final = re.compile(
    r"\b((stop|no need to|no more) (telling|reporting|messages|alerts|reports)\b.*\b(about|of)|ignore (?!the first)|"
    r"(do not|don'?t) (tell|report|alert|warn|notify)\b|(do not|don'?t) want to hear (about|of)|stay quiet|leave out|"
    r"forget about)\b",
    re.IGNORECASE,
)
"""Says of a sound that it is not to be told of, whether it was waited for or not."""
_TIMED: Final = re.compile(r"\b(timer|reminder|alarm clock)s?\b", re.IGNORECASE)
_WORD: Final = re.compile(
    r"\b(?:the words? |(?:says?|said|hears?|mentions?|every|each) )[\"“'‘]([\w' -]{1,40}?)[\"”'’](?!\w)|"
    r"\bthe word (?!that\b|of\b|for\b|is\b)(\w+)|\b(?:some|any)(?:body|one) (?:says|mentions) (?:the word )?(\w+)\W*$",
    re.IGNORECASE,
)

_ALL: Final = re.compile(
    r"\b(every|each|all|any)( \w+)? (sounds?|noises?)\b|\b(everything|anything|whatever|what) (that )?you hear\b|"
    r"\b(narrate|describe)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What a text asks for. tags, named, wanted, dropped: [L] of 0 and 1, what it names, what of it is waited for, that
    with its kinds, and what it takes back. each: every single one is to be told. word: that is waited for, "" for none.
    """

    text: str
    tags: FloatArray
    named: FloatArray
    wanted: FloatArray
    dropped: FloatArray
    each: bool
    word: str

    @property
    def everything(self) -> bool:
        """Whether all sounds are asked for beside what it names."""
        return bool(_ALL.search(self.text))

    @property
    def asks(self) -> bool:
        """Whether something is waited for."""
        return bool(self.word) or bool(self.wanted.any())


def request(text: str, labels: Sequence[str], asks: bool = False) -> Request:
    """What an instruction, or something that was said, asks for. `asks`: it does, whatever its words ("make that a
    cat")."""
    kept, dropped = _asking(text), [c for c in _clauses(text) if _DROP.search(c)]
    asked = " ".join(kept)
    waits = _LISTEN.search(asked) or (_TELL.search(asked) and _WHEN.search(asked))
    asks = asks or (bool(waits) and not _PAST.search(text))
    named = asked_tags(" ".join(kept) if asks else "", labels)
    found = _WORD.search(text) if asks else None
    return Request(
        text,
        asked_tags(text, labels),
        named,
        _with_kinds(named, labels),
        asked_tags(" ".join(dropped), labels),
        bool(_EACH.search(" ".join(kept))),
        next((w for w in found.groups() if w), "").lower() if found else "",
    )


class Standing:
    """The instruction and the last spoken request, and what they name.

    Args:
        instruction: of the session; it holds until it is taken back or changed by voice.
        labels: the sound encoder's.
    """

    def __init__(self, instruction: str, labels: Sequence[str]) -> None:
        self._labels = labels
        self._nothing = request("", labels)
        self._given = request(instruction, labels)
        self._spoken, self._off, self._muted = self._nothing, False, self._given.dropped

    @property
    def given(self) -> Request:
        """The instruction; nothing where it was taken back."""
        return self._nothing if self._off else self._given

    @property
    def newest(self) -> Request:
        """The request that holds: the spoken one, else the instruction."""
        return self._spoken if self._spoken.asks else self.given

    @property
    def tags(self) -> FloatArray:
        """[len(labels)] of 1 for each tag that is asked for now, else 0."""
        return np.maximum(self.given.tags, self._spoken.named)

    @property
    def wanted(self) -> FloatArray:
        """[len(labels)] of 1 for those of `tags` that somebody asks to be told of, and for
        their kinds: "transcribe the speech" names speech and does not wait for it."""
        return np.maximum(self.given.wanted, self._spoken.wanted)

    @property
    def named(self) -> FloatArray:
        """[len(labels)] of 1 for those of `wanted` that were named, without their kinds."""
        return np.maximum(self.given.named, self._spoken.named)

    @property
    def muted(self) -> FloatArray:
        """[len(labels)] of 1 for each tag that somebody does not want to hear of (any more)."""
        return np.where(self.wanted > 0, 0, self._muted).astype(np.float32)

    @property
    def words(self) -> tuple[str, ...]:
        """The word that is waited for, if there is one."""
        return (self.newest.word,) if self.newest.word else ()

    @property
    def each(self) -> bool:
        """Whether what is asked for is to be told each time it comes."""
        return self.given.each or self._spoken.each

    def hear(self, text: str) -> bool:
        """Take a closed utterance -> whether what is asked for has changed.

        A request replaces the spoken one before, and the instruction where it says so ("a cat instead"). Clauses that
        take something back do not ask: "forget that, watch out for a cat" asks for a cat. What is taken back is the
        spoken request, or else the instruction: by the name of its sound, or in clear words.
        """
        if not any(x.search(text) for x in (_LISTEN, _TELL, _CHANGE, _DROP, _OFF)):
            return False
        before = (self.tags, self.each, self.newest.word)
        said = request(text, self._labels)
        kept = " ".join(_asking(text))
        if not said.asks and self.newest.asks and _CHANGE.search(kept) and len(kept.split()) <= CHANGE_WORDS:
            said = request(text, self._labels, asks=True)
        if said.asks:
            self._off = self._off or bool(_REPLACES.search(text) or _DROP.search(text))
            self._spoken = said
        elif any(_DROP.search(c) for c in _clauses(text)):
            self._drop(text, said.dropped)
        now = (self.tags, self.each, self.newest.word)
        return before[1:] != now[1:] or not np.array_equal(before[0], now[0])

    def _drop(self, text: str, named: FloatArray) -> None:
        """Take back what is named, or, where it names nothing and says so clearly, what was asked for last."""
        kinds = _with_kinds(named, self._labels)
        if _MUTES.search(text):
            self._muted = np.maximum(self._muted, kinds)
        spoken, given = self._spoken.wanted, self.given.wanted
        clear = bool(_OFF.search(text)) and not _TIMED.search(text) and not named.any()
        if (named * spoken).any() or (self._spoken.asks and (clear or _NEVER_MIND.match(text))):
            self._mute(spoken)
            self._spoken = self._nothing
        elif (named * given).any() or (clear and self.given.asks):
            self._mute(given)
            self._off = True

    def _mute(self, tags: FloatArray) -> None:
        """What was taken back is not told of; a hazard is as any other time."""
        hazards = np.array([group_of(x) in HAZARDS for x in self._labels])
        self._muted = np.maximum(self._muted, np.where(hazards, 0, tags))

    def over(self) -> bool:
        """The spoken request is over, if there is one -> whether there was."""
        there, self._spoken = self._spoken.asks, self._nothing
        return there

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs; plain values."""
        return {"spoken": self._spoken.text, "off": self._off, "muted": np.flatnonzero(self._muted).tolist()}

    def restore(self, saved: dict[str, Any]) -> None:
        """As it was under the same instruction."""
        said = request(saved["spoken"], self._labels, asks=bool(saved["spoken"]))
        self._spoken, self._off = said, saved["off"]
        self._muted = np.zeros(len(self._labels), np.float32)
        self._muted[saved["muted"]] = 1.0


def _clauses(text: str) -> list[str]:
    """Its clauses; "when you cannot hear it any more" takes nothing back."""
    return re.split(r"[,;.!?]", _NOT_HEARD.sub(r"\1", text))


def _asking(text: str) -> list[str]:
    """Its clauses that take nothing back."""
    return [c for c in _clauses(text) if not _DROP.search(c)]


def _with_kinds(tags: FloatArray, labels: Sequence[str]) -> FloatArray:
    """The tags and those of what is a kind of it: who waits for a dog waits for a bark."""
    named = {labels[int(i)] for i in np.flatnonzero(tags)} - {"Mechanisms"}
    kinds = {kind for name in named for kind in GENERIC.get(name, ())}
    return np.maximum(tags, np.array([x in kinds for x in labels], np.float32))
