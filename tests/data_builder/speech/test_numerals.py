"""Numbers brought into one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_builder.speech.numerals import join_numbers

_ONE_NAMES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TEN_NAMES = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES, _TENS = _ONE_NAMES.split(), _TEN_NAMES.split()


def spelt(number: int, joined: bool) -> list[str]:
    """English words of a number under a million, with or without "and"."""
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        rest = [_ONES[number % 10]] if number % 10 else []
        return [_TENS[number // 10 - 2], *rest]
    if number < 1_000:
        rest = [*(["and"] if joined else []), *spelt(number % 100, joined)] if number % 100 else []
        return [_ONES[number // 100], "hundred", *rest]
    low = number % 1_000
    rest = [*(["and"] if joined and low < 100 else []), *spelt(low, joined)] if low else []
    return [*spelt(number // 1_000, joined), "thousand", *rest]


@given(st.integers(0, 999_999), st.booleans())
def test_every_number_is_read(number: int, joined: bool) -> None:
    assert join_numbers(["at", *spelt(number, joined), "or"]) == ["at", str(number), "or"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seven thirty", "730"),
        ("7 30", "730"),
        ("seven oh five", "705"),
        ("twenty twenty six", "2026"),
        ("nineteen oh five", "1905"),
        ("fifteen hundred", "1500"),
        ("a hundred", "100"),
        ("a dog and a hundred cats", "a dog and 100 cats"),
        ("2 million", "2000000"),
        ("three point five", "35"),
        ("the point is that", "the point is that"),
        ("one and two", "1 and 2"),
        ("two hundred and then", "200 and then"),
        ("oh no", "oh no"),
        ("the 1st and the 22nd and the 30th", "the first and the 20 second and the thirtieth"),
        ("an apple", "an apple"),
    ],
)
def test_runs_of_numbers_are_joined(text: str, expected: str) -> None:
    assert join_numbers(text.split()) == expected.split()
