"""The template planner: a seeded day in one household, moment by moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from data_builder.scenario.activities import Activity, fill, slots
from data_builder.scenario.home import (
    ACTIVITIES,
    Home,
    Person,
    as_dict,
    draw_household,
    features_at,
    narrowed,
    pick,
    travel,
)
from data_builder.scenario.places import PLACES, WEATHER, Place, Span, obstacle
from data_builder.texts.sounds import ALERT_LABELS
from soundflow.errors import ConfigError, DataError

Rng = np.random.Generator
MAX_MOMENTS: Final = 240
MAX_SOUNDS, MAX_OWN, MAX_ALERTS, MAX_BEDS, MAX_COMPANY = 10, 5, 3, 3, 3
PRIVATE: Final = frozenset({"bathroom"})
_RHYTHM: Final = ((0.0, 0.0), (0.05, 6.2), (0.96, 22.8), (1.0, 23.95))
"""Share of the moments until an hour: few at night."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A minute of the day. The first of `people` leads it and speaks.

    `hour`: [0, 24). `sounds`: event labels that are plausible there and then; `media`: labels that come out of a
    loudspeaker (television, radio), so that nobody has to act on them. `beds`: continuous backgrounds. `rt60`: range
    in s. `tools`: set of functions offered. `topic`: what is talked or asked about.
    """

    hour: float
    place: str
    activity: str
    story: str
    people: tuple[str, ...]
    sounds: tuple[str, ...]
    beds: tuple[str, ...]
    rt60: Span
    tools: str
    topic: str
    media: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "hour": self.hour,
            "place": self.place,
            "activity": self.activity,
            "story": self.story,
            "people": list(self.people),
            "sounds": list(self.sounds),
            "media": list(self.media),
            "beds": list(self.beds),
            "rt60": list(self.rt60),
            "tools": self.tools,
            "topic": self.topic,
        }


@dataclass(frozen=True, slots=True)
class Day:
    """A block of the corpus. `origin`: template, llm, or why the template stood in for the endpoint."""

    home: Home
    people: tuple[Person, ...]
    moments: tuple[Moment, ...]
    weather: str = "clear"
    weekend: bool = False
    origin: str = "template"

    def to_dict(self) -> dict[str, Any]:
        return {
            **as_dict(self.home, self.people),
            "weather": self.weather,
            "weekend": self.weekend,
            "origin": self.origin,
            "moments": [moment.to_dict() for moment in self.moments],
        }


@dataclass(slots=True)
class _Draft:
    """What is known of the day so far: where everybody was last, and what was used."""

    home: Home
    people: tuple[Person, ...]
    weather: str
    labels: frozenset[str]
    last: dict[str, tuple[float, str]]
    activities: Counter[str]
    places: Counter[str]
    stories: set[str]


def may_lead(person: Person, entry: Activity, place: Place, hour: float) -> bool:
    """Whether the person is there, awake as the activity wants it, and of a role that does it."""
    return person.may(entry) and in_state(person, place, hour, entry.night)


def in_state(person: Person, place: Place, hour: float, night: bool) -> bool:
    """Whether the person is in such a place at that hour, in the hours of sleep if `night`."""
    state = person.state(hour)
    if not place.at_home:
        return state in place.reasons and not night
    return state == ("asleep" if night else "home")


def together(leader: Person, other: Person, place: Place, hour: float) -> bool:
    """Whether `other` can be where `leader` is."""
    if place.at_home:
        return other.state(hour) == leader.state(hour)
    return other.stay(hour) is not None and other.stay(hour) == leader.stay(hour)


def _hours(rng: Rng, n: int) -> list[float]:
    """n hours that rise, each in the middle three fifths of its slot."""
    share, hour = zip(*_RHYTHM, strict=True)
    at = (np.arange(n) + rng.uniform(0.2, 0.8, n)) / n
    return [round(float(h), 4) for h in np.interp(at, share, hour)]


def _free(draft: _Draft, person: Person, place: str, hour: float) -> bool:
    before = draft.last.get(person.name)
    return before is None or hour - before[0] >= travel(before[1], place) + 1e-3


def _present(draft: _Draft, place: Place, hour: float, night: bool) -> list[Person]:
    """Who speaks, is there (in the hours of sleep if `night`) and can have come in time."""
    return [
        p for p in draft.people if p.speaks and in_state(p, place, hour, night) and _free(draft, p, place.name, hour)
    ]


def _options(draft: _Draft, hour: float) -> tuple[list[tuple[Activity, str, list[Person]]], list[float]]:
    """What can be done at that hour, where and led by whom; and the weight of each, less for what there was before."""
    features = features_at(draft.home, draft.people, hour)
    present = {
        (name, night): _present(draft, place, hour, night)
        for name, place in PLACES.items()
        if not place.at_home or name in draft.home.rooms
        for night in ((False, True) if place.at_home else (False,))
    }
    options, weights = [], []
    for entry in ACTIVITIES.values():
        if not entry.fits_hour(hour) or (entry.weather and draft.weather not in entry.weather):
            continue
        if entry.needs and entry.needs not in features:
            continue
        for name in entry.places:
            there = present.get((name, entry.night), [])
            leaders = [p for p in there if p.may(entry)]
            if entry.company:
                leaders = [p for p in leaders if len(_company(p, there, PLACES[name], hour)) >= entry.company]
            if leaders:
                options.append((entry, name, leaders))
                weights.append(1 / ((1 + draft.activities[entry.name]) ** 3 * (1 + draft.places[name])))
    return options, weights


def _company(leader: Person, there: list[Person], place: Place, hour: float) -> list[Person]:
    """Who of those there can be with the leader."""
    return [p for p in there if p is not leader and together(leader, p, place, hour)]


def _story(rng: Rng, draft: _Draft, entry: Activity, people: list[Person]) -> tuple[str, str]:
    """A story not yet told this day, where one is found in a few draws, and a topic that speaks of the same things."""
    other = people[1].name if len(people) > 1 else ""
    told = [s for s in entry.stories if bool(other) or "other" not in slots(s)]
    if not told:
        raise DataError(f"expected a story of {entry.name!r} for one person, got {entry.stories}")
    for _ in range(8):
        chosen: dict[str, str] = {}
        story = fill(rng, pick(rng, told), people[0].name, other, chosen)
        if story not in draft.stories:
            break
    return story, fill(rng, pick(rng, entry.topics), people[0].name, other or people[0].name, chosen)


def _shuffled(rng: Rng, values: list[str]) -> list[str]:
    return [values[int(i)] for i in rng.permutation(len(values))]


def _heard(
    rng: Rng, draft: _Draft, entry: Activity, place: Place, hour: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Event labels and loudspeaker labels of the moment, each given by the corpus."""
    features = features_at(draft.home, draft.people, hour)

    def fit(labels: Collection[str]) -> list[str]:
        known = sorted(x for x in labels if x in draft.labels)
        return _shuffled(rng, [x for x in known if not obstacle(x, place, hour, draft.weather, features)])

    sounds = fit(entry.sounds)[:MAX_OWN]
    rest = [x for x in fit(place.sounds) if x not in sounds]
    alerts = [x for x in rest if x in ALERT_LABELS][:MAX_ALERTS]
    others = [x for x in rest if x not in ALERT_LABELS]
    sounds += [*alerts, *others][: MAX_SOUNDS - len(sounds)]
    media = _shuffled(rng, sorted(x for x in entry.media if x in draft.labels and x not in sounds))
    return tuple(sounds), tuple(media[:MAX_OWN])


