"""What is told once, what is told again, and that the memory of it is bounded and can be put back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundflow.decide.announced import MAX_ANNOUNCED, OWN, Announced, announced_as
from soundflow.perceive.own import WIDTH, OwnSound
from soundflow.types import FloatArray, Perception, Vad, Words

SECOND = 16_000
KETTLE = OwnSound("kettle", "The kettle is boiling.", 0.5, np.zeros(WIDTH, np.float32), 0.0)
WIND, GLASS = (1.0, 0.0), (0.0, 1.0)


def heard(at_s: float, sound: tuple[float, ...] = (0.0, 0.0), own: tuple[float, ...] = ()) -> Perception:
    zeros: FloatArray = np.zeros(1, np.float32)
    vad, embedding = Vad((), False), np.array(sound, np.float32)
    return Perception(0, int(at_s * SECOND), zeros, embedding, zeros, vad, Words(), own=own)


def test_a_topic_is_told_again_when_its_cool_down_is_over() -> None:
    announced = Announced(30 * SECOND)
    assert [announced.tell("siren", heard(t)) for t in (1, 2, 30.9, 31, 40)] == [True, False, False, True, False]


@pytest.mark.parametrize(("each", "again"), [(False, False), (True, True)])
def test_what_is_asked_for_each_time_is_told_each_time(each: bool, again: bool) -> None:
    announced = Announced(30 * SECOND, asked=True, each=each)
    assert announced.tell("dog", heard(1))
    assert announced.tell("dog", heard(9)) is again


def test_the_same_sound_under_another_name_is_told_once_unless_sounds_are_asked_for() -> None:
    for asked in (False, True):
        announced = Announced(30 * SECOND, asked=asked)
        assert announced.tell("siren", heard(1, WIND))
        assert announced.tell("gunshot", heard(10, WIND)) is asked
        assert announced.tell("glass", heard(10, GLASS))


def test_a_new_name_of_what_was_just_told_has_the_cool_down_of_its_own() -> None:
    announced = Announced(30 * SECOND)
    assert announced.tell("laughter", heard(1))
    assert not announced.tell("cry", heard(3))
    assert not announced.tell("cry", heard(20)), "3 s was its announcement"
    assert announced.tell("cry", heard(33))


def test_a_taught_sound_silences_guesses_but_no_hazard() -> None:
    announced = Announced(30 * SECOND)
    assert not announced.tell("the sound of steam", heard(1, own=(0.2, 0.5)))
    assert announced.tell("the sound of steam", heard(1, own=(0.2, 0.4)))
    announced = Announced(30 * SECOND)
    announced.own_told(KETTLE.name, SECOND)
    assert announced.tell("alarm", heard(2, own=(0.9,)))
    assert not announced.own_due(KETTLE, 30 * SECOND)
    assert announced.own_due(replace(KETTLE, name="bell"), 30 * SECOND)
    assert announced.own_due(KETTLE, 31 * SECOND)
    assert set(announced.at) == {OWN + "kettle", "alarm"}


def test_the_oldest_topics_are_forgotten_first() -> None:
    announced = Announced(10_000 * SECOND, asked=True)
    for k in range(3 * MAX_ANNOUNCED):
        assert announced.tell(f"sound {k}", heard(k, WIND))
    assert list(announced.at) == [f"sound {k}" for k in range(2 * MAX_ANNOUNCED, 3 * MAX_ANNOUNCED)]
    assert len(announced.sounded) == MAX_ANNOUNCED


def test_a_snapshot_stays_as_it_was_and_goes_on_alike() -> None:
    first = Announced(30 * SECOND)
    first.tell("siren", heard(1, WIND))
    saved = first.snapshot()
    first.tell("glass", heard(9, GLASS))
    first.asked = first.each = True
    second = Announced(30 * SECOND, asked=True)
    second.tell("dog", heard(0))
    second.restore(saved | {"more": 1})
    assert (list(second.at), len(second.sounded), second.asked, second.each) == (["siren"], 1, False, False)
    assert not second.tell("gunshot", heard(10, WIND))
    assert second.tell("glass", heard(10, GLASS))


def test_what_it_is_about_is_the_first_group_or_the_strongest_sound() -> None:
    assert announced_as(("wind", "a smoke alarm")) == "alarm"
    assert announced_as(("wind", "rain")) == "wind"
    assert announced_as(()) == ""
