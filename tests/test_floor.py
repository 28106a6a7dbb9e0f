"""What is left of a cut reply, and which words want it to stop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundflow.floor import MOST_CHARS_PER_S, echoes, takes_floor, unsaid

TEXT = "The plumber comes at two, and he looks at the boiler. Then we bake a cake; it takes an hour."


@pytest.mark.parametrize(
    ("share", "rest"),
    [
        (0.0, TEXT),
        (0.2, TEXT),
        (0.4, "and he looks at the boiler. Then we bake a cake; it takes an hour."),
        (0.7, "Then we bake a cake; it takes an hour."),
        (0.85, "it takes an hour."),
        (0.97, ""),
        (1.0, ""),
    ],
)
def test_the_clause_that_was_cut_is_said_again(share: float, rest: str) -> None:
    assert unsaid(TEXT, share * 8.0, 8.0) == rest


def test_what_is_not_made_yet_is_not_taken_for_said() -> None:
    whole_s = len(TEXT) / MOST_CHARS_PER_S
    assert unsaid(TEXT, 0.9, 1.0) == unsaid(TEXT, 0.9, whole_s) == TEXT
    assert unsaid("", 1.0, 1.0) == ""


@given(st.text("ab ,.;", max_size=60), st.floats(-1, 20), st.floats(0, 20))
def test_it_is_the_end_of_the_text(text: str, heard_s: float, voice_s: float) -> None:
    rest = unsaid(text, heard_s, voice_s)
    assert text.endswith(rest)


@pytest.mark.parametrize(
    "heard",
    [
        "Stop.",
        "Okay, stop it please",
        "hold on, the phone",
        "No, tomorrow.",
        "Thanks!",
        "Never mind",
        "Well, wait a bit",
    ],
)
def test_words_that_want_us_to_stop(heard: str) -> None:
    assert takes_floor(heard)


@pytest.mark.parametrize(
    "heard", ["", "Okay.", "I see.", "Maria, did you stop the car?", "Nobody knows.", "Waiter, please"]
)
def test_words_that_do_not(heard: str) -> None:
    assert not takes_floor(heard)


def test_an_echo_is_mostly_our_own_words() -> None:
    assert echoes("plumber comes it two", TEXT)
    assert not echoes("two", TEXT)
    assert not echoes("when does the electrician come", TEXT)
    assert not echoes("", TEXT)
