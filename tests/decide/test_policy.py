from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundflow.decide.policy import LIKELIER, WARY, Calibration, DecisionPolicy, dial, raised
from soundflow.errors import ConfigError
from soundflow.types import Kind

LOUD = [0.0, 5.0, 0.0]


@given(st.lists(st.floats(-30, 30), min_size=3, max_size=3))
def test_probabilities_sum_to_one(logits):
    p = Calibration(2.0, (0.1, -0.2, 0.3)).probabilities(logits)
    assert math.isclose(sum(p), 1.0, abs_tol=1e-9)


def test_dial_is_monotone_and_its_ends_are_never_and_always():
    values = [dial(0.4, x / 10) for x in range(11)]
    assert values[0] == math.inf
    assert values[-1] == 0.0
    assert values == sorted(values, reverse=True)
    assert math.isclose(dial(0.4, 0.5), 0.4)
    with pytest.raises(ConfigError, match="proactivity"):
        dial(0.5, 1.5)


def test_speaks_then_holds_then_may_speak_again():
    policy = DecisionPolicy(Calibration(), hold_chunks=2)
    state = policy.init_state()
    kinds = [policy.decide(k, LOUD, state, can_act=True).kind for k in range(5)]
    assert kinds == [Kind.SPEAK, Kind.SILENT, Kind.SILENT, Kind.SPEAK, Kind.SILENT]


def test_a_closed_turn_is_answered_within_the_hold():
    policy = DecisionPolicy(Calibration(), hold_chunks=5)
    state = policy.init_state()
    policy.decide(0, LOUD, state, can_act=True)
    assert policy.decide(1, LOUD, state, can_act=True, release=True).kind is Kind.SPEAK


def test_act_needs_tools():
    policy = DecisionPolicy(Calibration())
    act = [0.0, 0.0, 5.0]
    assert policy.decide(0, act, policy.init_state(), can_act=True).kind is Kind.ACT
    without = policy.decide(0, act, policy.init_state(), can_act=False)
    assert without.kind is Kind.SPEAK
    assert without.p[Kind.ACT] == 0.0


def test_calibration_file_is_strict(tmp_path):
    path = tmp_path / "calibration.json"
    saved = Calibration(1.5, (0.0, 0.5, -0.5), 0.3, 0.6)
    saved.save(path)
    assert Calibration.load(path) == saved
    path.write_text('{"temprature": 1}')
    with pytest.raises(ConfigError, match="temprature"):
        Calibration.load(path)


def test_after_an_announcement_the_next_needs_more():
    policy = DecisionPolicy(Calibration(speak_threshold=0.5), hold_chunks=0, wary_chunks=3)
    faint, state = [0.0, WARY - 0.1, -9.0], policy.init_state()
    assert policy.decide(0, faint, state, can_act=True).kind is Kind.SPEAK
    policy.announced(0, state)
    kinds = [policy.decide(k, faint, state, can_act=True).kind for k in range(1, 6)]
    assert kinds == [Kind.SILENT] * 3 + [Kind.SPEAK] * 2
    policy.announced(6, state)
    assert policy.decide(7, [0.0, WARY + 0.1, -9.0], state, can_act=True).kind is Kind.SPEAK
    assert policy.decide(7, faint, state, can_act=True, release=True).kind is Kind.SPEAK, "an answer is not held back"


def test_the_ends_of_the_dial_cannot_be_raised():
    assert raised(0.0, WARY) == 0.0
    assert raised(math.inf, WARY) == math.inf
    assert math.isclose(raised(dial(0.4, 0.75), WARY), 0.4)


def test_speech_that_cut_our_reply_needs_less_evidence():
    policy = DecisionPolicy(Calibration())
    weak = [1.0, 0.0, 0.0]
    assert policy.decide(0, weak, policy.init_state(), can_act=True, release=True).kind is Kind.SILENT
    assert policy.decide(0, weak, policy.init_state(), can_act=True, release=True, likelier=LIKELIER).kind is Kind.SPEAK
    assert policy.decide(0, weak, policy.init_state(), can_act=True, likelier=LIKELIER).kind is Kind.SILENT
    never = DecisionPolicy(Calibration(), proactivity=0.0)
    assert never.decide(0, LOUD, never.init_state(), True, release=True, likelier=LIKELIER).kind is Kind.SILENT
