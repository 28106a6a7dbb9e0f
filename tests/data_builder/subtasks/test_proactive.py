"""Nobody asks: what needs somebody is told, its near misses are not."""

from __future__ import annotations

import numpy as np
import pytest

from data_builder.schema import CHUNK
from data_builder.speech.protocol import Stalled
from data_builder.subtasks.proactive import BODILY, PROACTIVE, add_negative
from data_builder.subtasks.rounds import second_voice
from data_builder.texts.alerts import ALERTS, STILL
from data_builder.texts.equipment import EQUIPMENT
from data_builder.texts.feelings import CALM_TALK, COMFORT, DISTRESS
from data_builder.timeline import Scene
from soundflow.clock import samples
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import StalledSynth, check_negative, check_timing, fake_world

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
                    texts = ALERTS if item.like is None else STILL
                    assert item.says[0].text in texts[item.clip.label]
                    assert (item.clip.label in BODILY) == (name == "proactive_distress")
                elif item.avoid != "goes on: announced before":
                    assert item.clip.label not in ALERTS
            if scene.instruction:
                assert not any(i.avoid == "context sound" for i in scene.items)
    assert spoken


def test_what_goes_on_is_told_once_in_30_seconds_and_then_as_still() -> None:
    world, again, long = fake_world(), 0, 0
    for seed in range(200):
        scene = BY_NAME["proactive_hazard"].build(np.random.default_rng(seed), world, False)
        placed = check_timing(scene)
        told: dict[str, tuple[int, int]] = {}
        for item, say, onset, chunk in placed:
            label = item.clip.label
            if label in told:
                long += 1
                before, before_chunk = told[label]
                assert onset - before >= samples(30.0)
                assert chunk - before_chunk >= samples(30.0) // CHUNK
                assert "still" in say.text.lower()
                first = item.like
                assert first is not None
                assert onset == before + len(first.clip.audio)  # without a pause
            told[label] = onset, chunk
        onsets, n = scene.layout()
        for item, onset in zip(scene.items, onsets, strict=True):
            if item.avoid == "goes on: announced before":
                again += 1
                first = item.like
                assert first is not None
                assert first.says
                assert item.clip.source == first.clip.source
                before = onsets[scene.items.index(first)] + len(first.clip.audio)
                assert samples(3.0) <= onset - before <= samples(12.0) + 1
        if any(item.like is not None and item.says for item in scene.items):
            assert 34 < n / 16_000 < 50
    assert 15 <= again <= 45
    assert 3 <= long <= 20


def test_two_names_with_one_voice_do_not_comfort_each_other() -> None:
    world = fake_world()
    one = world.cast["Anna"]
    world.cast = dict.fromkeys(world.cast, one)
    world.others.append(one)
    replies = 0
    for seed in range(40):
        scene = BY_NAME["proactive_comfort"].build(np.random.default_rng(seed), world, True)
        if len(scene.items) > 1:
            replies += 1
            assert scene.items[0].clip.speaker == one.id
            assert scene.items[1].clip.speaker != one.id
    assert replies > 10
    world.others = [one]
    with pytest.raises(DataError, match="second voice"):
        second_voice(np.random.default_rng(0), world, "Come here.", "Ben")


def test_an_engine_that_hangs_is_no_fact_about_the_corpus() -> None:
    world = fake_world(speech=False)
    world.synth = StalledSynth()  # type: ignore[assignment]
    hung = 0
    for seed in range(20):
        try:
            add_negative(np.random.default_rng(seed), world, Scene(np.random.default_rng(0), "x"))
        except Stalled:
            hung += 1
    assert hung


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


@pytest.mark.parametrize("label", sorted(STILL))
def test_what_goes_on_is_told_as_still(label: str) -> None:
    assert len(set(STILL[label])) >= 6
    assert all("still" in text.lower() and len(text.split()) <= 16 for text in STILL[label])


@pytest.mark.parametrize("label", sorted(ALERTS | EQUIPMENT))
def test_alerts_are_short_and_many(label: str) -> None:
    wordings = (ALERTS | EQUIPMENT)[label]
    assert len(set(wordings)) >= 6
    assert all(len(text.split()) <= 16 for text in wordings)


def test_words_of_need_and_of_none_are_apart() -> None:
    assert not {text for text, _ in (*DISTRESS, *COMFORT)} & set(CALM_TALK)
    assert all(len(answers) >= 2 for _, answers in (*DISTRESS, *COMFORT))