def _moment(rng: Rng, draft: _Draft, hour: float) -> Moment | None:
    options, weights = _options(draft, hour)
    if not options:
        return None
    for _ in range(3):
        weight = np.array(weights) / sum(weights)
        entry, name, leaders = options[int(rng.choice(len(options), p=weight))]
        place = PLACES[name]
        sounds, media = _heard(rng, draft, entry, place, hour)
        if sounds:
            break
    leader = pick(rng, leaders)
    around = _company(leader, _present(draft, place, hour, entry.night), place, hour)
    if place.name in PRIVATE and not entry.company:
        around = []
    order = [around[int(i)] for i in rng.permutation(len(around))][:MAX_COMPANY]
    others = [p for i, p in enumerate(order) if i < entry.company or rng.random() < 0.35]
    people = [leader, *others]
    story, topic = _story(rng, draft, entry, people)
    features = features_at(draft.home, draft.people, hour)
    beds = [
        b
        for b in place.beds
        if b in draft.labels and b not in sounds and not obstacle(b, place, hour, draft.weather, features)
    ]
    rooms = {room: (low, high) for room, low, high in draft.home.rt60}
    return Moment(
        hour=hour,
        place=name,
        activity=entry.name,
        story=story,
        people=tuple(p.name for p in people),
        sounds=sounds,
        beds=tuple(_shuffled(rng, beds)[:MAX_BEDS]),
        rt60=rooms[name] if name in rooms else narrowed(rng, place.rt60),
        tools=pick(rng, place.tools),
        topic=topic,
        media=media,
    )


def plan_day(rng: Rng, moments: int, labels: Collection[str]) -> Day:
    """A day of so many moments, in order of time; the same for the same generator state.

    Args:
        rng: seeded generator.
        moments: 1 to MAX_MOMENTS.
        labels: event and bed labels that the corpus holds; no other appears.

    Raises:
        ConfigError: `moments` is out of range or `labels` is empty.
        DataError: nobody can do anything at one of the hours (rare; draw again).
    """
    if not 1 <= moments <= MAX_MOMENTS:
        raise ConfigError(f"moments: expected 1 to {MAX_MOMENTS}, got {moments}")
    if not labels:
        raise ConfigError("labels: expected the labels that the corpus holds, got none")
    weekend = bool(rng.random() < 2 / 7)
    weather = str(rng.choice(WEATHER, p=[0.5, 0.15, 0.25, 0.1]))
    home, people = draw_household(rng, weekend)
    draft = _Draft(home, people, weather, frozenset(labels), {}, Counter(), Counter(), set())
    plan: list[Moment] = []
    hours = _hours(rng, moments)
    for hour, end in zip(hours, [*hours[1:], 24.0], strict=True):
        later = [hour, *(round(hour + (end - hour) * part, 4) for part in (0.4, 0.7, 0.9))]
        moment = next((m for m in (_moment(rng, draft, h) for h in later) if m is not None), None)
        if moment is None:
            raise DataError(f"expected an activity at {hour:.2f} h in a home of kind {home.kind!r}, got none")
        draft.last.update(dict.fromkeys(moment.people, (moment.hour, moment.place)))
        draft.activities[moment.activity] += 1
        draft.places[moment.place] += 1
        draft.stories.add(moment.story)
        plan.append(moment)
    return Day(home, people, tuple(plan), weather, weekend)
