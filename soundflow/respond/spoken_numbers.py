"""Numbers and times in what was said: "an hour and a half", "twenty-one degrees", "45 minutes"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SMALL: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_ROUND: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES: Final = {word: n for n, word in enumerate(_SMALL.split())}
_TENS: Final = {word: 10 * n for n, word in enumerate(_ROUND.split(), 2)}
_UNITS: Final = {"second": 1, "minute": 60, "min": 60, "hour": 3600}
_WORD: Final = re.compile(r"[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A number as it was said. `unit`: seconds of its unit of time, 0 where it has none; then `value` is in units."""

    value: float
    unit: int = 0


def spelled(number: int) -> list[str]:
    """0 to 100 in words, [twenty, one]; a larger one as its digits."""
    if number < len(_ONES):
        return [list(_ONES)[number]]
    if number > 99:
        return ["hundred"] if number == 100 else [str(number)]
    return [list(_TENS)[number // 10 - 2], *([list(_ONES)[number % 10]] if number % 10 else [])]


def spoken_numbers(text: str) -> list[Spoken]:
    """The numbers of an utterance, in order. Times that belong together ("one hour and ten minutes") are added up."""
    words = _WORD.findall(text.lower().replace("per cent", "percent"))
    found: list[Spoken] = []
    at, joined = 0, False
    while at < len(words):
        value, end = _value(words, at)
        if end == at:
            joined = joined and words[at] == "and"
            at += 1
            continue
        unit = _UNITS.get(words[end].removesuffix("s"), 0) if end < len(words) else 0
        if unit:
            end += 1
            if words[end : end + 3] == ["and", "a", "half"]:
                value, end = value + 0.5, end + 3
        elif words[at] in ("a", "an", "half", "quarter"):
            at, joined = at + 1, False
            continue
        if unit and joined and found[-1].unit > unit:
            last = found.pop()
            value += last.value * last.unit / unit
        found.append(Spoken(value, unit))
        at, joined = end, bool(unit)
    return found


def _value(words: list[str], at: int) -> tuple[float, int]:
    """The number at `at` and where it ends; (0, at) where there is none. "a" and "an" are one in front of a unit."""
    if words[at : at + 2] == ["half", "an"]:
        return 0.5, at + 2
    if words[at : at + 3] in (["quarter", "of", "an"], ["quarter", "of", "a"]):
        return 0.25, at + 3
    word = words[at]
    if word in ("a", "an"):
        return (1.0, at + 1) if words[at + 1 : at + 2] and words[at + 1] not in ("half", "quarter") else (0.0, at)
    if word.isdigit():
        return float(word[:9]), at + 1
    value, end = _below_hundred(words, at)
    if end > at and words[end : end + 1] == ["hundred"]:
        rest = end + 1 + (words[end + 1 : end + 2] == ["and"])
        more, after = _below_hundred(words, rest)
        return value * 100 + more, after if after > rest else end + 1
    return value, end


def _below_hundred(words: list[str], at: int) -> tuple[float, int]:
    if at >= len(words):
        return 0.0, at
    if (tens := _TENS.get(words[at])) is not None:
        ones = _ONES.get(words[at + 1], 0) if at + 1 < len(words) else 0
        return (float(tens + ones), at + 2) if 0 < ones < 10 else (float(tens), at + 1)
    ones = _ONES.get(words[at], -1)
    return (float(ones), at + 1) if ones >= 0 else (0.0, at)
