"""A fall of the level is a pause, for as long as the encoder's window holds what was before it."""

from __future__ import annotations

import pytest

from soundflow.decide.pause import Pause


@pytest.mark.parametrize(
    ("levels", "paused"),
    [
        ((-50.0,), False),
        ((-30.0, -39.0), True),
        ((-30.0, -37.0), False),
        ((-30.0, -50.0, -50.0), True),
        ((-30.0, -50.0, -50.0, -50.0), False),
        ((-50.0, -30.0), False),
    ],
)
def test_a_fall_of_the_level_is_a_pause_while_the_window_lasts(levels: tuple[float, ...], paused: bool) -> None:
    pause = Pause()
    *before, newest = levels
    for level in before:
        pause.hear(level)
    again = Pause.restore(pause.snapshot())
    assert pause.hear(newest) is again.hear(newest) is paused
