"""Each rule catches a day that was broken on purpose, and names the moment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data_builder.scenario import ACTIVITIES, BED_LABELS, PLACES, Day, Moment, plan_day, plan_verified, verify
from data_builder.scenario.diversity import distinct, diversity, verify_corpus
from data_builder.scenario.verify import RULES
from data_builder.texts.sounds import PHRASES
from soundflow.errors import ConfigError, DataError

LABELS = frozenset(PHRASES) | BED_LABELS


@pytest.fixture(scope="module")
def day() -> Day:
    return plan_verified(np.random.default_rng(11), 56, LABELS).day


def changed(day: Day, i: int, **values: Any) -> Day:
    moments = [*day.moments]
    moments[i] = replace(moments[i], **values)
    return replace(day, moments=tuple(moments))


def find(day: Day, wanted: Any) -> int:
    return next(i for i, moment in enumerate(day.moments) if wanted(moment))


def caught(day: Day, i: int, rule: str, words: str, labels: Collection[str] = LABELS) -> None:
    found = verify(day, labels)
    assert all(r.rule in RULES for r in found)
    hits = [r for r in found if r.moment == i and r.rule == rule and words in r.reason]
    assert hits, (rule, words, found)
    assert hits[0].reason.startswith(f"moment {i} ") if i >= 0 else "the day" in hits[0].reason


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"hour": float("nan")}, "hour"),
        ({"hour": 24.0}, "hour"),
        ({"story": ""}, "story"),
        ({"story": "One.\nTwo."}, "story"),
        ({"story": "<b>One</b>"}, "story"),
        ({"story": "See https://example.org"}, "story"),
        ({"story": "hidden \u202e text"}, "story"),
        ({"story": "a" * 241}, "story"),
        ({"topic": " "}, "topic"),
        ({"people": ()}, "people"),
        ({"people": ("A", "A")}, "people"),
        ({"people": ("A", "B", "C", "D", "E")}, "people"),
        ({"sounds": ("dog", "dog")}, "sounds"),
        ({"beds": tuple(str(i) for i in range(25))}, "beds"),
    ],
)
def test_shape(day: Day, values: dict[str, Any], words: str) -> None:
    caught(changed(day, 5, **values), 5, "shape", words)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"place": "moon"}, "'moon'"),
        ({"activity": "flying"}, "'flying'"),
        ({"sounds": ("unheard_of",)}, "'unheard_of'"),
        ({"media": ("unheard_of",)}, "'unheard_of'"),
        ({"beds": ("unheard_of",)}, "'unheard_of'"),
        ({"people": ("Nobody",)}, "'Nobody'"),
        ({"tools": "rocket"}, "'rocket'"),
        ({"rt60": (3.0, 9.0)}, "rt60"),
        ({"rt60": (float("nan"), 0.5)}, "rt60"),
    ],
)
def test_grounded(day: Day, values: dict[str, Any], words: str) -> None:
    caught(changed(day, 9, **values), 9, "grounded", words)


def test_grounded_in_home_and_corpus(day: Day) -> None:
    i = find(day, lambda m: PLACES[m.place].at_home)
    place = day.moments[i].place
    home = replace(day.home, rooms=tuple(r for r in day.home.rooms if r != place))
    caught(replace(day, home=home), i, "grounded", f"no {place}")
    label = day.moments[i].sounds[0]
    caught(day, i, "grounded", repr(label), LABELS - {label})


def test_no_lion_in_the_kitchen(day: Day) -> None:
    i = find(day, lambda m: m.place == "kitchen")
    caught(changed(day, i, sounds=("lion_roar",)), i, "coherent", "'lion_roar'")
    caught(changed(day, i, media=("lion_roar",)), i, "coherent", "loudspeaker")
    caught(changed(day, i, beds=("sea_waves",)), i, "coherent", "'sea_waves'")
    film = _film(day)
    moment = replace(film.moments[0], media=("lion_roar",), sounds=("clock_tick",))
    assert not verify(replace(film, moments=(moment,)), LABELS), "the television may roar"
    moment = replace(moment, sounds=("lion_roar",), media=())
    caught(replace(film, moments=(moment,)), 0, "coherent", "it may come from a loudspeaker")


def _film(day: Day) -> Day:
    """One moment before the television."""
    person = next(p for p in day.people if p.role in {"parent", "partner", "grandparent", "flatmate", "single"})
    hour = next(h for h in np.arange(14.5, 23, 0.1) if person.state(h) == "home")
    room = next(entry for entry in day.home.rt60 if entry[0] == "living room")
    moment = Moment(
        float(hour), "living room", "watching a nature film", f"{person.name} watches a film.", (person.name,), (), (),
        room[1:], "home", "lions",
    )  # fmt: skip
    return replace(day, moments=(moment,))


def test_coherent_activity_and_people(day: Day) -> None:
    i = find(day, lambda m: m.place == "kitchen")
    caught(changed(day, i, activity="driving"), i, "coherent", "happens in car")
    moment = day.moments[i]
    caught(changed(day, i, story="Somebody eats an apple."), i, "coherent", f"does not name {moment.people[0]}")
    absent = next(p.name for p in day.people if p.name not in moment.people)
    caught(changed(day, i, story=f"{moment.people[0]} and {absent} eat."), i, "coherent", f"names {absent}")


def test_coherent_presence(day: Day) -> None:
    i = find(day, lambda m: PLACES[m.place].at_home and not ACTIVITIES[m.activity].night)
    moment = day.moments[i]
    gone = [replace(p, away=((0.0, 24.0, "work"),)) if p.name == moment.people[0] else p for p in day.people]
    caught(replace(day, people=tuple(gone)), i, "coherent", "cannot lead")
    sleepy = [replace(p, awake=(0.0, 0.1)) if p.name == moment.people[0] else p for p in day.people]
    caught(replace(day, people=tuple(sleepy)), i, "coherent", "'asleep'")
    j = find(day, lambda m: len(m.people) > 1 and PLACES[m.place].at_home)
    other = day.moments[j].people[1]
    gone = [replace(p, away=((0.0, 24.0, "work"),)) if p.name == other else p for p in day.people]
    caught(replace(day, people=tuple(gone)), j, "coherent", f"{other} is then 'work'")
    k = find(day, lambda m: ACTIVITIES[m.activity].company)
    caught(changed(day, k, people=day.moments[k].people[:1]), k, "coherent", "needs 1 more")


def test_plausible(day: Day) -> None:
    i = find(day, lambda m: m.place == "kitchen" and 12 < m.hour < 15)
    caught(changed(day, i, activity="breakfast"), i, "plausible", "'breakfast' is done from 6 to 10.5 h")
    clear = replace(day, weather="clear")
    caught(changed(clear, i, sounds=("thunder",)), i, "plausible", "needs the weather storm")
    caught(changed(clear, i, activity="a rainy afternoon"), i, "plausible", "needs the weather rain/storm")
    bare = replace(day, home=replace(day.home, features=()))
    caught(changed(bare, i, sounds=("dog",)), i, "plausible", "'dog' in the kitchen needs a home with a dog")
    caught(changed(bare, i, activity="feeding the baby"), i, "plausible", "needs a home with a baby")
    j = find(day, lambda m: (m.place == "bedroom" and 1 < m.hour < 5) or (m.place == "bedroom" and m.hour > 22))
    caught(changed(day, j, sounds=("chirping_birds",)), j, "plausible", "is heard from 4 to 21.5 h")


def test_order(day: Day) -> None:
    moments = [*day.moments]
    moments[20], moments[21] = replace(moments[20], hour=moments[21].hour), replace(moments[21], hour=moments[20].hour)
    caught(replace(day, moments=tuple(moments)), 21, "order", "must rise")
    i = find(day, lambda m: m.place == "kitchen")
    here = day.moments[i]
    soon = replace(here, hour=here.hour + 0.01, place="bedroom")
    two = replace(day, moments=(*day.moments[: i + 1], soon, *day.moments[i + 2 :]))
    caught(two, i + 1, "order", f"{here.people[0]} was in the kitchen only 0.6 min before (moment {i})")
    far = replace(here, hour=here.hour + 0.2, place="zoo")
    caught(replace(day, moments=(here, far)), 1, "order", "12.0 min")
    near = replace(here, hour=here.hour + 0.02, place="bedroom")
    assert not [r for r in verify(replace(day, moments=(here, near)), LABELS) if r.rule == "order"]


def test_diverse(day: Day) -> None:
    same = day.moments[3].story
    told = day
    for i in (10, 20, 30):
        told = changed(told, i, story=same.upper() if i == 10 else same)
    caught(told, 30, "diverse", "told more than 2 times")
    lazy = replace(day, moments=tuple(replace(m, activity="reading") for m in day.moments))
    caught(lazy, -1, "diverse", "activities")
    caught(lazy, 20, "diverse", "'reading'")
    still = replace(day, moments=tuple(replace(m, place="kitchen") for m in day.moments))
    caught(still, -1, "diverse", "expected at least 5 places in 56 moments, got 1")
    dull = replace(day, moments=tuple(replace(m, topic="the weather") for m in day.moments))
    caught(dull, -1, "diverse", "topics")


def test_empty_day(day: Day) -> None:
    caught(replace(day, moments=()), -1, "shape", "got 0")


def test_plan_verified_keeps_what_was_rejected() -> None:
    drawn = []

    def careless(rng: np.random.Generator, moments: int, labels: Collection[str]) -> Day:
        good = plan_day(rng, moments, labels)
        drawn.append(good)
        if len(drawn) == 1:
            raise DataError("expected people, got none")
        return changed(good, 2, sounds=("lion_roar",), place="kitchen") if len(drawn) < 4 else good

    planned = plan_verified(np.random.default_rng(0), 12, LABELS, planner=careless)
    assert planned.tries == 4
    assert planned.day == drawn[-1]
    assert planned.counts["plan"] == 1
    assert planned.counts["coherent"] >= 2
    assert {r.moment for r in planned.rejected if "lion_roar" in r.reason} == {2}
    with pytest.raises(DataError, match=r"2 tries.*lion_roar|2 tries"):
        plan_verified(np.random.default_rng(0), 12, LABELS - {"lion_roar"}, 2, planner=lambda *a: changed(
            plan_day(*a), 2, sounds=("lion_roar",)))  # fmt: skip
    with pytest.raises(ConfigError, match="tries"):
        plan_verified(np.random.default_rng(0), 12, LABELS, 0)


def test_corpus_diversity(day: Day) -> None:
    assert distinct(["a b c", "a b d"], 2) == 3 / 4
    assert distinct(["a"], 2) == 0
    days = [plan_verified(np.random.default_rng(seed), 56, LABELS).day for seed in range(10)]
    got = diversity(days)
    assert got.places >= 20
    assert got.activities >= 60
    assert got.moments == 560
    assert got.homes == 10
    assert verify_corpus(days) == []
    (first, *_) = found = verify_corpus([day] * 20)
    assert {r.rule for r in found} == {"diverse"}
    assert "20 days" in first.reason
