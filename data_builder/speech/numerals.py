"""Numbers in a list of English words, spoken or in digits, brought into one form."""

from __future__ import annotations

import re
from typing import Final

_UNIT_NAMES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TEN_NAMES: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_NAMES: Final = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_UNITS: Final = {name: value for value, name in enumerate(_UNIT_NAMES.split())}
_TENS: Final = {name: 10 * value for value, name in enumerate(_TEN_NAMES.split(), start=2)}
_SCALES: Final = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ORDINALS: Final = dict(enumerate(_ORDINAL_NAMES.split(), start=1)) | {30: "thirtieth"}
_ORDINAL: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")


def join_numbers(words: list[str]) -> list[str]:
    """`words` with every run of neighbouring numbers as one string of digits.

    So "seven thirty" and "7 30" are "730", "three hundred and five" is "305", "three point five" and "3 5" are "35".
    The runs are joined without a mark as recognisers set marks freely; ordinals are spelt out.
    """
    plain = [part for word in words for part in _spelt_ordinal(word)]
    out: list[str] = []
    at = 0
    while at < len(plain):
        digits, end = _run(plain, at)
        if end == at:
            out.append(plain[at])
            at += 1
        else:
            out.append(digits)
            at = end
    return out


def _run(words: list[str], at: int) -> tuple[str, int]:
    """Digits of all numbers from `at` on, and where they end; `at` itself where there is none."""
    digits, end = "", at
    while True:
        value, after = _cardinal(words, end)
        if after > end:
            digits, end = digits + value, after
        elif digits and _word(words, end) in ("oh", "o", "point") and _cardinal(words, end + 1)[1] > end + 1:
            digits, end = digits + ("" if words[end] == "point" else "0"), end + 1
        else:
            return digits, end


def _cardinal(words: list[str], at: int) -> tuple[str, int]:
    """One number from `at` on as digits, and where it ends."""
    first = _word(words, at)
    if first in ("a", "an"):
        if _word(words, at + 1) != "hundred" and _word(words, at + 1) not in _SCALES:
            return "", at
        total, part, end = 0, 1, at + 1
    elif first.isascii() and first.isdigit():
        if _word(words, at + 1) != "hundred" and _word(words, at + 1) not in _SCALES:
            return first, at + 1
        total, part, end = 0, int(first), at + 1
    elif first in _UNITS or first in _TENS:
        total, part, end = 0, _small(first), at + 1
    else:
        return "", at
    scale, hundreds, anything = 10**12, False, True
    while True:
        word = _word(words, end)
        joined = 1 if word == "and" and (hundreds or (total and not anything)) else 0
        word = _word(words, end + joined)
        small = _small(word)
        room = part % 100 == 0 and (hundreds or not anything)
        if small > 0 and (room or (not joined and anything and part % 100 >= 20 and part % 10 == 0 and small < 10)):
            part, end, anything, hundreds = part + small, end + joined + 1, True, False
        elif not joined and word == "hundred" and anything and 0 < part < 100:
            part, end, hundreds = part * 100, end + 1, True
        elif not joined and word in _SCALES and anything and _SCALES[word] < scale:
            scale = _SCALES[word]
            total, part, end, anything, hundreds = total + part * scale, 0, end + 1, False, False
        else:
            return str(total + part), end


def _small(word: str) -> int:
    return _UNITS.get(word, _TENS.get(word, 0))


def _word(words: list[str], at: int) -> str:
    return words[at] if at < len(words) else ""


def _spelt_ordinal(word: str) -> list[str]:
    found = _ORDINAL.fullmatch(word)
    if not found:
        return [word]
    number = int(found.group(1))
    if number in _ORDINALS:
        return [_ORDINALS[number]]
    if number % 10 and number > 20:
        return [str(number - number % 10), _ORDINALS[number % 10]]
    return [word]
