"""Times that somebody asks for: "Remind me in ten minutes to check the oven", "Set a timer for five minutes".

Time is that of the stream, counted in samples; a language model that hears one chunk after the other cannot keep it.
Words, no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from soundflow.clock import samples, seconds
from soundflow.respond.spoken_numbers import spelled, spoken_numbers
from soundflow.respond.terms import LONGEST_S

MOST: Final = 16

_ASKS: Final = re.compile(
    r"\b(remind me|wake me|timer (for|of)|(set|start|make) an? .*\btimer|alarm for|countdown)\b|"
    r"\b(tell me|let me know|warn me|notify me|ping me|say something)\b.*\b(in|after|over|up|from now)\b|"
    r"\b(in|after|wait|from now|give me|i have to|i need to|i must)\b.*"
    r"\b(tell me|let me know|warn me|notify me|ping me)\b|"
    r"^\W*(please )?(count|time) (\w+ )?(\w+ )?(seconds?|minutes?|hours?)\b",
    re.I,
)
_OTHER: Final = re.compile(
    r"\b(last|ago|past|left|remaining|next|every|each|add|how (much|many|long)|what|did|was|within|quarters)\b|\d\.\d|"
    r"\bif you\b|^\W*(please )?(cancel|stop|delete|remove|clear|turn off|do not|don'?t)\b",
    re.I,
)
"""Names a time and asks for none."""
_TASK: Final = re.compile(r"\b(?:remind me|tell me|wake me|notify me|i have|i need|i want|i must)\b.*?\bto (.+)", re.I)
_THAT: Final = re.compile(r"\bremind me\b\W*(?:that|of|about) (.+)", re.I)
_WHEN: Final = re.compile(
    r",?\s*\b(?:(?:in|for|after|wait|within)\s+)?(?:(?:the next|another|about|exactly)\s+)?(?:[a-z]+[ -]|\d+ ?)?"
    r"(?:\w+[ -])?(?:and an? \w+ )?(?:seconds?|minutes?|hours?)(?: and(?= \w+ (?:minutes?|seconds?)))?"
    r"(?: from now| time)?\b",
    re.I,
)
_TAIL: Final = re.compile(
    r",?\s*\b(please|tell me|remind me|will you|would you|okay|ok|thanks|thank you|then|now)\W*$", re.I
)
_OFF: Final = re.compile(
    r"\b(cancel|stop|forget|delete|remove|clear|turn off|(do not|don'?t) need)\b[^.;!?]*\b(timer|reminder)s?\b|"
    r"^\W*(please |oh |no |okay )*(cancel|stop|forget) (that|it)( (please|again|i\b.*)|,.*)?\W*$|"
    r"^\W*(please |oh |no |okay )*never ?mind\b|"
    r"^\W*(please )?(you )?(do not|don'?t) (have to |need to )?(tell|remind) me\b|"
    r"^\W*i (do not|don'?t) need (that|it|this)( any ?more)?\W*$",
    re.I,
)
_LEFT: Final = re.compile(
    r"\bhow (much (time|longer)|long|many (seconds|minutes|hours))\b[^.;!?]*\b(left|remaining|remains?|to go)\b|"
    r"\bhow (much (time|longer)|long)\b[^.;!?]*\b(timer|reminder)\b",
    re.I,
)
OFF_WORDS: Final = 9
"""Longer sentences take no time back: "never mind the gap, the train is late, so let us walk"."""
LEFT_WORDS: Final = 12
_CLOCK: Final = re.compile(
    r"\b((remind|wake|tell) me|(set|make) an? (alarm|reminder))\b[^.;!?]*\b(at|for|by) "
    r"(half past |(a )?quarter (past|to) )?"
    r"(noon|midnight|\d{1,2}(:\d\d)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    r"( o'?clock| ?[ap]\.?m\b\.?| in the (morning|afternoon|evening))?(?=,? (to|that|tomorrow|tonight|please)\b|\W*$)",
    re.I,
)
_AGAIN: Final = re.compile(
    r"\b(remind|wake|tell) me\b[^.;!?]*\bevery (\w+ )?(seconds?|minutes?|hours?|days?|morning|evening|night|week)\b",
    re.I,
)
_TURNED: Final = {"my": "your", "me": "you", "i": "you", "our": "your", "mine": "yours", "myself": "yourself"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for. after_s: seconds from now. said: that it was understood. say: when the time has come."""

    after_s: float
    said: str
    say: str


@dataclass(frozen=True, slots=True)
class Due:
    """at: sample of the stream. say: in which words."""

    at: int
    say: str


