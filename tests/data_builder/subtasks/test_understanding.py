"""Sounds are named, counted and told as they are; the same request over nothing to tell stays unanswered."""

from __future__ import annotations

import re

import numpy as np
import pytest

from data_builder.sources import NEUTRAL
from data_builder.subtasks.spoken_of import MIXED
from data_builder.subtasks.understanding import UNDERSTANDING, unlike
from data_builder.texts import memory, requests, sounds
from data_builder.texts import scenes as places
from data_builder.texts.equipment import EQUIPMENT
from data_builder.texts.scenes import DOOR_QUESTIONS, PLACES
from data_builder.texts.sounds import PHRASES, alike
from data_builder.timeline import Scene
from soundflow.clock import samples
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import check_negative, check_timing, fake_world

SEEDS = range(30)
SR = 16_000
BY_NAME = {task.name: task for task in UNDERSTANDING}
NUMBERS = {"one": 1, "two": 2, "three": 3, "once": 1, "twice": 2, "times": 3}


def scenes(name: str, negative: bool = False, seeds: range = SEEDS, **kind: bool) -> list[Scene]:
    return [BY_NAME[name].build(np.random.default_rng(seed), fake_world(**kind), negative) for seed in seeds]


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
    asked = doors = goes_on = 0
    for scene in scenes("describe_scene", seeds=range(120)):
        item, *rest = scene.items
        label = scene.bed.label if item.speech else item.clip.label  # type: ignore[union-attr]
        about, (say,) = PLACES[label], item.says
        assert about.clue in say.text
        if item.speech and item.clip.text in DOOR_QUESTIONS:
            doors += 1
            assert about.indoors is not None
            assert bool(re.search(r"\b(indoors|inside)\b", say.text.lower())) == about.indoors
            assert bool(re.search(r"\b(outdoors|outside)\b", say.text.lower())) != about.indoors
        else:
            assert about.place in say.text
        asked += item.speech
        goes_on += bool(rest)
        assert all(r.avoid == "goes on: told before" and r.like is item for r in rest)
    assert 40 < asked < 90
    assert doors > 3
    assert goes_on > 10


def test_a_place_is_told_after_four_seconds_of_it() -> None:
    for scene in scenes("describe_scene", seeds=range(60)):
        for item, say, onset, _ in check_timing(scene):
            heard = item.evidence(say, onset) - (0 if item.speech else onset)
            assert heard >= samples(4.0)
            assert item.speech or heard <= samples(6.0)
            rest = [i for i in scene.items if i is not item]
            onsets, _ = scene.layout()
            for more in rest:
                assert onsets[scene.items.index(more)] == onsets[0] + len(item.clip.audio)


def test_places_say_no_more_than_one_hears() -> None:
    for label in ("places/cafe", "places/restaurant", "places/supermarket"):
        assert "many people, such as" in PLACES[label].place
    assert not any("/thunder" in label or "fireworks" in label for label in PLACES)  # no background: Sources.NO_BED
    assert not set(NEUTRAL) & set(PLACES)


def test_what_one_would_name_lies_behind_no_narration() -> None:
    world, rng = fake_world(), np.random.default_rng(0)
    assert {c.label for c in (world.bed(rng, SR, neutral=False) for _ in range(200))} & set(PLACES)
    assert not {c.label for c in (world.bed(rng, SR, neutral=True) for _ in range(200))} & set(PLACES)
    for name in ("narrate_events", "describe_scene", "describe_music", "count_events"):
        assert all(s.neutral for negative in (False, True) for s in scenes(name, negative))


@pytest.mark.parametrize("negative", [False, True])
def test_nothing_that_alerts_lies_beside_what_is_counted(negative: bool) -> None:
    alerting = {*fake_world().sources.alerts, *EQUIPMENT}
    for scene in scenes("count_events", negative, seeds=range(100)):
        assert not {i.clip.label for i in scene.items} & (alerting | MIXED)


SOUND_FORMS = [
    *sounds.NARRATION_FORMS, *sounds.WATCH_FORMS, *sounds.WATCH_INSTRUCTIONS, *sounds.HEARD_FORMS,
    *places.SCENE_ANSWERS, *places.MUSIC_ANSWERS, *places.COUNT_INSTRUCTIONS, *places.COUNT_QUESTIONS,
    *places.COUNT_ANSWERS, *memory.SOUND_ANSWERS, *requests.ASK_SPOKEN, *requests.SECOND, *requests.SECOND_TIME,
    *requests.CHANGES, *requests.CHANGE_ACKS,
]  # fmt: skip


@pytest.mark.parametrize("text", SOUND_FORMS)
def test_forms_fit_one_and_many(text: str) -> None:
    assert not re.search(r"\b(is|was|it is,) \{(x|noun|bare|list|clue|a)\}", text)
    assert not re.search(r"\{(x|noun|bare|list|clue|a)\} (is|was|comes|has)\b", text)
    assert not re.search(r"\{x\}[^.]*\bit\b", text)


def test_classes_of_two_things_are_named_as_both() -> None:
    assert PHRASES["duck_goose"].noun == "a duck or a goose"
    assert PHRASES["duck_goose"].bare == "duck or goose"
    assert PHRASES["saw_drill_tools"].bare == "saw or another tool"
    for label in ("duck_goose", "hiccup_burp", "sheep_goat"):
        assert " or " in PHRASES[label].noun
        assert " or " in PHRASES[label].event


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
