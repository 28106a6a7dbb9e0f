"""The template planner: deterministic, of the given labels only, and accepted by the verifier."""

from __future__ import annotations

import json

import numpy as np
import pytest

from data_builder.scenario import ACTIVITIES, BED_LABELS, PLACES, plan_day, plan_verified, verify
from data_builder.scenario.activities import SLOTS, slots
from data_builder.scenario.day import MAX_SOUNDS
from data_builder.scenario.home import FEATURES, NAMES, ROLES, draw_household
from data_builder.scenario.places import WEATHER
from data_builder.texts.devices import ROOMS, TOOL_SETS
from data_builder.texts.sounds import ALERT_LABELS, PHRASES
from soundflow.errors import ConfigError

LABELS = frozenset(PHRASES) | BED_LABELS


def test_tables_are_sound() -> None:
    assert len(ACTIVITIES) >= 60
    assert len(NAMES) == len(set(NAMES))
    heard = {label for place in PLACES.values() for label in place.sounds}
    for entry in ACTIVITIES.values():
        heard |= {*entry.sounds, *entry.media}
        assert set(entry.places) <= set(PLACES), entry.name
        assert set(entry.roles) <= {"adult", *ROLES}, entry.name
        assert set(entry.weather) <= set(WEATHER), entry.name
        assert not entry.needs or entry.needs in FEATURES, entry.name
        assert all(0 <= start < 24 and 0 < end <= 24 for start, end in entry.hours), entry.name
        for text in (*entry.stories, *entry.topics):
            assert set(slots(text)) <= {"who", "other", *SLOTS}, (entry.name, text)
        assert all("who" in slots(story) for story in entry.stories), entry.name
        assert entry.company or any("other" not in slots(story) for story in entry.stories), entry.name
    assert heard <= set(PHRASES), "a sound that has no phrase"
    assert set(ALERT_LABELS) <= heard, "an alert that is plausible nowhere"
    for place in PLACES.values():
        assert 0 < place.rt60[0] < place.rt60[1] < 5, place.name
        assert set(place.tools) <= {"", *TOOL_SETS}, place.name
    assert set(ROOMS) <= {name for name, place in PLACES.items() if place.at_home}


def test_seeded_days_pass() -> None:
    tries = 0
    for seed in range(200):
        n = 56 if seed % 10 == 0 else 20
        planned = plan_verified(np.random.default_rng(seed), n, LABELS)
        tries += planned.tries
        assert len(planned.day.moments) == n
        assert verify(planned.day, LABELS) == []
        hours = [moment.hour for moment in planned.day.moments]
        assert hours == sorted(set(hours))
        assert hours[0] >= 0
        assert hours[-1] < 24
        assert all(0 < len(moment.sounds) <= MAX_SOUNDS for moment in planned.day.moments)
    assert tries <= 202, "the planner is to draw days that pass at once"


@pytest.mark.slow
def test_seeded_blocks_pass_at_the_first_draw() -> None:
    tries = [plan_verified(np.random.default_rng(seed), 56, LABELS).tries for seed in range(200)]
    assert sum(tries) <= 204, "the planner is to draw days that pass"


def test_deterministic_and_json() -> None:
    one, two = (plan_day(np.random.default_rng(7), 56, LABELS) for _ in range(2))
    assert one == two
    shuffled = sorted(LABELS, reverse=True)
    assert plan_day(np.random.default_rng(7), 56, shuffled) == one, "the order of the labels must not matter"
    assert plan_day(np.random.default_rng(8), 56, LABELS) != one
    again = json.loads(json.dumps(one.to_dict()))
    assert again == one.to_dict()
    assert len(again["moments"]) == 56
    assert again["people"][0]["name"] == one.people[0].name


def test_only_given_labels() -> None:
    given = {"coughing", "dog", "music", "doorbell", "places/cafe"}
    used: set[str] = set()
    for seed in range(5):
        day = plan_day(np.random.default_rng(seed), 56, given)
        used |= {label for m in day.moments for label in (*m.sounds, *m.media, *m.beds)}
    assert used == given


def test_households_are_people() -> None:
    for seed in range(100):
        home, people = draw_household(np.random.default_rng(seed), seed % 2 == 0)
        assert len({p.name for p in people}) == len(people)
        assert {r for r, *_ in home.rt60} == set(home.rooms)
        assert ("baby" in home.features) == any(p.role == "baby" for p in people) == ("nursery" in home.rooms)
        for person in people:
            edges = [edge for start, end, _ in person.away for edge in (start, end)]
            assert edges == sorted(edges), person
            assert all(0 <= e <= 24 for e in edges), person
            assert person.awake[0] <= person.awake[1]
        grown = [p for p in people if p.role not in {"child", "teenager", "baby", "visitor"}]
        for hour in np.arange(0.05, 24, 0.25):
            states = {p.state(hour) for p in grown}
            for person in people:
                if person.role in {"child", "visitor"} and person.state(hour) == "home":
                    assert states & {"home", "asleep"}, (seed, hour, person)


@pytest.mark.parametrize("moments", [0, 241])
def test_bad_input(moments: int) -> None:
    with pytest.raises(ConfigError, match=f"got {moments}"):
        plan_day(np.random.default_rng(0), moments, LABELS)
    with pytest.raises(ConfigError, match="labels"):
        plan_day(np.random.default_rng(0), 5, [])
