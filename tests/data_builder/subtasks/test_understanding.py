"""Sounds are named, counted and told as they are; the same request over nothing to tell stays unanswered."""

from __future__ import annotations

import numpy as np
import pytest

from data_builder.subtasks.understanding import UNDERSTANDING, unlike
from data_builder.texts.scenes import PLACES
from data_builder.texts.sounds import PHRASES, alike
from data_builder.timeline import Scene
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import check_negative, check_timing, fake_world

SEEDS = range(30)
BY_NAME = {task.name: task for task in UNDERSTANDING}
NUMBERS = {"one": 1, "two": 2, "three": 3, "once": 1, "twice": 2, "times": 3}


def scenes(name: str, negative: bool = False, **kind: bool) -> list[Scene]:
    return [BY_NAME[name].build(np.random.default_rng(seed), fake_world(**kind), negative) for seed in SEEDS]


def number_in(text: str) -> int:
    words = text.lower().replace(".", "").replace(":", "").replace(",", "").split()
    return next(NUMBERS[w] for w in words if w in NUMBERS)


@pytest.mark.parametrize("name", BY_NAME)
def test_timing_and_negatives(name: str) -> None:
    for scene in scenes(name):
        assert check_timing(scene)
    for scene in scenes(name, negative=True):
        check_negative(scene)
        assert scene.instruction


def test_every_sound_is_narrated_by_its_own_name() -> None:
    for scene in scenes("narrate_events"):
        assert scene.instruction
        for item in scene.items:
            phrase = PHRASES[item.clip.label]
            (say,) = item.says
            assert any(w in say.text for w in (phrase.noun, phrase.event, phrase.bare))
    assert all(not s.items for s in scenes("narrate_events", negative=True))


def test_a_count_is_the_number_of_such_sounds() -> None:
    asked = 0
    for scene in scenes("count_events"):
        spoken = [i for i in scene.items if i.speech]
        if spoken:
            (say,) = spoken[0].says
            asked += 1
            assert number_in(say.text) == len(say.refers)
            assert len({i.clip.label for i in say.refers}) == 1
            assert not [i for i in scene.items if i.says and not i.speech]
        else:
            counted = [i for i in scene.items if i.says]
            assert len({i.clip.label for i in counted}) == 1
            assert [number_in(i.says[0].text) for i in counted] == list(range(1, len(counted) + 1))
            assert scene.instruction
    assert 0 < asked < len(SEEDS)
    for scene in scenes("count_events", negative=True):
        assert scene.items


def test_the_place_is_the_one_that_is_heard() -> None:
    asked = 0
    for scene in scenes("describe_scene"):
        (item,) = scene.items
        label = scene.bed.label if item.speech else item.clip.label  # type: ignore[union-attr]
        place, clue = PLACES[label]
        assert clue in item.says[0].text
        assert place in item.says[0].text
        asked += item.speech
    assert 0 < asked < len(SEEDS)


def test_the_instrument_is_the_one_that_plays() -> None:
    heard_none = 0
    for scene in scenes("describe_music"):
        text = next(i.says[0].text for i in scene.items if i.says)
        music = [i for i in scene.items if i.clip.label == "music"]
        heard_none += not music
        for item in music:
            assert item.clip.extra["instrument"] in text
    assert heard_none < len(SEEDS) / 3
    for scene in scenes("describe_music", negative=True):
        assert not any(alike(i.clip.label, "music") for i in scene.items)


@pytest.mark.parametrize("name", ["narrate_events", "count_events", "describe_music"])
def test_without_voices_only_standing_requests_are_left(name: str) -> None:
    for scene in scenes(name, voices=False):
        assert scene.instruction
        assert not any(i.speech for i in scene.items)


def test_a_corpus_without_known_places_cannot_describe_them() -> None:
    world = fake_world()
    world.sources.beds = []
    with pytest.raises(DataError, match="ambience of known places"):
        BY_NAME["describe_scene"].build(np.random.default_rng(0), world, False)


def test_no_two_sounds_of_a_scene_can_be_taken_for_each_other() -> None:
    chosen = unlike(["rain", "water", "dog", "sea_waves"], np.random.default_rng(0), 4)
    assert len(chosen) == 2
    assert "dog" in chosen
