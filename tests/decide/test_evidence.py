"""The tags' bias on <speak>: up for an alert, down for quiet, for a named sound too, and none where it has no say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from soundflow.decide.evidence import Evidence
from soundflow.decide.policy import Calibration
from soundflow.decide.waited import Waited
from soundflow.errors import ConfigError
from soundflow.perceive.asked import asked_tags
from soundflow.types import FloatArray

LABELS = ("Speech", "Siren", "Cat", "Glass", "Music")
NONE = np.zeros(5, np.float32)


def weights(alert: float, branch: float, wanted: float = 0.0) -> Calibration:
    return Calibration(alert_weight=alert, branch_weight=branch, wanted_weight=wanted)


def _tags(**p: float) -> FloatArray:
    out = np.full(5, 0.001, np.float32)
    for name, value in p.items():
        out[LABELS.index(name)] = value
    return out


def test_an_alert_raises_and_quiet_lowers() -> None:
    evidence = Evidence(LABELS, weights(0.6, 0.0), "", NONE, NONE)
    assert evidence.bias([_tags(Siren=0.9)], []) == pytest.approx(0.6 * (np.log(9) + np.log(9)), rel=1e-3)
    assert evidence.bias([_tags(Glass=0.1)], []) == pytest.approx(0.0, abs=1e-5)
    assert evidence.bias([_tags(Cat=0.9)], []) < -1.0
    assert evidence.bias([_tags(Siren=0.9), _tags()], []) > 0, "the last chunk counts, too"
    assert evidence.bias([_tags(Siren=0.9), _tags(), _tags()], []) < 0
    assert evidence.bias([], []) == 0.0


def test_it_is_bounded() -> None:
    evidence = Evidence(LABELS, weights(0.6, 0.0), "", NONE, NONE)
    assert evidence.bias([_tags(Siren=1.0)], []) < 6
    assert evidence.bias([NONE], []) > -2


def test_a_named_sound_counts_as_an_alert_does() -> None:
    asked = np.array([0, 0, 1, 0, 0], np.float32)
    evidence = Evidence(LABELS, weights(0.6, 0.0), "Tell me when you hear a cat.", asked, asked)
    assert evidence.bias([_tags(Cat=0.9)], []) > 2
    assert evidence.bias([_tags(Siren=0.9)], []) > 2
    assert evidence.bias([_tags(Music=0.9)], []) < 0


def test_an_instruction_that_names_nothing_is_left_to_the_lalm() -> None:
    assert Evidence(LABELS, weights(0.6, 0.0), "Describe every sound.", NONE, NONE).bias([_tags(Siren=0.9)], []) == 0.0
    assert Evidence(LABELS, weights(0.0, 0.0), "", NONE, NONE).bias([_tags(Siren=0.9)], []) == 0.0


def test_the_branch_speaks_for_the_last_chunks():
    evidence = Evidence(LABELS, weights(0.0, 2.0), "", NONE, NONE)
    assert evidence.bias([NONE] * 4, [9.0, 5.0, 1.0, -3.0]) == pytest.approx(2.0), "the mean of the last three"
    assert evidence.bias([NONE], [-3.0]) == pytest.approx(-6.0)
    assert evidence.bias([], []) == 0.0
    both = Evidence(LABELS, weights(0.6, 1.0), "", NONE, NONE)
    assert both.bias([_tags(Glass=0.1)], [1.5]) == pytest.approx(1.5, abs=1e-5)


def test_the_branch_does_not_hold_back_a_sound_that_is_asked_for():
    asked = np.array([float(label == "Cat") for label in LABELS], np.float32)
    evidence = Evidence(LABELS, weights(0.0, 1.0), "Tell me when you hear a cat.", asked, asked)
    assert evidence.bias([_tags(Cat=0.9)], [-6.0]) > 2
    assert evidence.bias([_tags()], [-6.0]) < -4
    assert Evidence(LABELS, weights(0.0, 1.0), "Describe every sound.", NONE, NONE).bias([_tags()], [6.0]) == 0.0


def waited(evidence: Evidence, *tags: FloatArray) -> Waited:
    found = Waited()
    for each in tags:
        found.hear(evidence.wanted(each))
    return found


CAT = np.array([float(label == "Cat") for label in LABELS], np.float32)


def test_what_is_waited_for_has_a_say_of_its_own_that_no_other_sound_hides():
    evidence = Evidence(LABELS, weights(1.0, 1.0, 3.0), "Tell me when you hear a cat.", CAT, CAT)

    def bias(tags: FloatArray, alert: float) -> float:
        return evidence.bias([tags], [alert], waited(evidence, tags))

    assert bias(_tags(Cat=0.05), -6.0) == pytest.approx(0.0, abs=1e-5), "the branch knows no cats: its no is not heard"
    assert bias(_tags(Cat=0.5), -6.0) == pytest.approx(3 * np.log(19), rel=1e-3)
    assert bias(_tags(Cat=0.02), -6.0) < -2
    alone = Evidence(LABELS, weights(1.0, 1.0), "", NONE, NONE)
    assert bias(_tags(Siren=0.9), 4.0) == pytest.approx(alone.bias([_tags(Siren=0.9)], [4.0])), "an alarm is told of"


def test_once_told_of_it_has_no_say_until_it_has_stopped():
    evidence = Evidence(LABELS, weights(1.0, 1.0, 3.0), "Tell me when you hear a cat.", CAT, CAT)
    heard = waited(evidence, _tags(Cat=0.6))
    heard.told()
    assert heard.goes_on
    without = evidence.bias([_tags(Cat=0.001)], [-6.0], waited(evidence, _tags(Cat=0.001)))
    for p in (0.9, 0.95, 0.6):  # down by 2.5
        heard.hear(p)
        assert evidence.bias([_tags(Cat=p)], [-6.0], heard) < without + 3, "neither of its own nor as an alert"
    heard.hear(0.1)  # down by 5.1, and hardly there
    assert not heard.goes_on
    assert list(heard.heard) == [0.1], "how loud it was before counts no more"
    heard.hear(0.9)
    assert evidence.bias([_tags(Cat=0.9)], [-6.0], heard) > 10


def test_what_is_not_heard_cannot_have_been_told_of():
    quiet = Waited()
    quiet.told()
    quiet.hear(0.02)
    quiet.told()
    assert not quiet.goes_on
    again = Waited.restore(quiet.snapshot())
    again.hear(0.7)
    again.told()
    assert Waited.restore(again.snapshot()) == again
    assert again.goes_on
    assert not quiet.goes_on


def test_a_sound_that_is_named_and_not_waited_for_has_no_such_say():
    said, loud = ("You are a cat's friend.", CAT), _tags(Cat=0.9)
    named, wanted = (Evidence(LABELS, weights(0.0, 0.0, 3.0), *said, w) for w in (NONE, CAT))
    assert named.bias([loud], [], waited(named, loud)) == 0.0
    assert wanted.bias([loud], [], waited(wanted, loud)) > 10


def test_what_says_nothing_either_way_is_a_matter_of_the_calibration():
    fit = Calibration(alert_weight=2.0, wanted_weight=3.0, wanted_neutral=0.02)
    evidence = Evidence(LABELS, fit, "", NONE, NONE)
    assert evidence.bias([_tags(Siren=0.1)], []) == pytest.approx(0.0, abs=1e-5)
    assert evidence.bias([_tags(Siren=0.2)], []) == pytest.approx(2 * (np.log(0.25) - np.log(0.1 / 0.9)), rel=1e-4)
    asked = asked_tags("Tell me when you hear a cat.", LABELS)
    evidence, waited = Evidence(LABELS, fit, "Tell me when you hear a cat.", asked, asked), Waited()
    waited.hear(0.2)
    assert evidence.bias([_tags(Cat=0.2)], [], waited) == pytest.approx(
        3 * (np.log(0.25) - np.log(0.02 / 0.98)), rel=1e-4
    )


@pytest.mark.parametrize("key", ["wanted_neutral"])
def test_a_neutral_that_is_no_probability_is_refused(tmp_path, key):
    (tmp_path / "calibration.json").write_text(json.dumps({key: 0.0}))
    with pytest.raises(ConfigError, match=f"{key}: a number between 0 and 1 was expected, got 0.0"):
        Calibration.load(tmp_path / "calibration.json")
