"""What a request says beside the name of its sound."""

from __future__ import annotations

import pytest

from soundflow.respond.terms import Terms, asks_count, seconds_of, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tell me when you hear a dog.", Terms()),
        ("Tell me when you hear a bell for the second time.", Terms(nth=2)),
        ("Wait until you have heard the bell three times.", Terms(nth=3)),
        ("Ignore the first time you hear a bell and report the second.", Terms(nth=2)),
        ("Tell me when the rain has stopped.", Terms(ends=True, called="the rain")),
        (
            "Let me know when you cannot hear the vacuum cleaner any more.",
            Terms(ends=True, called="the vacuum cleaner"),
        ),
        ("Listen to the plane and tell me when it is gone.", Terms(ends=True, called="the plane")),
        ("If you can still hear the hum in five seconds, say so.", Terms(after_s=5, only_if=True, called="the hum")),
        ("If the music is not gone in two minutes, tell me.", Terms(after_s=120, only_if=True, called="the music")),
        ("In ten seconds, tell me whether the fan has stopped.", Terms(after_s=10, called="the fan")),
        ("Is the music still there in ten seconds? Tell me then.", Terms(after_s=10, called="the music")),
    ],
)
def test_the_terms_of_a_request(text, found):
    assert terms(text) == found


def test_counting_is_no_number_of_times():
    assert terms("Every time you hear a cat, say how many there were.") == Terms(counts=True)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("How often did you hear a dog?", True),
        ("Oh, often did you hear a single beat?", True),
        ("Times have you heard a whistle so far.", True),
        ("How many times have you erred a rooster so far?", True),
        ("At times you hear a dog.", False),
        ("How often do you eat?", False),
    ],
)
def test_a_question_how_often_may_lose_its_first_word(text, asks):
    assert asks_count(text) is asks


@pytest.mark.parametrize(
    ("text", "s"),
    [("for seven more seconds", 7), ("in an hour and a half", 5400), ("for the second time", 0), ("three times", 0)],
)
def test_a_time_in_seconds(text, s):
    assert seconds_of(text) == s