def reminder(text: str) -> Asked | None:
    """The time that `text` asks for; None where it asks for none, or for one further than `LONGEST_S`."""
    times = [n for n in spoken_numbers(re.sub(r"\bsecond time\b", "", text, flags=re.I)) if n.unit]
    if not times or not _ASKS.search(text) or _OTHER.search(text):
        return None
    after = times[0].value * times[0].unit
    if not 1 <= after <= LONGEST_S:
        return None
    time = much(after)
    task, thing = _task(text, _TASK), _task(text, _THAT)
    if not task and thing:
        return Asked(after, f"Okay, in {time}.", f"Remember: {thing}.")
    if not task:
        return Asked(after, f"Okay, {time} from now.", f"Your {time} {'are' if time[-1] == 's' else 'is'} over.")
    return Asked(after, f"Okay, in {time}.", f"It is time to {task}.")


def cannot(text: str) -> str:
    """What to say to a time that cannot be kept: of a clock, which a stream has not, or again and again; else ""."""
    if _AGAIN.search(text):
        return "I can remind you once, not every time."
    return "I have no clock. Tell me in how many minutes." if _CLOCK.search(text) else ""


def _task(text: str, pattern: re.Pattern[str]) -> str:
    """What somebody wants to be reminded of, said to them; "" for nothing."""
    found = pattern.search(_WHEN.sub("", text))
    if found is None:
        return ""
    task = found[1].strip(" .,!?")
    while (cut := _TAIL.sub("", task).strip(" .,!?")) != task:
        task = cut
    return " ".join(_TURNED.get(w.lower(), w) for w in task.split())


def much(s: float) -> str:
    """ "five minutes", "one hour and ten minutes"."""
    left, parts = round(s), []
    for name, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        n, left = divmod(left, size)
        if n and (n < 100 or size == 1):
            parts.append(f"{'-'.join(spelled(n))} {name}{'s' * (n != 1)}")
    return " and ".join(parts)


class Reminders:
    """The times of one stream that have not come yet; at most `MOST`."""

    def __init__(self) -> None:
        self._due: list[Due] = []

    def __len__(self) -> int:
        return len(self._due)

    def hear(self, text: str, now: int) -> str:
        """Take what is asked for, or take it back -> what to say of it; "" where `text` is about no time."""
        asked = reminder(text)
        if asked is None:
            return self._left(text, now) or self._cancelled(text) or cannot(text)
        if len(self._due) >= MOST:
            return f"I keep {' '.join(spelled(MOST))} times already. Cancel one of them first."
        self._due.append(Due(now + samples(asked.after_s), asked.say))
        return asked.said

    def about(self, text: str) -> bool:
        """Whether `text` asks for a time, or for what is left of one, or takes one back."""
        return reminder(text) is not None or self._off(text) or self._asks_left(text) or bool(cannot(text))

    def due(self, now: int) -> Due | None:
        """The first whose time has come at sample `now`."""
        first = min(self._due, key=lambda d: d.at, default=None)
        return first if first is not None and first.at <= now else None

    def told(self, due: Due) -> None:
        """It was told of."""
        self._due.remove(due)

    def _asks_left(self, text: str) -> bool:
        return bool(self._due) and bool(_LEFT.search(text)) and len(text.split()) <= LEFT_WORDS

    def _left(self, text: str, now: int) -> str:
        """How much time is left until the one that is named, or else the first."""
        if not self._asks_left(text):
            return ""
        ordered = sorted(self._due, key=lambda d: d.at)
        due = next((d for d in ordered if _named(text, d.say)), ordered[0])
        left = f"{much(max(1.0, seconds(due.at - now))).capitalize()} left"
        return f"{left}: {due.say[0].lower()}{due.say[1:]}" if len(ordered) > 1 else f"{left}."

    def _off(self, text: str) -> bool:
        return bool(self._due) and bool(_OFF.search(text)) and len(text.split()) <= OFF_WORDS and reminder(text) is None

    def _cancelled(self, text: str) -> str:
        if not self._off(text):
            return ""
        if re.search(r"\b(all|both|every|my) (the |my |of )*(timers|reminders)\b|\b(timers|reminders)\b", text, re.I):
            self._due = []
            return "Okay, all cancelled."
        self._due.remove(next((d for d in reversed(self._due) if _named(text, d.say)), self._due[-1]))
        return "Okay, cancelled."

    def snapshot(self) -> list[dict[str, Any]]:
        """JSON values that `restore` takes."""
        return [asdict(d) for d in self._due]

    def restore(self, saved: Sequence[dict[str, Any]]) -> None:
        """As they were."""
        self._due = [Due(**d) for d in saved][:MOST]


def _named(text: str, say: str) -> bool:
    """Whether a reminder is called by a word of what it says: "the oven reminder", "the ten minute timer"."""
    plain = {w for w in re.findall(r"[a-z]{3,}", text.lower())} - _COMMON
    return any(w.rstrip("s") in say.lower() for w in plain)


_COMMON: Final = frozenset(
    {"cancel", "stop", "forget", "delete", "remove", "clear", "turn", "off", "the", "timer", "reminder", "please"}
    | {"that", "this", "you", "not", "need", "have", "tell", "remind", "never", "mind", "any", "more", "done", "one"}
    | {"minute", "minutes", "second", "seconds", "hour", "hours", "how", "much", "long", "time", "left", "are", "there"}
)
