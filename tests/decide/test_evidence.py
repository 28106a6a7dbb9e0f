"""The tags' bias on <speak>: up for an alert, down for quiet, for a named sound too, and none where it has no say."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.decide.evidence import Evidence
from soundflow.types import FloatArray

LABELS = ("Speech", "Siren", "Cat", "Glass", "Music")
NONE = np.zeros(5, np.float32)


def _tags(**p: float) -> FloatArray:
    out = np.full(5, 0.001, np.float32)
    for name, value in p.items():
        out[LABELS.index(name)] = value
    return out


def test_an_alert_raises_and_quiet_lowers() -> None:
    evidence = Evidence(LABELS, 0.6, 0.0, "", NONE)
    assert evidence.bias([_tags(Siren=0.9)], []) == pytest.approx(0.6 * (np.log(9) + np.log(9)), rel=1e-3)
    assert evidence.bias([_tags(Glass=0.1)], []) == pytest.approx(0.0, abs=1e-5)
    assert evidence.bias([_tags(Cat=0.9)], []) < -1.0
    assert evidence.bias([_tags(Siren=0.9), _tags()], []) > 0, "the last chunk counts, too"
    assert evidence.bias([_tags(Siren=0.9), _tags(), _tags()], []) < 0
    assert evidence.bias([], []) == 0.0


def test_it_is_bounded() -> None:
    evidence = Evidence(LABELS, 0.6, 0.0, "", NONE)
    assert evidence.bias([_tags(Siren=1.0)], []) < 6
    assert evidence.bias([NONE], []) > -2


def test_a_named_sound_counts_as_an_alert_does() -> None:
    asked = np.array([0, 0, 1, 0, 0], np.float32)
    evidence = Evidence(LABELS, 0.6, 0.0, "Tell me when you hear a cat.", asked)
    assert evidence.bias([_tags(Cat=0.9)], []) > 2
    assert evidence.bias([_tags(Siren=0.9)], []) > 2
    assert evidence.bias([_tags(Music=0.9)], []) < 0


def test_an_instruction_that_names_nothing_is_left_to_the_lalm() -> None:
    assert Evidence(LABELS, 0.6, 0.0, "Describe every sound.", NONE).bias([_tags(Siren=0.9)], []) == 0.0
    assert Evidence(LABELS, 0.0, 0.0, "", NONE).bias([_tags(Siren=0.9)], []) == 0.0


def test_the_branch_speaks_for_the_last_chunks():
    evidence = Evidence(LABELS, 0.0, 2.0, "", NONE)
    assert evidence.bias([NONE, NONE, NONE], [5.0, 1.0, -3.0]) == pytest.approx(2.0)
    assert evidence.bias([NONE], [-3.0]) == pytest.approx(-6.0)
    assert evidence.bias([], []) == 0.0
    both = Evidence(LABELS, 0.6, 1.0, "", NONE)
    assert both.bias([_tags(Glass=0.1)], [1.5]) == pytest.approx(1.5, abs=1e-5)


def test_the_branch_does_not_hold_back_a_sound_that_is_asked_for():
    asked = np.array([float(label == "Cat") for label in LABELS], np.float32)
    evidence = Evidence(LABELS, 0.0, 1.0, "Tell me when you hear a cat.", asked)
    assert evidence.bias([_tags(Cat=0.9)], [-6.0]) > 2
    assert evidence.bias([_tags()], [-6.0]) < -4
    assert Evidence(LABELS, 0.0, 1.0, "Describe every sound.", NONE).bias([_tags()], [6.0]) == 0.0
