"""Calibration: the scale and thresholds that made-up logits ask for, each kind of trigger in its own chunks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundflow.decide.policy import Calibration, DecisionPolicy
from soundflow.errors import DataError
from soundflow.scoring import best_threshold
from soundflow.types import Kind
from training.calibrate import (
    LIKELY,
    chunks,
    confidence_error,
    crossed,
    fit,
    fit_scale,
    likely_error,
    outcomes,
    probabilities,
    with_evidence,
)
from training.evaluate import Scored
from training.features import Features

QUIET = (6.0, 0.0, -2.0)


def stream(name, due=(), closed=(), speech=False, tools="", chunks=20, at=None):
    """One scored stream; `at`: chunk -> logits, all others are `QUIET`."""
    logits = np.tile(np.array(QUIET, np.float32), (chunks, 1))
    for k, row in (at or {}).items():
        logits[k] = row
    sample = {
        "id": name, "subtask": name.rstrip("0123456789"), "tools": tools, "instruction": "",
        "responses": [{}] * len(due), "speech": [{}] if speech else [], "events": [],
    }  # fmt: skip
    return Scored((sample, None), logits, tuple(due), frozenset(closed))


def cal():
    """Sounds at log-odds 2 over 0 (2 behind the due chunk), answers at 4 over 3 and acts at 5 over 1."""
    made = []
    for i in range(8):
        made += [
            stream(f"sound{i}", [(5, 9, Kind.SPEAK)], at={11: (0, 2, -9)}),
            stream(f"quiet{i}", at={7: (0, 0, -9)}),
            stream(f"answer{i}", [(9, 9, Kind.SPEAK)], {9}, True, at={9: (0, 4, -9)}),
            stream(f"talk{i}", (), {9}, True, at={9: (0, 3, -9), 3: (0, 8, -9)}),
            stream(f"act{i}", [(9, 9, Kind.ACT)], {9}, True, "home", at={9: (0, -9, 5)}),
            stream(f"aside{i}", (), {9}, True, "home", at={9: (0, -9, 1)}),
        ]
    return made


def test_each_kind_of_trigger_is_cut_between_its_own_sides():
    found = fit(cal())
    policy = DecisionPolicy(found.calibration)
    can_act = {"answer": False, "talk": False, "sound": False, "quiet": False, "act": True, "aside": True}
    logits = {"sound": (0, 2, -9), "quiet": (0, 0, -9), "answer": (0, 4, -9), "talk": (0, 3, -9), "act": (0, -9, 5),
              "aside": (0, -9, 1)}  # fmt: skip
    kinds = {
        name: policy.decide(0, row, policy.init_state(), can_act[name], name not in ("sound", "quiet")).kind
        for name, row in logits.items()
    }
    wanted = {"sound": Kind.SPEAK, "answer": Kind.SPEAK, "act": Kind.ACT}
    assert kinds == {name: wanted.get(name, Kind.SILENT) for name in logits}
    assert found.balanced_accuracy == 1.0
    assert found.false_alarms_hour == 0.0


def test_talk_is_left_alone_whatever_questions_it_costs():
    """Two of eighteen streams of talk are surer than the answers; for both sides alike it were best to answer those."""
    loud = [stream(f"talk{i}", (), {9}, True, at={9: (0, 6 + i / 100, -9)}) for i in (8, 9)]
    scored = [*cal(), *loud]
    found = fit(scored).calibration
    answers = outcomes(scored, replace(Calibration(), temperature=found.temperature, bias=found.bias), "answer")
    left = [o.score < found.answer_threshold for o in answers if not o.respond]
    assert sum(left) / len(left) >= 0.94  # the 98 % of eighteen lies between the two
    assert not any(o.score >= found.answer_threshold for o in answers if o.respond)
    assert best_threshold(answers) < found.answer_threshold


def test_an_answer_is_judged_where_an_utterance_closes_and_a_reminder_as_a_sound():
    """The chatter before the close counts against sounds, not answers; what is due without a close is no answer."""
    plain = Calibration()
    answers = outcomes(cal(), plain, "answer")
    assert max(o.score for o in answers if not o.respond) == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)
    timer = stream("timer0", [(9, 9, Kind.SPEAK)], {3}, True)
    assert len(outcomes([*cal(), timer], plain, "answer")) == len(answers)
    assert len(outcomes([*cal(), timer], plain, "sound")) == len(outcomes(cal(), plain, "sound")) + 1


def test_without_tools_an_act_is_read_as_speech():
    one, two = (stream("sound9", [(5, 9, Kind.SPEAK)], tools=t, at={9: (0, 1, 1)}) for t in ("", "home"))
    score = {t: outcomes([s, *cal()], Calibration(), "sound")[0].score for t, s in (("", one), ("home", two))}
    assert score[""] == pytest.approx(2 * score["home"])


def test_the_scale_finds_temperature_and_bias():
    """Kinds drawn from softmax((z + b) / 2): the fit of z has to find 2 and b again."""
    rng = np.random.default_rng(0)
    z = rng.normal(0, 4, (20_000, 3))
    true = Calibration(temperature=2.0, bias=(0.0, 1.0, -1.0))
    p = probabilities(z, true)
    kinds = (rng.random((len(z), 1)) > p.cumsum(1)).sum(1)
    found = fit_scale(z, kinds)
    assert found.temperature == pytest.approx(2.0, rel=0.05)
    assert found.bias[1:] == pytest.approx((1.0, -1.0), abs=0.15)


def test_the_error_is_of_streams_that_the_scale_has_not_seen():
    """A model that is sure of noise: on its own half a scale makes much of it, on the other half that is no worse."""
    rng = np.random.default_rng(1)
    made = cal()
    for s in made:
        s.logits[:, 1:] += rng.normal(0, 6, (20, 2))
    found, (p, kinds) = fit(made), crossed(made)
    assert len(p) == len(chunks(made)[1])
    assert np.allclose(p.sum(1), 1)
    assert sorted(kinds) == sorted(chunks(made)[1])
    own = probabilities(chunks(made)[0], found.calibration)
    assert not np.allclose(np.sort(own[:, 0]), np.sort(p[:, 0]), atol=1e-4)
    assert found.ece_likely == pytest.approx(likely_error(p, kinds))


def test_silence_does_not_hide_that_likely_responses_are_wrong():
    """990 sure silences, and ten chunks called likely of which one is: a small error in all, a large one there."""
    p = np.array([[0.999, 0.001, 0.0]] * 990 + [[0.1, 0.9, 0.0]] * 10)
    kinds = np.array([0] * 990 + [1] + [0] * 9)
    assert likely_error(p, kinds) > 0.75
    assert confidence_error(p, kinds) < 0.02
    assert np.isnan(likely_error(p[:990], kinds[:990]))
    assert 0 < LIKELY < 0.5


def test_a_side_that_is_missing_is_named():
    with pytest.raises(DataError, match="'answer'"):
        outcomes([s for s in cal() if not s.item[0]["id"].startswith("talk")][:1], Calibration(), "answer")
    with pytest.raises(DataError, match="silent, speak and act"):
        chunks([stream("quiet0")])


def test_the_bias_of_a_stream_is_that_of_the_running_evidence():
    labels, alerts = ("Speech", "Siren", "Dog"), np.array([-6.0, 3.0, -2.0, 5.0, 1.0], np.float32)
    none = np.zeros((5, 1), np.float16)
    features = Features(np.full((5, 3), 0.1, np.float16), none, none, [], [], alert=alerts)
    plain = stream("sound1", chunks=5)
    found = with_evidence([replace(plain, item=(plain.item[0], features))], labels, Calibration(branch_weight=1.0))
    told = found[0].logits[:, Kind.SPEAK] - plain.logits[:, Kind.SPEAK]
    assert told == pytest.approx([alerts[max(0, k - 2) : k + 1].mean() for k in range(5)], abs=1e-5)
