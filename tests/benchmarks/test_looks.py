"""What a row knows of the sounds that ended in it, for the fit of the second look."""

from __future__ import annotations

import math
from typing import Any

import pytest

from benchmarks import second_look
from soundflow.errors import DataError

ROW: dict[str, Any] = {"id": "a", "chunk": 6400, "p_speak": [0.5, 0.0, 0.2, 0.9, 0.1], "wholes": [[4, 1.5, -2.0, 1]]}


def test_what_was_thought_while_it_lasted_is_its_highest_p_but_for_answers_to_talk():
    assert second_look.ended(ROW) == [(4, 1.5, -2.0, pytest.approx(math.log(9)))]
    spoken = ROW | {"transcripts": [{"t": 1.6, "final": True}, {"t": 1.2, "final": False}]}
    assert second_look.ended(spoken) == [(4, 1.5, -2.0, pytest.approx(math.log(0.25)))]
    never = ROW | {"p_speak": [0.5, 0.0, 0.0, 0.0, 0.0]}
    assert second_look.ended(never)[0][3] == pytest.approx(math.log(1e-4), abs=1e-3)


def test_a_replay_raises_the_chunk_in_which_it_ended():
    weights = (1.0, 0.5, 0.5, 0.0)  # 1.5 - 1.0 + log(9) / 2
    replayed = second_look.replayed(ROW, weights)
    assert replayed["p_speak"][:4] == ROW["p_speak"][:4]
    assert replayed["p_speak"][4] == pytest.approx(1 / (1 + math.exp(-0.5 - math.log(9) / 2)))


def test_rows_of_before_are_refused_by_name():
    with pytest.raises(DataError, match=r"first chunk were expected, got \[4, 1.5, -2.0\]"):
        second_look.ended(ROW | {"wholes": [[4, 1.5, -2.0]]})
