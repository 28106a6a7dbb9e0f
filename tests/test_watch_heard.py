"""How a watch hears: what it counts, what it takes to be likelier, and what it doubts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from soundflow.decide.policy import Calibration
from soundflow.types import Perception, Vad, Whole, Words
from soundflow.watch import Watch
from tests.test_watch import CHUNK, FIT, LABELS, Stream


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("How many times did you hear a dog?", "I heard a dog twice."),
        ("Tell me how often you heard the cat.", "I heard a cat once."),
        ("What is the count for rain?", "I have not heard rain."),
        ("How often have I told you about dogs in this house?", ""),
        ("Tell me whenever you hear a dog.", ""),
        ("How often do dogs bark?", ""),
    ],
)
def test_how_often_a_sound_was_heard_is_counted(asked, answer):
    s = Stream()
    for p in ({"Dog": 0.9}, {}, {"Cat": 0.4}, {}, {"Dog": 0.3}, {}):
        s.hear(**p)
    assert s.watch.answered(asked, s.seen.end_sample) == answer
    other = Stream()
    other.watch.recall(json.loads(json.dumps(s.watch.memory())))
    assert other.watch.answered(asked, s.seen.end_sample) == answer


def test_how_many_there_were_so_far_is_asked_without_a_name():
    s = Stream("Count the dogs and tell me each time.")
    for p in ({"Dog": 0.9}, {}, {"Dog": 0.9}, {}):
        s.hear(**p)
    assert s.watch.answered("How often have you heard it so far?", s.seen.end_sample) == "I heard a dog twice."


def test_a_sound_that_is_waited_for_is_likelier_where_it_has_a_head():
    fit = Calibration(wanted_weight=3.0, wanted_neutral=0.02, wanted_prior=2.3)
    bias = {}
    for headed in ((), ("Dog",), ("Cat",)):
        watch = Watch("Tell me when you hear a dog.", LABELS, fit, headed)
        tags = np.array([0.03 if x == "Dog" else 1e-4 for x in LABELS], np.float32)
        zeros = np.zeros(1, np.float32)
        watch.hear(Perception(0, CHUNK, tags, zeros, zeros, Vad((), False), Words()))
        bias[headed] = watch.bias()
        assert watch.sure[0, 0] == pytest.approx(0.2357 if headed == ("Dog",) else 0.03, abs=1e-3)
    assert bias[("Dog",)] == pytest.approx(bias[()] + 3 * 2.3, abs=1e-3)
    assert bias[("Cat",)] == bias[()]


def _perceived(k, level=-30.0, sound=(1.0, 0.0), **p):
    tags = np.array([p.get(x, 1e-4) for x in LABELS], np.float32)
    embedding, none = np.array(sound, np.float32), np.zeros(1, np.float32)
    silent = Vad((), False)
    return Perception(k, (k + 1) * CHUNK, tags, embedding, none, silent, Words(), level_db=level, alert=3.0)


def test_what_goes_on_as_it_was_is_less_of_an_alert_at_once_and_as_a_whole():
    fit = Calibration(branch_weight=1.0)
    watch = Watch("", LABELS, fit)
    whole = Whole("Siren", 0.9, 25 * CHUNK, 28 * CHUNK, 1.0, 3.0)
    for k in range(25):
        watch.hear(_perceived(k))
    assert watch.bias() == pytest.approx(0.0, abs=1e-3)
    for k in range(25, 28):
        watch.hear(_perceived(k, sound=(0.0, 1.0)))
    assert watch.bias() == pytest.approx(3.0)
    assert watch.doubted(whole).alert == pytest.approx(3.0)
    same = Watch("", LABELS, fit)
    for k in range(28):
        same.hear(_perceived(k))
    assert same.doubted(whole).alert == pytest.approx(0.0, abs=1e-3)


def test_a_pause_that_the_tags_outlast_makes_two_of_one():
    levels = {"apart": (-30.0, -50.0, -30.0), "as one": (-30.0, -33.0, -30.0)}
    counted = {}
    for name, heard in levels.items():
        watch = Watch("", LABELS, FIT)
        for k, level in enumerate((*heard, -50.0)):
            watch.hear(_perceived(k, level, Dog=0.9))
        counted[name] = watch.answered("How often did you hear a dog?", 10 * CHUNK)
    assert counted == {"apart": "I heard a dog twice.", "as one": "I heard a dog once."}


def _ended(k: int, label: str, onset: int, **p: float) -> Perception:
    return replace(_perceived(k, **p), noted=Whole(label, 0.4, onset * CHUNK, k * CHUNK))


def test_what_only_the_whole_of_it_is_known_by_is_waited_for_too():
    watch = Watch("Tell me when you hear a dog.", LABELS, FIT)
    watch.hear(_perceived(0))
    quiet = watch.bias()
    watch.hear(_ended(1, "Cat", 0))
    assert watch.bias() == quiet
    watch.hear(_ended(2, "Dog", 1))
    assert watch.bias() > quiet + 10
    assert watch.judge(("a cat",)).name == "a dog"


def test_what_was_told_of_while_it_went_on_is_not_told_of_again_by_its_whole():
    watch = Watch("Count the dogs and tell me each time.", LABELS, FIT)
    for k, p in enumerate((1e-4, 0.9, 1e-4, 1e-4)):
        watch.hear(_perceived(k, level=-50.0 if p < 0.1 else -30.0, Dog=p))
        if p > 0.1:
            watch.told(watch.judge(("a dog",)), (k + 1) * CHUNK)
    there = Watch("Count the dogs and tell me each time.", LABELS, FIT)
    there.restore(watch.snapshot())
    for one in (watch, there):
        one.hear(_ended(4, "Dog", 1, level=-50.0))
        assert not one.judge(("a dog",)).name, "it began before it was told of"
        one.hear(_ended(5, "Dog", 4, level=-50.0))
        assert one.judge(("a dog",)).count == 2, "another one, although the level fell"


def test_a_sound_that_began_before_it_was_asked_for_was_not_missed():
    watch = Watch("", LABELS, FIT)
    for k in range(3):
        watch.hear(_perceived(k))
    assert watch.heard_said("Tell me when you hear a dog.", 3 * CHUNK)
    watch.hear(_ended(3, "Dog", 1))
    assert float(watch.sure[-1].max()) < 0.01
    watch.hear(_ended(4, "Dog", 3))
    assert float(watch.sure[-1].max()) == 0.5
