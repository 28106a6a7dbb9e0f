"""The content rule: what counts as saying the same, worked by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.task_content import chrf, content, judge, numbers, same_call, says, stem, wer


def test_words_that_mean_the_same_have_one_stem() -> None:
    assert len({stem(w) for w in ("sneeze", "sneezed", "sneezing", "sneezes")}) == 1
    assert stem("laughing") == stem("laughter")
    assert stem("dripping") == stem("drip")
    assert stem("dog") != stem("door")


def test_numbers_are_one_however_they_are_written() -> None:
    assert numbers("twenty-three") == numbers("23") == Counter({"23": 1})
    assert numbers("twice") == numbers("the second time") == numbers("2 times") == Counter({"2": 1})
    assert not numbers("the little one")


def test_a_quoted_word_has_to_be_said_whatever_word_it_is() -> None:
    assert says('I heard the word "go".', 'The word "go" was said.')
    assert not says('I heard the word "stop".', 'The word "go" was said.')
    assert not says("I heard a dog.", 'That was "off".')
    assert says('I heard the word "off".', 'That was "off".')


def test_content_is_what_tells_references_apart() -> None:
    assert content("You asked me to listen: I hear a dog.") == {"dog"}
    assert content("Sure, I will tell you.") == set()
    assert content("H, A, P, P, Y.") == {"h#a#p#p#y"}


@pytest.mark.parametrize(
    ("reply", "reference", "question", "right"),
    [
        ("Seven.", "Ten minus three is seven.", "What is ten minus three?", True),
        ("It is seven.", "Ten minus three is seven.", "What is ten minus three?", True),
        ("It is eight.", "Ten minus three is seven.", "What is ten minus three?", False),
        ("Ten minus three is seven or eight.", "Ten minus three is seven.", "What is ten minus three?", False),
        ("Paris.", "The capital of France is Paris.", "What is the capital of France?", True),
        ("The capital of France is Rome.", "The capital of France is Paris.", "What is the capital of France?", False),
        ("", "Okay.", "Listen for a dog.", False),
        ("Got it.", "Okay, I will listen for a dog.", "Listen for a dog.", True),
        ("Got it, a dog.", "Okay.", "Listen for a dog.", True),
        ("I hear a dog.", "Okay.", "Listen for a dog.", False),
        ("Paris is in France.", "Okay.", "Listen for a dog.", False),
        ("Okay, I stop.", "All right, cancelled.", "Never mind the dog.", True),
        ("Okay, I leave it.", "Sure, no more messages.", "Never mind the dog.", True),
        ("Yes, it is.", "No, it is not.", "Is it?", False),
        ("It is off.", "The bathroom light is on.", "Is the bathroom light on or off?", False),
        ("Yes, it is on.", "The bathroom light is on.", "Is the bathroom light on?", True),
        ("The kitchen light is on.", "The bathroom light is on.", "Is the bathroom light on?", False),
        ("I unlocked it.", "Yes, I locked the back door.", "Did I lock the back door?", False),
        ("H, A, P, P, Y.", "H, A, P, P, Y.", "How do you spell happy?", True),
        ("Happy.", "H, A, P, P, Y.", "How do you spell happy?", False),
    ],
)
def test_a_reply_has_to_say_what_the_reference_says_beyond_the_question(
    reply: str, reference: str, question: str, right: bool
) -> None:
    assert says(reply, reference, question) is right


def test_a_reminder_needs_its_words_but_not_its_number() -> None:
    about = "Remind me in six seconds to check the oven."
    assert says("Please check the oven.", "Six seconds are over, check the oven.", "", about)
    assert not says("Please call your mother.", "Please check the oven.", "", about)
    assert not says("Seven seconds are over.", "Six seconds are over.", "", about)
    assert says("Time is up.", "Six seconds are over.", "", about)


def test_a_sound_is_named_in_the_first_sentence_by_any_of_its_references() -> None:
    pool = ["That is an alarm. Make sure everyone is safe.", "I hear a smoke detector. If you see smoke, get out."]
    assert judge("sound", "A smoke detector! Leave now.", pool, "", "", False)[0]
    assert not judge("sound", "Make sure everyone is safe.", pool, "", "", False)[0]
    assert not judge("sound", "I hear a dog.", pool, "", "", False)[0]


def test_a_reply_that_was_cut_short_is_measured_against_as_much_of_the_reference() -> None:
    reference = ["Take two eggs, a cup of flour, a cup of milk and some salt. Fry thin cakes."]
    assert judge("says", "Take two eggs, a cup of", reference, "", "", True)[0]
    assert not judge("says", "Take two eggs, a cup of", [reference[0] + " Five, six."], "", "", False)[0]
    assert not judge("says", "A clear sky is blue", reference, "", "", True)[0]


def test_transcripts_by_word_errors_and_speaker() -> None:
    assert wer("one five two", "one five two") == 0.0
    assert wer("", "one") == 1.0
    assert wer("the cat sat down", "the cat sat there") == 0.25
    right, score = judge("transcript", "Speaker 1: five apples", ["Speaker 1: five apples"], "", "", False)
    assert right
    assert score == 1.0
    assert not judge(
        "transcript", "Speaker 2: five red apples there", ["Speaker 1: five red apples there"], "", "", False
    )[0]


def test_chrf_by_hand() -> None:
    assert chrf("abc", "abc") == pytest.approx(1.0)
    assert chrf("", "abc") == 0.0
    assert chrf("xyz", "abc") == 0.0
    # "abcd" for "abc": precisions 3/4, 2/3, 1/2, recalls 1, 1, 1; F2 = 5PR / (4P + R).
    p = (3 / 4 + 2 / 3 + 1 / 2) / 3
    assert chrf("ab cd", "abc") == pytest.approx(5 * p / (4 * p + 1))


def test_style_keeps_case_and_marks() -> None:
    assert judge("style", "the seventh month is july.", ["the seventh month is july."], "", "", False)[0]
    assert not judge("style", "The seventh month is July.", ["THE SEVENTH MONTH IS JULY."], "", "", False)[0]


def test_calls_by_name_and_every_slot() -> None:
    wanted = {"name": "set_light", "arguments": {"room": "kitchen", "percent": 50}}
    assert same_call({"name": "set_light", "arguments": {"percent": "50", "room": "kitchen"}}, wanted)
    assert not same_call({"name": "set_light", "arguments": {"room": "kitchen"}}, wanted)
    assert not same_call({"name": "set_lock", "arguments": wanted["arguments"]}, wanted)
    assert not same_call(None, wanted)
