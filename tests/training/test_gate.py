"""The gate: figures of known policies, what it says of a collapse, the merit, mean weights, the loss in time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from soundflow.types import Kind
from training.ema import Ema
from training.evaluate import Scored
from training.gate import ADDRESSEE, ALL, RESPOND, SILENT, Collapse, Gate, ability, report
from training.loss import LossConfig, decision_loss


def scored(p, late=0, count=16, ability="proactive"):
    """Half of the streams want a response in chunk 9 (5 may). `p`: log-odds everywhere; None: 4 at `late` behind 9."""
    made = []
    for i in range(count):
        wants = i % 2 == 0
        logits = np.zeros((20, 3), np.float32)
        logits[:, 1] = -4.0 if p is None else p
        logits[:, 2] = -20.0
        if p is None and wants:
            logits[9 + late, 1] = 4.0
        sample = {"id": f"{ability}{i}", "ability": ability, "subtask": "x", "responses": [{}] if wants else []}
        made.append(Scored((sample, None), logits, ((5, 9, Kind.SPEAK),) if wants else ()))
    return made


@pytest.mark.parametrize("p", [-9.0, 0.0, 9.0])
def test_a_constant_policy_is_a_collapse_however_it_lies(p):
    found = report(scored(p))
    assert found.overall.balanced == 0.5
    assert found.overall.area == 0.5
    assert found.fallen()
    assert found.weak() == ["proactive"]


def test_noise_scores_a_half_because_thresholds_are_fitted_elsewhere():
    rng = np.random.default_rng(0)
    made = scored(0.0, count=120)
    for s in made:
        s.logits[:, 1] = rng.normal()
    assert abs(report(made).overall.balanced - 0.5) < 0.1


def test_an_oracle_is_perfect_and_its_delay_is_counted_in_chunks():
    found = report(scored(None, late=3))
    assert found.overall.balanced == found.overall.area == found.merit == 1.0
    assert found.overall.delay == 3.0
    assert found.overall.false_alarms_hour == 0.0
    assert not found.fallen()


def test_a_response_behind_the_window_is_none():
    found = report(scored(None, late=5))
    assert found.overall.balanced <= 0.5
    assert found.fallen()


def test_baselines_stand_beside_the_figures():
    found = report(scored(None))
    silent, respond = found.rows[SILENT], found.rows[RESPOND]
    assert (silent.respond, silent.silent, silent.false_alarms_hour) == (0.0, 1.0, 0.0)
    assert math.isnan(silent.delay)
    assert (respond.respond, respond.silent, respond.delay) == (1.0, 0.0, -4.0)
    assert respond.false_alarms_hour == pytest.approx(3600 / (20 * 0.4))
    assert "always silent" in str(found)


def test_chunks_that_close_an_utterance_have_a_threshold_of_their_own():
    """Answers at log-odds 2 over 1, sounds at -2 over -3: no single threshold tells them apart."""
    made = []
    for i, s in enumerate(scored(-9.0, count=32)):
        spoken, wants = i % 4 < 2, i % 2 == 0
        s.logits[9, 1] = (2.0 if wants else 1.0) if spoken else (-2.0 if wants else -3.0)
        made.append(Scored(s.item, s.logits, s.due, frozenset({9}) if spoken else frozenset()))
    assert report(made).overall.balanced == 1.0


def test_merit_is_the_mean_over_abilities_as_weighted():
    both = [*scored(None), *scored(0.0, ability="chat")]
    assert report(both).merit == pytest.approx(0.75, abs=0.01)
    assert report(both, {"chat": 0.0}).merit > 0.9
    assert list(report(both).rows) == ["chat", "proactive", ALL, SILENT, RESPOND]


def test_the_gate_warns_forgives_and_stops():
    good, bad = report(scored(None)), report(scored(0.0))
    gate = Gate(patience=2)
    assert gate.check(good, 1) == ""
    assert "respond" in gate.check(bad, 2)
    assert gate.check(good, 3) == ""
    assert gate.check(bad, 4).startswith("WARNING")
    with pytest.raises(Collapse, match=r"step 5: .*fell to .*always.*proactive.*lower rates"):
        gate.check(bad, 5)
    never = Gate(patience=0)
    assert all(never.check(bad, k).startswith("WARNING") for k in range(9))


def test_time_smoothing_leaves_a_share_to_later_chunks():
    """The best logits of a due chunk are those of probability 1 - late; silent chunks are as before."""
    kinds, weight = torch.tensor([1, 0]), torch.ones(2)
    config = LossConfig(classes=(1.0, 1.0, 1.0), late=0.25)
    logits = torch.zeros(2, 3, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(600):
        optimizer.zero_grad()
        decision_loss(logits, kinds, weight, config).backward()
        optimizer.step()
    p = logits.softmax(1)
    assert p[0].tolist() == pytest.approx([0.25, 0.75, 0.0], abs=0.01)
    assert p[1, 0] > 0.99
    plain = LossConfig(classes=(1.0, 4.0, 4.0))
    x = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    by_hand = (4 * -x.log_softmax(1)[0, 1] - x.log_softmax(1)[1, 0]) / 5
    assert decision_loss(x, kinds, weight, plain) == pytest.approx(float(by_hand))


def test_mean_weights_stand_in_and_give_way():
    weight = nn.Parameter(torch.zeros(3))
    ema = Ema({"w": weight}, 0.5)
    expected = 0.0
    for step in range(1, 5):
        with torch.no_grad():
            weight += 1.0
        ema.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    with ema.applied():
        assert weight.tolist() == pytest.approx([expected] * 3)
    assert weight.tolist() == [4.0] * 3
    off = Ema({"w": weight}, 0.0)
    off.update()
    with off.applied():
        assert weight.tolist() == [4.0] * 3


def test_people_who_talk_in_quiet_streams_are_the_silent_side_of_the_addressee():
    def of(subtask, speech=(), responses=()):
        return ability({"subtask": subtask, "ability": "agent", "speech": list(speech), "responses": list(responses)})

    assert of("addressee", ["s0"]) == of("silence", ["s0"]) == ADDRESSEE
    assert of("silence") == of("device_act", ["s0"]) == "agent"
