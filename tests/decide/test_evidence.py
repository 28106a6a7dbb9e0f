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
    evidence = Evidence(LABELS, 0.6, "", NONE)
    assert evidence.bias([_tags(Siren=0.9)]) == pytest.approx(0.6 * (np.log(9) + np.log(9)), rel=1e-3)
    assert evidence.bias([_tags(Glass=0.1)]) == pytest.approx(0.0, abs=1e-5)
    assert evidence.bias([_tags(Cat=0.9)]) < -1.0
    assert evidence.bias([_tags(Siren=0.9), _tags()]) > 0, "the last chunk counts, too"
    assert evidence.bias([_tags(Siren=0.9), _tags(), _tags()]) < 0
    assert evidence.bias([]) == 0.0


def test_it_is_bounded() -> None:
    evidence = Evidence(LABELS, 0.6, "", NONE)
    assert evidence.bias([_tags(Siren=1.0)]) < 6
    assert evidence.bias([NONE]) > -2


def test_a_named_sound_counts_as_an_alert_does() -> None:
    asked = np.array([0, 0, 1, 0, 0], np.float32)
    evidence = Evidence(LABELS, 0.6, "Tell me when you hear a cat.", asked)
    assert evidence.bias([_tags(Cat=0.9)]) > 2
    assert evidence.bias([_tags(Siren=0.9)]) > 2
    assert evidence.bias([_tags(Music=0.9)]) < 0


def test_an_instruction_that_names_nothing_is_left_to_the_lalm() -> None:
    assert Evidence(LABELS, 0.6, "Describe every sound.", NONE).bias([_tags(Siren=0.9)]) == 0.0
    assert Evidence(LABELS, 0.0, "", NONE).bias([_tags(Siren=0.9)]) == 0.0
