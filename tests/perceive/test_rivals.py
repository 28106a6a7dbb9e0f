"""What the encoder is sure of speaks against an alert, unless it is one, or like one."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.perceive.rivals import MOST, WEIGHT, Rivals

LABELS = (
    "Speech",
    "Siren",
    "Baby cry, infant cry",
    "Snoring",
    "Meow",
    "Animal",
    "Beep, bleep",
    "Wind noise (microphone)",
)
RIVALS = Rivals(LABELS)


def less(**p: float) -> float:
    tags = np.full((1, len(LABELS)), 0.01, np.float32)
    for name, value in p.items():
        tags[0, [x.startswith(name) for x in LABELS].index(True)] = value
    return float(RIVALS.less(tags)[0])


def test_a_sure_tag_that_is_no_alert_takes_from_the_branch() -> None:
    assert less(Snoring=0.9) == pytest.approx(WEIGHT * np.log(9), rel=1e-3)
    assert less(Snoring=0.9, Meow=0.8) == pytest.approx(less(Snoring=0.9))
    assert less(Snoring=0.999) == pytest.approx(WEIGHT * MOST)


def test_what_is_not_likely_or_led_by_an_alert_takes_nothing() -> None:
    assert less() == less(Snoring=0.5) == less(Meow=0.8, Baby=0.9) == 0.0
    assert less(Meow=0.9, Baby=0.8) == pytest.approx(WEIGHT * (np.log(9) - np.log(4)), rel=1e-3)


@pytest.mark.parametrize("name", ["Speech", "Animal", "Beep", "Wind", "Siren"])
def test_speech_scenes_parents_and_what_is_like_an_alert_are_no_rivals(name: str) -> None:
    assert less(**{name: 0.95}) == 0.0


def test_chunks_are_judged_each_for_itself() -> None:
    tags = np.full((3, len(LABELS)), 0.01, np.float32)
    tags[1, LABELS.index("Snoring")] = 0.9
    assert RIVALS.less(tags) == pytest.approx([0.0, WEIGHT * np.log(9), 0.0], rel=1e-3)
    assert Rivals(()).less(np.zeros((2, 0), np.float32)) == pytest.approx([0.0, 0.0])
