"""The end of a sound as a second chance to tell of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from soundflow.decide.familiar import LOOKED_BACK
from soundflow.decide.policy import Calibration, DecisionPolicy
from soundflow.errors import ConfigError
from soundflow.loop import Stream
from soundflow.types import Decision, Kind, Whole
from tests.tiny_model import CHUNK, tiny_model

SURE = Calibration(bias=(20.0, 0.0, 0.0), speak_threshold=0.95, answer_threshold=0.95, second_look=(0.0, 0.0, 0.0, 6.0))
BARK = Whole("Bark", 0.4, 0, 3 * CHUNK, margin=2.0, alert=1.0)
SILENT = Decision(9, Kind.SILENT, (0.8, 0.2, 0.0))


def test_probability_is_the_sum_of_what_is_known() -> None:
    fit = Calibration(second_look=(0.5, 1.0, 0.5, -2.0))
    assert fit.looked_again(BARK, 0.5) == pytest.approx(0.5)
    assert fit.looked_again(replace(BARK, alert=3.0), 0.5) == pytest.approx(0.881, abs=1e-3)
    assert fit.looked_again(BARK, 0.881) == pytest.approx(0.731, abs=1e-3), "it was nearly told of at once"
    assert fit.looked_again(BARK, 0.0) == fit.looked_again(BARK, 1e-4) > 0
    assert Calibration().looked_again(BARK, 0.5) == 0.0


def test_what_was_thought_while_it_lasted_counts_and_nothing_before() -> None:
    fit = Calibration(speak_threshold=0.9, second_look=(0.0, 0.0, 2.0, 2.0))
    policy, state = DecisionPolicy(fit), DecisionPolicy(fit).init_state()
    logits = {chunk: (0.0, odds, -50.0) for chunk, odds in enumerate((3.0, -4.0, 0.0, 1.5, -4.0))}
    for chunk, heard in logits.items():
        assert policy.decide(chunk, heard, state, can_act=False, release=chunk == 3).kind in (Kind.SILENT, Kind.SPEAK)
    assert state.highest(0) == pytest.approx(0.953, abs=1e-3)
    assert state.highest(1) == pytest.approx(0.5), "chunk 3 was about what somebody had said"
    assert state.highest(5) == 0.0
    again = policy.look_again(SILENT, BARK, 1, state)
    assert again.p[Kind.SPEAK] == pytest.approx(1 / (1 + np.exp(-2.0)))
    other = policy.init_state()
    other.restore(state.snapshot())
    assert policy.look_again(SILENT, BARK, 1, other) == again
    for chunk in range(100):
        policy.decide(chunk, logits[0], other, can_act=False)
    assert len(other.thought) == LOOKED_BACK


def test_the_dial_the_hold_and_wariness_count() -> None:
    fit = Calibration(speak_threshold=0.6, second_look=(0.5, 1.0, 0.0, -1.0))  # p = 0.731
    policy = DecisionPolicy(fit, hold_chunks=2, wary_chunks=5)
    state = policy.init_state()
    assert policy.look_again(SILENT, BARK, 0, state) == Decision(
        9, Kind.SPEAK, (1 - 0.7310585786300049, 0.7310585786300049, 0.0)
    )
    assert state.until == 12
    assert policy.look_again(SILENT, BARK, 0, state).kind is Kind.SILENT, "it holds its tongue"
    state = policy.init_state()
    policy.announced(8, state)
    assert policy.look_again(SILENT, BARK, 0, state).kind is Kind.SILENT, "it is wary"
    shy = DecisionPolicy(fit, proactivity=0.25)
    assert shy.look_again(SILENT, BARK, 0, shy.init_state()).kind is Kind.SILENT
    never = DecisionPolicy(SURE, proactivity=0.0)
    assert never.look_again(SILENT, BARK, 0, never.init_state()).kind is Kind.SILENT


def test_what_was_decided_at_once_stays() -> None:
    policy = DecisionPolicy(SURE)
    for decided in (Decision(9, Kind.SPEAK, (0.3, 0.7, 0.0)), Decision(9, Kind.SILENT, (0.001, 0.999, 0.0))):
        assert policy.look_again(decided, BARK, 0, policy.init_state()) is decided


@pytest.mark.parametrize("value", ["[1, 2]", "[1, 2, 3, 4, 5]", '["a", 1, 2]', '"abc"'])
def test_a_calibration_file_is_checked(tmp_path: Path, value: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(f'{{"second_look": {value}}}')
    with pytest.raises(ConfigError, match="second_look"):
        Calibration.load(path)
    SURE.save(path)
    assert Calibration.load(path) == SURE


def test_a_file_that_knew_nothing_of_what_was_thought_is_read_as_before(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"second_look": [0.5, 1.0, -2.0]}')
    fit = Calibration.load(tmp_path / "calibration.json")
    assert fit.second_look == (0.5, 1.0, 0.0, -2.0)
    assert fit.looked_again(BARK, 0.9) == fit.looked_again(BARK, 0.1) == pytest.approx(0.5)


@pytest.fixture(scope="module")
def model(nano_parts):
    return replace(tiny_model(nano_parts), calibration=SURE)


def scene(twice: bool = False):
    """A ticking clock from 3 to 8 s, and quiet behind it."""
    audio, _ = sf.read(Path(__file__).parents[1] / "demo" / "house.flac", dtype="float32")
    clock, quiet = audio[: 8 * 16_000], audio[32 * 16_000 : 36 * 16_000] * 0
    quiet = quiet + np.random.default_rng(0).normal(0, 1e-3, len(quiet)).astype(np.float32)
    return np.concatenate([clock, quiet, clock, quiet] if twice else [clock, quiet])


def events_of(stream, audio):
    return stream.push(audio) + stream.close()


@pytest.mark.weights
def test_a_sound_is_told_of_at_its_end(model) -> None:
    events = events_of(Stream(model), scene())
    (whole,) = [e for e in events if e.type == "sound.whole"]
    assert (whole.onset, whole.offset) == (pytest.approx(2.8), pytest.approx(7.6))
    started = [e.t for e in events if e.type == "reply.started"]
    assert started == [whole.t]
    (spoken,) = [e for e in events if e.type == "decision" and e.decision == "speak"]
    assert spoken.p["speak"] == pytest.approx(0.9975, abs=1e-3)


@pytest.mark.weights
def test_the_same_sound_again_is_within_its_cool_down(model) -> None:
    events = events_of(Stream(model), scene(twice=True))
    assert sum(e.type == "sound.whole" for e in events) == 2
    assert sum(e.type == "reply.started" for e in events) == 1


@pytest.mark.weights
@pytest.mark.parametrize("how", [{"instruction": "Tell me when the phone rings."}, {"proactivity": 0.0}])
def test_who_asks_for_something_else_is_left_alone(model, how) -> None:
    events = events_of(Stream(model, **how), scene())
    assert any(e.type == "sound.whole" for e in events)
    assert not any(e.type == "reply.started" for e in events)


@pytest.mark.weights
def test_a_sound_that_was_never_near_being_told_of_needs_more(model) -> None:
    """The tiny model is as good as sure of silence in every chunk: 0.5 of its log-odds of 1e-4 take 4.6 of 6."""
    shy = replace(model, calibration=replace(SURE, second_look=(0.0, 0.0, 0.5, 6.0)))
    events = events_of(Stream(shy), scene())
    (whole,) = [e for e in events if e.type == "sound.whole"]
    assert not any(e.type == "reply.started" for e in events)
    at = next(e for e in events if e.type == "decision" and e.t == whole.t)
    assert at.p["speak"] == pytest.approx(1 / (1 + np.exp(4.605 - 6)), abs=1e-2)


@pytest.mark.weights
def test_without_it_nothing_is_told(model) -> None:
    events = events_of(Stream(replace(model, calibration=replace(SURE, second_look=()))), scene())
    assert not any(e.type == "reply.started" for e in events)
