"""Device calls out of a transcript by keywords: the fair hand-written system that the model's calls are held against.

Numbers are parsed; rooms, doors, colours and drinks are looked up in the tool's own schema, with a little room for
words that were misheard. Everything is plain text: no model, and nothing fitted on what is reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from soundflow.errors import DataError
from soundflow.respond.spoken_values import plain_words, spot
from soundflow.respond.tools import validate_call
from soundflow.types import ActionCall, Tool

ONES: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES: Final = {w: n for n, w in enumerate(ONES)} | {w: 10 * n for n, w in enumerate(TENS, 2)} | {"a": 1, "an": 1}
_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600}
_ASKED: Final = re.compile(r"(how|what|which|who|when|where|why|is|are|did|does|do|was|were|has|have) ")
_TOLD: Final = re.compile(
    r"\b(was|were|has been|had|left|forgot|yesterday|who|could not|cannot|does not|have to|is gone|like the)\b"
    r"|\b(he|she|they) "
)
Words = Sequence[str]


def call(text: str, tools: Sequence[Tool]) -> ActionCall | None:
    """The call that `text` (a final transcript) asks for, valid under its tool's schema; None where it asks for none.

    Questions about devices ("Is the light on?") and tales ("She left the light on.") ask for nothing.
    """
    said = plain_words(text)
    line = " ".join(said)
    if _ASKED.match(line) or _TOLD.search(line):
        return None
    for tool in tools:
        arguments = _RULES[tool.name](line, said, tool) if tool.name in _RULES else order(said, tool)
        if arguments is None:
            continue
        try:
            return validate_call(ActionCall(tool.name, arguments), tools)
        except DataError:
            continue
    return None


def numbers(said: Words) -> list[tuple[int, int]]:
    """(number, index of the word behind it) for each number: "twenty one degrees" -> [(21, 2)]; "a" counts as one."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(said):
        if said[at] == "hundred":
            found.append((100, at + 1))
        elif said[at] in _VALUES:
            value, ten = _VALUES[said[at]], said[at] in TENS
            at += 1
            if at < len(said) and ((ten and 0 < _VALUES.get(said[at], 0) < 10) or said[at] == "hundred"):
                value = 100 * value if said[at] == "hundred" else value + _VALUES[said[at]]
                at += 1
            found.append((value, at))
            continue
        at += 1
    return found


def duration(said: Words) -> int | None:
    """Seconds of "ten minutes", "an hour and a half", "one minute thirty seconds", "half an hour"; None without one."""
    total = 0
    for value, at in numbers(said):
        unit = _UNITS.get(said[at].removesuffix("s"), 0) if at < len(said) else 0
        total += value * unit
        if unit and list(said[at + 1 : at + 4]) == ["and", "a", "half"]:
            total += unit // 2
    line = " ".join(said)
    for part, seconds in (("quarter of an hour", 900), ("half an hour", 1800), ("half a minute", 30)):
        if part in line:
            total += seconds - (60 if "minute" in part else 3600)  # its "an hour" was counted above
    return total or None


def one_of(said: Words, tool: Tool, slot: str) -> str | None:
    """The value of an enumerated slot that is heard best; the longer one of two that are equally close."""
    found = spot(said, _values(tool).get(slot, ()))
    return max(found, key=lambda f: (f[2], len(f[3])))[3] if found else None


def order(said: Words, tool: Tool) -> dict[str, Any] | None:
    """All enumerated slots at once, the most letters heard first: the "medium" of "medium roast" is no size.

    None where a required slot is missing, or the tool has slots of other kinds.
    """
    values, required = _values(tool), tool.parameters.get("required", ())
    if not values or set(values) != set(tool.parameters.get("properties", ())) or not required:
        return None
    heard = [(*found, slot) for slot, names in values.items() for found in spot(said, names)]
    filled: dict[str, Any] = {}
    taken: set[int] = set()
    for first, last, _, phrase, slot in sorted(heard, key=lambda h: (-h[2] * len(h[3]), h[0])):
        if slot not in filled and not taken & set(range(first, last)):
            filled[slot] = phrase
            taken |= set(range(first, last))
    return filled if all(slot in filled for slot in required) else None


def _light(line: str, said: Words, tool: Tool) -> dict[str, Any] | None:
    room = one_of(said, tool, "room")
    if room is None or not re.search(r"\b(lights?|lamps?|dim|brightness)\b", line):
        return None
    made: dict[str, Any] = {"room": room}
    percent = [n for n, at in numbers(said) if at < len(said) and said[at] == "percent"]
    colour = one_of(said, tool, "color")
    if re.search(r"\b(off|out|kill|no more)\b", line):
        made["state"] = "off"
    elif re.search(r"\bon\b", line) or not (percent or colour):
        made["state"] = "on"
    return made | ({"brightness": percent[0]} if percent else {}) | ({"color": colour} if colour else {})


def _timer(line: str, said: Words, tool: Tool) -> dict[str, Any] | None:
    asked = r"\b(timers?|countdown|count down|wake|remind|ring in|alarm|time|clock|are over)\b"
    seconds = duration(said) if re.search(asked, line) else None
    return {"seconds": seconds} if seconds else None


def _cancel(line: str, said: Words, tool: Tool) -> dict[str, Any] | None:
    done = r"\b(cancel|stop|off|delete|end|forget|clear|no|not|kill|any more|any longer)\b"
    return {} if "timer" in line and re.search(done, line) and duration(said) is None else None


def _lock(line: str, said: Words, tool: Tool) -> dict[str, Any] | None:
    door = one_of(said, tool, "door")
    if door is None or not re.search(r"lock|\b(bolt|key)\b", line):
        return None
    opened = r"\bunlock|\bopen\b|\b(not|lock off)\b|\btake the lock\b"
    return {"door": door, "state": "unlocked" if re.search(opened, line) else "locked"}


def _thermostat(line: str, said: Words, tool: Tool) -> dict[str, Any] | None:
    if not re.search(r"\b(degrees?|thermostat|temperature|heating|heat)\b", line):
        return None
    slot = tool.parameters["properties"]["degrees"]
    low, high = slot.get("minimum", 0), slot.get("maximum", 99)
    fitting = [n for n, _ in numbers(said) if low <= n <= high]
    return {"degrees": fitting[0]} if fitting else None


_RULES: Final[Mapping[str, Callable[[str, Words, Tool], dict[str, Any] | None]]] = {
    "set_light": _light,
    "set_timer": _timer,
    "cancel_timer": _cancel,
    "set_lock": _lock,
    "set_thermostat": _thermostat,
}


def _values(tool: Tool) -> dict[str, list[str]]:
    """Slot -> its values, for slots with a list of them."""
    slots: Mapping[str, Any] = tool.parameters.get("properties", {})
    return {name: list(body["enum"]) for name, body in slots.items() if "enum" in body}
