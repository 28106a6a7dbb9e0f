"""What becomes a note, when it does, and which notes a question is answered from."""

from __future__ import annotations

from collections import deque

import pytest

from soundflow.decide.context import MAX_SAID
from soundflow.decide.notes import forget, known, sound_note, whole_note
from soundflow.types import Note, Sound, Whole


@pytest.mark.parametrize("sound", [Sound("Dog", 0.9, 100, offset=900), Sound("Speech", 0.9, 100)])
def test_the_end_of_a_sound_and_speech_make_no_note(sound: Sound) -> None:
    assert sound_note(sound) is None


def test_the_beginning_of_a_sound_makes_one() -> None:
    note = sound_note(Sound("Dog", 0.9, 100))
    assert note is not None
    assert note.sample == 100
    assert "dog" in note.text.lower()


def test_what_has_left_the_cache_is_noted_once_in_a_row() -> None:
    names = ["dog", "dog", "cat", "dog", "bird"]
    fresh = deque((chunk, Note(chunk * 10, name)) for chunk, name in enumerate(names))
    notes: deque[Note] = deque()
    assert forget(fresh, notes, -1) == []
    assert forget(fresh, notes, 1) == [Note(0, "dog")]
    assert forget(fresh, notes, 3) == [Note(20, "cat"), Note(30, "dog")]
    assert [note.text for note in notes] == ["dog", "cat", "dog"]
    assert [note.text for _, note in fresh] == ["bird"]


def test_a_whole_sound_takes_the_place_of_its_beginning_and_of_no_other() -> None:
    fresh = deque([(1, Note(100, "a dog")), (2, Note(90, "a dog", 300)), (3, Note(900, "a dog", 1200))])
    notes: deque[Note] = deque()
    assert forget(fresh, notes, 9) == [Note(100, "a dog"), Note(900, "a dog", 1200)]
    assert [*notes] == [Note(90, "a dog", 300), Note(900, "a dog", 1200)]
    assert whole_note(Whole("Bark", 0.4, 90, 300)) == Note(90, "a dog barking", 300)


def test_a_question_gets_sounds_and_the_last_of_what_was_said_before_it() -> None:
    said = [Note(100 * k, f"said {k}") for k in range(MAX_SAID + 3)]
    found = known([Note(5, "dog")], [(3, Note(450, "cat"))], said, asked=said[-1].sample)
    assert [n.sample for n in found] == sorted(n.sample for n in found)
    assert [n.text for n in found if not n.text.startswith("said")] == ["dog", "cat"]
    assert [n.text for n in found if n.text.startswith("said")] == [f"said {k}" for k in range(2, MAX_SAID + 2)]
