"""A request for a sound that nothing is called is read as the nearest sound; what is a name, or no request, is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundflow.perceive.asked import asked_tags
from soundflow.perceive.nearest import NAMES, distance, heard_as, read
from soundflow.perceive.sound import labels

_NAMED = """
Dog|Bark|Crow|Beep, bleep|Glass|Shatter|Breaking|Water|Bee, wasp, etc.|Duck|Bell|Church bell|Cat|Sneeze|Cough|Laughter|
Blender|Whistling|Rain|Lion|Knock|Tap
"""
LABELS = tuple(_NAMED.replace("\n", "").split("|"))


@pytest.mark.parametrize(
    ("heard", "read_as"),
    [
        ("Can you listen for a single reap?", "Can you listen for a single beep?"),
        ("I changed my mind, tell me about a single beat.", "I changed my mind, tell me about a single beep."),
        ("Listen for some great and glass instead, please.", "Listen for some breaking glass instead, please."),
        ("If you hear some roaming water, let me know.", "If you hear some running water, let me know."),
    ],
)
def test_the_name_that_sounds_like_it_takes_its_place(heard: str, read_as: str) -> None:
    found = read(heard, LABELS)
    assert found.text == read_as
    assert found.name
    assert found.name in read_as


@pytest.mark.parametrize(
    "text",
    [
        "Tell me when you hear a dog.",
        "Tell me when you hear a church bell ringing.",
        "Let me know when you hear a blender.",
        "Tell me when you hear the mail.",
        "Now listen for an open, not alone.",
        "Tell me about the weather.",
        "Tell me when you hear my name.",
        "Listen for anything.",
        "Did you hear what I said?",
        "I heard that before.",
        "Make that ten minutes.",
        "Tell me when you hear somebody at the gate.",
        "What a nice day it is.",
        "",
    ],
)
def test_names_and_plain_words_stay(text: str) -> None:
    found = read(text, LABELS)
    assert (found.text, found.name) == (text, "")


def test_of_what_was_heard_the_nearest_is_meant() -> None:
    dog, beep, crow = (LABELS.index(x) for x in ("Dog", "Beep, bleep", "Crow"))
    assert heard_as("How often did you hear a duck?", LABELS, {dog, crow}) == [dog]
    assert heard_as("How often did you hear a single bee?", LABELS, {beep, crow}) == [beep]
    assert heard_as("How often did you hear a lion?", LABELS, {dog, crow}) == []
    assert heard_as("How often?", LABELS, {dog}) == heard_as("How often did you hear a dog?", LABELS, ()) == []


def test_a_distance_is_none_to_itself_and_the_same_both_ways() -> None:
    assert all(distance(x, x) == 0 for x in NAMES)
    assert distance("knock", "nock") == 0
    assert distance("fone", "phone") == 0
    assert distance("beep", "peep") < distance("beep", "reap") < distance("beep", "siren") <= 1
    assert distance("duck", "dog") == pytest.approx(distance("dog", "duck"))
    assert distance("", "") == 0


def test_each_name_is_one_of_a_sound(nano_parts: Path) -> None:
    known = labels(nano_parts / "sound" / "yamnet.tflite")
    assert [x for x in NAMES if not asked_tags(x, known).any()] == []
