"""A fall of the level is a pause; behind it only what has risen, or is there as the level rises, is heard anew."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.decide.pause import Pause


def _heard(levels: tuple[float, ...], p: tuple[float, ...]) -> list[bool]:
    pause, found = Pause(), []
    for level, x in zip(levels, p, strict=True):
        again = Pause.restore(pause.snapshot())
        heard, same = (one.hear(level, np.array([x], np.float32)) for one in (pause, again))
        assert heard == same
        found.append(bool(heard[0] > 0))
    return found


@pytest.mark.parametrize(
    ("levels", "p", "heard"),
    [
        ((-30.0, -37.0), (0.9, 0.9), [True, True]),
        ((-30.0, -39.0), (0.9, 0.9), [True, False]),
        ((-50.0, -30.0), (0.9, 0.9), [True, True]),
        ((-17.0, -33.0, -36.0, -34.0, -36.0), (0.84, 0.98, 0.83, 0.09, 0.09), [True, False, False, False, False]),
        ((-30.0, -50.0, -50.0, -50.0, -50.0), (0.9, 0.8, 0.3, 0.1, 0.2), [True, False, False, False, False]),
        ((-30.0, -50.0, -50.0, -50.0, -50.0), (0.9, 0.8, 0.3, 0.1, 0.3), [True, False, False, False, True]),
        ((-26.0, -39.0, -50.0, -26.0), (0.66, 0.73, 0.58, 0.11), [True, False, False, False]),
        ((-26.0, -39.0, -50.0, -26.0), (0.66, 0.73, 0.58, 0.6), [True, False, False, True]),
    ],
    ids=["no pause", "pause", "louder", "what is left", "a little more", "risen", "another sound", "again"],
)
def test_what_is_left_of_a_sound_behind_a_pause_is_no_second_one(
    levels: tuple[float, ...], p: tuple[float, ...], heard: list[bool]
) -> None:
    assert _heard(levels, p) == heard


def test_each_tag_is_heard_anew_by_itself() -> None:
    pause = Pause(2)
    for level, both in ((-30.0, (0.9, 0.9)), (-50.0, (0.5, 0.5)), (-50.0, (0.2, 0.2)), (-50.0, (0.1, 0.1))):
        pause.hear(level, np.array(both, np.float32))
    assert pause.hear(-50.0, np.array((0.1, 0.4), np.float32)).tolist() == [0.0, pytest.approx(0.4)]
