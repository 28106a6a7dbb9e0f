"""Spoken requests point at tags, replace one another, and are taken back."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.perceive.standing import Standing, request

LABELS = ("Dog", "Cat", "Meow", "Rain", "Siren", "Speech")


def names(standing: Standing) -> set[str]:
    return {LABELS[i] for i in np.flatnonzero(standing.tags)}


@pytest.mark.parametrize(
    "text", ["Tell me when you hear a dog.", "If you hear a dog, let me know.", "Can you listen for a dog?"]
)
def test_a_request_points_at_its_sound(text: str) -> None:
    standing = Standing("", LABELS)
    assert standing.hear(text)
    assert names(standing) == {"Dog"}
    assert not standing.hear("The dog is asleep."), "a mention asks for nothing"
    assert names(standing) == {"Dog"}


@pytest.mark.parametrize(
    "text", ["Forget that, watch out for a cat now.", "No, listen for a cat instead.", "Make that a cat, please."]
)
def test_a_change_replaces_what_was_asked_for(text: str) -> None:
    standing = Standing("", LABELS)
    standing.hear("Tell me when you hear a dog.")
    assert standing.hear(text)
    assert names(standing) == {"Cat"}


@pytest.mark.parametrize(
    "text", ["Never mind the dog.", "Stop listening for a dog.", "Ignore the dog from now on.", "Cancel that, please."]
)
def test_what_is_taken_back_is_gone_and_the_instruction_stays(text: str) -> None:
    standing = Standing("Tell me when you hear rain.", LABELS)
    standing.hear("Tell me when you hear a dog.")
    assert names(standing) == {"Dog", "Rain"}
    assert standing.hear(text)
    assert names(standing) == {"Rain"}


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("I do not need that any more.", True),
        ("That, you're not needing that anymore.", True),  # as the recogniser heard it
        ("I no longer need it.", True),
        ("Never mind that.", True),
        ("He does not live here any more.", False),
        ("It does not rain any more.", False),
    ],
)
def test_a_request_is_taken_back_without_its_name(text: str, over: bool) -> None:
    standing = Standing("", LABELS)
    standing.hear("Tell me when you hear a dog.")
    assert standing.hear(text) is over
    assert standing.newest.asks is not over


def test_whether_each_sound_is_to_be_told() -> None:
    assert Standing("Every time you hear a cat, say how many there were.", LABELS).each
    standing = Standing("", LABELS)
    standing.hear("Tell me when you hear a dog.")
    assert not standing.each
    assert standing.hear("Tell me each time you hear a dog.")
    assert standing.each


def test_a_snapshot_holds_what_was_asked_for_by_voice() -> None:
    standing = Standing("", LABELS)
    standing.hear("Count how often you hear a dog.")
    other = Standing("", LABELS)
    other.restore(standing.snapshot())
    assert names(other) == {"Dog"}
    assert other.each


@pytest.mark.parametrize(
    ("instruction", "wanted"),
    [
        ("Tell me when you hear a dog.", {"Dog"}),
        ("If you hear rain, let me know.", {"Rain"}),
        ("Transcribe the speech.", set()),
        ("You guard a house with a dog.", set()),
        ("Ignore the dog. Let me know when it starts to rain.", {"Rain"}),
    ],
)
def test_of_what_an_instruction_names_that_is_wanted_which_it_asks_to_be_told_of(instruction, wanted) -> None:
    standing = Standing(instruction, LABELS)
    assert {LABELS[i] for i in np.flatnonzero(standing.wanted)} == wanted
    assert wanted <= names(standing)
    standing.hear("Listen for a cat, please.")
    assert {LABELS[i] for i in np.flatnonzero(standing.named)} == wanted | {"Cat"}
    assert {LABELS[i] for i in np.flatnonzero(standing.wanted)} == wanted | {"Cat", "Meow"}, "with its kinds"


@pytest.mark.parametrize(
    ("text", "given", "spoken"),
    [
        ("Stop listening for rain.", False, True),
        ("You do not have to tell me any more.", False, True),
        ("Never mind, I will do it.", True, True),
        ("Stop, that was a joke.", True, True),
        ("No, listen for a cat instead.", False, True),
    ],
)
def test_an_instruction_is_taken_back_by_its_sound_or_in_clear_words(text, given, spoken) -> None:
    standing = Standing("Tell me when you hear rain.", LABELS)
    standing.hear(text)
    assert ("Rain" in names(standing)) is given
    if not given and "Cat" not in names(standing):
        assert {LABELS[i] for i in np.flatnonzero(standing.muted)} == {"Rain"}
    standing.hear("Tell me when you hear rain.")
    assert ("Rain" in names(standing)) is spoken
    assert not standing.muted.any() or "Cat" in text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('Let me know when you hear the word "six".', "six"),
        ('Report every "seven" that is said.', "seven"),
        ("Tell me when somebody says tomato.", "tomato"),
        ("Listen for the word go.", "go"),
        ('Answer with "yes" or "no".', ""),
        ("Tell me when you hear a dog.", ""),
    ],
)
def test_a_word_that_is_waited_for(text, word) -> None:
    assert request(text, LABELS).word == word


def test_a_question_about_what_was_waits_for_nothing() -> None:
    for text in ("How many times did you hear a dog?", "Tell me how often you heard a dog."):
        assert not request(text, LABELS).asks
    assert request("Wait until you have heard a dog twice, then tell me.", LABELS).asks
