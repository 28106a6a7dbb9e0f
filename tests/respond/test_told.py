"""Questions about what was told, against what was said: the right sentence, and none where the question is another."""

from __future__ import annotations

import pytest

from soundflow.respond.told import PAUSE_S, told
from soundflow.types import Note

S = 16_000
SAID = (
    "My dog is called Max.",
    "How much is seven plus five?",
    "My cat is called Tom.",
    "The meeting is on Friday.",
    "My daughter is nine years old.",
    "I put my glasses on the shelf.",
    "Turn on the light in the kitchen.",
    "My room number is thirty two.",
)


def notes(said: tuple[str, ...], every_s: float = 8.0) -> list[Note]:
    found = [Note(round(k * every_s * S), f'"{text}"') for k, text in enumerate(said)]
    return sorted([*found, Note(3 * S, "a dog barking")], key=lambda n: n.sample)


def ask(text: str, said: tuple[str, ...] = SAID) -> str:
    return told(text, notes(said), 8 * len(said) * S)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("What is the name of my dog?", "I noted: My dog is called Max."),
        ("what is my cat called", "I noted: My cat is called Tom."),
        ("When is the meeting?", "I noted: The meeting is on Friday."),
        ("Can you tell me when the meeting is?", "I noted: The meeting is on Friday."),
        ("Do you remember when the meeting is?", "I noted: The meeting is on Friday."),
        ("How old is my daughter?", "I noted: My daughter is nine years old."),
        ("Where are my glasses?", "I noted: I put my glasses on the shelf."),
        ("What did I say my room number is?", "I noted: My room number is thirty two."),
        ("What did I just say?", "I noted: My room number is thirty two."),
    ],
)
def test_it_is_quoted(text: str, answer: str) -> None:
    assert ask(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "How much is six plus eight?",
        "Tell me what nine times nine is.",
        "Where is my umbrella?",
        "What time is it?",
        "Tell me when the dog barks.",
        "Remind me when the meeting begins.",
        "My dog is hungry.",
        "Turn off the light.",
    ],
)
def test_other_talk_is_left_to_the_model(text: str) -> None:
    assert ask(text) == ""


def test_a_question_is_no_answer() -> None:
    assert ask("Where are my keys?", ("Where are my keys?", "Do you know where my keys are?")) == ""


def test_what_was_told_last_holds() -> None:
    assert ask("Where are my keys?", ("My keys are in the hall.", "My keys are in the car.")).endswith("in the car.")


LIST = ("Put milk on my list.", "What is nine minus four?", "Add bread to my list.", "I need soap on my list.")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("What was the first thing on my list?", "I noted: Put milk on my list."),
        ("Which thing is second on my list?", "I noted: Add bread to my list."),
        ("What was the last thing I told you?", "I noted: I need soap on my list."),
        ("What was the ninth thing on my list?", ""),
    ],
)
def test_places_in_a_list(text: str, answer: str) -> None:
    assert ask(text, LIST) == answer


def test_single_words_are_counted_apart() -> None:
    said = ("Remember my words, please.", "House.", "cat", "Nine.")
    assert ask("What was the second word?", said) == "I noted: Cat."


def test_a_list_is_of_the_newest_conversation() -> None:
    old = [Note(0, '"Put milk on my list."')]
    later = round((PAUSE_S + 60) * S)
    new = [Note(later, '"Put soap on my list."'), Note(later + 8 * S, '"Add rice to my list."')]
    assert told("What was the first thing on my list?", [*old, *new], later + 20 * S) == "I noted: Put soap on my list."


def test_nothing_was_said() -> None:
    assert told("What is my name?", [], 0) == ""
