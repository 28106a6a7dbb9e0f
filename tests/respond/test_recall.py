"""Questions about what was heard, against notes: right answers, and none where the question is another."""

from __future__ import annotations

import pytest

from soundflow.perceive.labels import ALERTING, GENERIC, display_name
from soundflow.respond.recall import ago, events, names_of, recall
from soundflow.types import Note

S = 16_000
LABELS = tuple(
    dict.fromkeys(
        [*GENERIC, *(x for xs in GENERIC.values() for x in xs), *(x for xs in ALERTING.values() for x in xs), "Rain"]
    )
)
NOTES = [
    Note(10 * S, display_name("Bark")),
    Note(30 * S, '"How much is seven plus five?"'),
    Note(50 * S, display_name("Telephone bell ringing")),
    Note(60 * S, '"Which colour has grass?"'),
    Note(200 * S, display_name("Rain")),
]
NOW = 230 * S


def ask(text: str) -> str:
    return recall(text, NOTES, NOW, LABELS)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Did you hear a dog?", "Yes, I heard a dog barking about 4 minutes ago."),
        ("have you heard the phone ring", "Yes, I heard a phone ringing about 3 minutes ago."),
        ("Has the dog barked?", "Yes, I heard a dog barking about 4 minutes ago."),
        ("Did you hear a doorbell?", "No, I have not noticed the doorbell."),
        ("Did you notice any siren while I was away?", "No, I have not noticed a siren."),
        ("When did the phone ring?", "I heard a phone ringing about 3 minutes ago."),
        ("What did you hear before the phone?", "I heard a dog barking before that."),
        ("Which sound came after the dog?", "I heard a phone ringing after that."),
        ("What did you hear after the rain?", "I noticed nothing after that."),
        ("What was before the siren, did you notice?", "I have not noticed a siren."),
        ("What did you hear before my last question?", "I heard a phone ringing before that."),
        ("What was the sound before I asked how much is seven plus five?", "I heard a dog barking before that."),
        ("What was the first sound you heard?", "The first sound that I noticed was a dog barking."),
        (
            "When did you notice the first sound?",
            "The first sound that I noticed was a dog barking, about 4 minutes ago.",
        ),
        ("What was that noise?", "I heard rain."),
        ("What did you hear before my question about seven plus nine?", "I heard a dog barking before that."),
        ("What have you heard so far?", "I heard a dog barking, a phone ringing and rain."),
        ("What did you hear two questions ago?", "I heard a dog barking before that."),
        ("What did you hear one question ago?", "I heard a phone ringing before that."),
        ("What did I miss?", "I heard a dog barking, a phone ringing and rain."),
    ],
)
def test_it_is_looked_up(text: str, answer: str) -> None:
    assert ask(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Tell me when you hear a dog.",
        "Let me know if you hear the doorbell.",
        "What is the name of my dog?",
        "How many times did the dog bark?",
        "What sound does a cow make?",
        "What happened in 1945?",
        "Have you heard of Shakespeare?",
        "Did you hear what I said?",
        "Did you turn on the alarm?",
        "Can you hear me?",
        "What did I say before the meeting?",
        "What time is it?",
        "What did you hear nine questions ago?",
    ],
)
def test_other_questions_are_left_to_the_model(text: str) -> None:
    assert ask(text) == ""


def test_without_notes_only_what_is_named_can_be_denied() -> None:
    assert recall("What did you hear?", [], NOW, LABELS) == ""
    assert recall("Did you hear a dog?", [], NOW, LABELS).startswith("No, I have not noticed a dog")


def test_a_sound_has_the_names_of_its_kinds() -> None:
    assert "a dog barking" in names_of("a dog", LABELS)
    assert display_name("Ambulance (siren)") in names_of("the siren", LABELS)
    assert names_of("the weather", LABELS) == ()


def test_tags_that_begin_together_are_one_sound() -> None:
    names = ("Animal", "Duck", "Quack"), ("Power tool", "Drill")
    notes = [Note((10 + 20 * k) * S + j, display_name(x)) for k, xs in enumerate(names) for j, x in enumerate(xs)]
    assert [e.name for e in events(notes)] == [display_name("Duck"), display_name("Drill")]
    labels = (*LABELS, "Duck", "Quack", "Drill")
    assert recall("What did you hear before the drill?", notes, NOW, labels) == "I heard a duck before that."
    assert recall("Did you hear an animal?", notes, NOW, labels).startswith("Yes, I heard a duck")
    assert recall("Did you hear the door-bell?", notes, NOW, labels) == "No, I have not noticed the doorbell."


def test_a_taught_sound_can_be_asked_for() -> None:
    notes = [Note(0, display_name("tea kettle"))]
    assert recall("Did you hear the tea kettle?", notes, S, (*LABELS, "tea kettle")).startswith("Yes")


@pytest.mark.parametrize(
    ("s", "said"),
    [
        (0, "just now"), (12, "about 10 seconds ago"), (49, "about 50 seconds ago"), (70, "about a minute ago"),
        (150, "about 2 minutes ago"), (4000, "about an hour ago"), (7300, "about 2 hours ago"),
    ],
)  # fmt: skip
def test_times_as_one_says_them(s: int, said: str) -> None:
    assert ago(s * S) == said


def test_a_misheard_question_is_the_one_that_is_spelled_alike() -> None:
    notes = [
        Note(10 * S, "a dog barking"),
        Note(20 * S, '"What is the opposite of art?"'),
        Note(30 * S, "rain"),
        Note(40 * S, '"What is the opposite of big?"'),
    ]
    assert recall("What was the sound before my question about the opposite of hot?", notes, NOW, LABELS) == (
        "I heard a dog barking before that."
    )


def test_a_sound_as_a_whole_names_what_was_heard_while_it_lasted() -> None:
    notes = [Note(10 * S, "a mouse"), Note(10 * S, "a baby crying", 18 * S), Note(16 * S, "a dog barking")]
    (heard,) = events(notes)
    assert heard.name == "a baby crying"
    assert set(heard.names) == {"a baby crying", "a mouse", "a dog barking"}
    assert recall("What was the last sound?", notes, NOW, LABELS) == "I heard a baby crying."
    assert recall("Did you hear a dog?", notes, NOW, LABELS).startswith("Yes, I heard a dog")
    assert len(events([*notes, Note(19 * S, "rain")])) == 2
