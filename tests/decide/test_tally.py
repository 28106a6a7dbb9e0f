"""How often a sound was heard: times begin, stop, overlap and are kept within bounds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from soundflow.decide.tally import MOST, Tally


def heard(*chunks: tuple[float, float]) -> Tally:
    """A tally of two labels, one chunk of ten samples after the other."""
    tally = Tally(2)
    for k, p in enumerate(chunks, 1):
        tally.hear(np.array(p, np.float32), 10 * k)
    return tally


OFF, ON = (0.01, 0.01), (0.9, 0.01)


@pytest.mark.parametrize(
    ("chunks", "times"),
    [
        ([OFF, OFF], 0),
        ([OFF, ON, ON, OFF], 1),
        ([ON, OFF, ON, OFF, OFF, ON], 3),
        ([ON, (0.5, 0.01), ON], 1),
        ([(0.1, 0.01), (0.09, 0.01), OFF], 1),
    ],
    ids=["silence", "one", "three, the last goes on", "a breath", "faint"],
)
def test_times_are_counted(chunks: list[tuple[float, float]], times: int) -> None:
    assert heard(*chunks).count([0], 1000) == times


def test_names_of_one_sound_that_overlap_are_one_time() -> None:
    tally = heard((0.9, 0.5), (0.9, 0.01), OFF, (0.01, 0.8), OFF)
    assert [tally.count(labels, 1000) for labels in ([0], [1], [0, 1], [])] == [1, 2, 2, 0]


def test_only_what_was_before_the_question_counts() -> None:
    tally = heard(ON, OFF, ON, OFF)
    assert [tally.count([0], until) for until in (5, 10, 29, 30)] == [0, 1, 1, 2]


def test_it_keeps_the_newest_times_and_no_more() -> None:
    tally = heard(*[ON, OFF] * (MOST + 5))
    assert tally.count([0], 10**9) == MOST
    assert tally.count([0], 100) == 0


def test_what_was_counted_goes_on_elsewhere() -> None:
    tally = heard(ON, OFF, ON, OFF, ON)
    again, other = Tally(2), Tally(2)
    again.restore(tally.snapshot())
    other.recall(json.loads(json.dumps(tally.memory())))
    tally.hear(np.array(OFF, np.float32), 60)
    again.hear(np.array(OFF, np.float32), 60)
    assert again.count([0], 1000) == tally.count([0], 1000) == 3
    assert other.count([0], 1000) == 2
