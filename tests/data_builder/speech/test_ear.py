"""Word error rate: what counts as an error, and what does not."""

from __future__ import annotations

import pytest

from data_builder.speech.ear import errors, wer, words


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Set a timer for 10 minutes.", "set a timer for ten minutes"),
        ("Wake me at 7:30.", "Wake me at seven thirty."),
        ("Wake me at 7:30.", "Wake me at 7.30"),
        ("Wake me at 7:05 a.m.", "wake me at seven oh five AM"),
        ("It is 7:00.", "it's seven o'clock"),
        ("It costs $25.", "It costs twenty-five dollars."),
        ("Turn it down by 20%.", "turn it down by twenty percent"),
        ("I can't hear you, and I won't wait.", "I cannot hear you and I will not wait."),
        ("We're late; they've gone.", "we are late they have gone"),
        ("What’s the 21st letter?", "What is the twenty first letter?"),
        ("Is the doorbell working?", "Is the door bell working?"),
        ("Say good night.", "Say goodnight"),
        ("My favourite colour is grey.", "my favorite color is gray"),
        ("Organise the theatre programme.", "organize the theater program"),
        ("OK, mum.", "Okay, um, Mom!"),
        ("The year was 1999.", "the year was nineteen ninety nine"),
        ("Three hundred and five people came.", "305 people came"),
    ],
)
def test_the_same_words_written_otherwise_are_no_error(said: str, heard: str) -> None:
    assert wer(said, heard) == 0.0
    assert wer(heard, said) == 0.0


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("turn on the light", "turn off the light", 1 / 4),
        ("turn on the light", "turn on light", 1 / 4),
        ("turn on the light", "turn on the the light", 1 / 4),
        ("turn on the light", "", 1.0),
        ("set it to fifteen", "set it to fifty", 1 / 4),
        ("wake me at 7:30", "wake me at 7:13", 1 / 4),
        ("I can hear it", "I can't hear it", 1 / 4),
        ("", "hello", 1.0),
        ("", "", 0.0),
        ("yes", "no it is not", 4.0),
    ],
)
def test_errors_are_counted_a_word_of_the_reference(said: str, heard: str, expected: float) -> None:
    assert wer(said, heard) == pytest.approx(expected)


def test_distance_takes_the_cheapest_way() -> None:
    for said, got, count in (
        ("a b c d", "b c d e", 2),
        ("a b c", "x y z", 3),
        ("play it in the bed room now", "play it in the bedroom", 1),
    ):
        assert errors(said.split(), got.split()) == count
    assert errors([], ["a"]) == errors(["a"], []) == 1


def test_words_are_plain() -> None:
    assert words("Hmm, “Turn-up” the TV!") == ["turn", "up", "the", "tv"]
    assert words("...") == []
