"""Nobody asks: what needs somebody is told, its near misses are not."""

from __future__ import annotations

import numpy as np
import pytest

from data_builder.subtasks.proactive import BODILY, PROACTIVE
from data_builder.texts.alerts import ALERTS
from data_builder.texts.equipment import EQUIPMENT
from data_builder.texts.feelings import CALM_TALK, COMFORT, DISTRESS
from data_builder.timeline import Scene
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import check_negative, check_timing, fake_world

SEEDS = range(40)
BY_NAME = {task.name: task for task in PROACTIVE}


def scenes(name: str, negative: bool = False, **kind: bool) -> list[Scene]:
    return [BY_NAME[name].build(np.random.default_rng(seed), fake_world(**kind), negative) for seed in SEEDS]


@pytest.mark.parametrize("name", BY_NAME)
def test_timing_and_negatives(name: str) -> None:
    for scene in scenes(name):
        assert check_timing(scene)
    for scene in scenes(name, negative=True):
        check_negative(scene)
        assert not any(i.clip.label in ALERTS or i.clip.label in EQUIPMENT for i in scene.items)


def test_alerting_sounds_get_their_own_alert_and_nothing_else_does() -> None:
    spoken = 0
    cries = dict(DISTRESS)
    for name in ("proactive_distress", "proactive_hazard"):
        for scene in scenes(name):
            for item in scene.items:
                if item.speech and item.says:
                    spoken += 1
                    assert item.says[0].text in cries[item.clip.text]
                elif item.says:
                    assert item.says[0].text in ALERTS[item.clip.label]
                    assert (item.clip.label in BODILY) == (name == "proactive_distress")
                else:
                    assert item.clip.label not in ALERTS
            if scene.instruction:
                assert not any(i.avoid == "context sound" for i in scene.items)
    assert spoken


def test_a_fault_is_told_when_it_was_heard_whole() -> None:
    for scene in scenes("proactive_equipment"):
        (item,) = [i for i in scene.items if i.says]
        assert item.says[0].clock == "end"
        assert item.says[0].text in EQUIPMENT[item.clip.label]
    quiet = {i.clip.label for s in scenes("proactive_equipment", negative=True) for i in s.items}
    assert len(quiet) > 2


def test_comfort_is_for_those_who_are_alone() -> None:
    sad = dict(COMFORT)
    for scene in scenes("proactive_comfort"):
        (item,) = [i for i in scene.items if i.says]
        assert item.says[0].text in sad[item.clip.text]
    told = 0
    for scene in scenes("proactive_comfort", negative=True):
        first = scene.items[0]
        if first.clip.text in sad:
            told += 1
            assert scene.items[1].speech
            assert scene.items[1].clip.speaker != first.clip.speaker
        else:
            assert first.clip.text in CALM_TALK
    assert told


def test_without_voices_there_are_sounds_and_no_comfort() -> None:
    for name in ("proactive_distress", "proactive_hazard", "proactive_equipment"):
        for scene in scenes(name, voices=False, speech=False):
            assert any(i.says for i in scene.items)
            assert not any(i.speech for i in scene.items)
    with pytest.raises(DataError, match="voice"):
        BY_NAME["proactive_comfort"].build(np.random.default_rng(0), fake_world(voices=False), False)


@pytest.mark.parametrize("label", sorted(ALERTS | EQUIPMENT))
def test_alerts_are_short_and_many(label: str) -> None:
    wordings = (ALERTS | EQUIPMENT)[label]
    assert len(set(wordings)) >= 6
    assert all(len(text.split()) <= 16 for text in wordings)


def test_words_of_need_and_of_none_are_apart() -> None:
    assert not {text for text, _ in (*DISTRESS, *COMFORT)} & set(CALM_TALK)
    assert all(len(answers) >= 2 for _, answers in (*DISTRESS, *COMFORT))
