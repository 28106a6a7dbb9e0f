"""The verifier: what is wrong with a day, moment by moment, by rule and with a reason."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from data_builder.scenario.activities import Activity
from data_builder.scenario.day import MAX_COMPANY, MAX_MOMENTS, Day, Moment, may_lead, plan_day, together
from data_builder.scenario.home import ACTIVITIES, NAMES, Person, features_at, travel
from data_builder.scenario.places import PLACES, Place, obstacle
from soundflow.errors import ConfigError, DataError

RULES: Final = ("shape", "grounded", "coherent", "plausible", "order", "diverse", "plan")
MAX_STORY, MAX_TOPIC, MAX_LABELS = 240, 120, 24  # characters, characters, labels a list
MAX_TOLD: Final = 2
"""How often a story may be told in a day."""
_NAME: Final = re.compile(r"[^\W\d_]+")
_PLAIN: Final = re.compile(r"[\w .,;:'’‘“”\"!?()–—&%€$£°/+-]+")

Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a day is not taken. `moment`: its index, or -1 for the whole day; `rule`: one of RULES."""

    moment: int
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A day that passed; `rejected`: what was wrong with those drawn before it; `tries`: how many were drawn."""

    day: Day
    rejected: tuple[Rejection, ...]
    tries: int

    @property
    def counts(self) -> dict[str, int]:
        """Rejections by rule."""
        return dict(Counter(r.rule for r in self.rejected))


def normal(story: str) -> str:
    """A story without case, punctuation and spacing."""
    return " ".join(re.findall(r"\w+", story.lower()))


def plain(text: str) -> bool:
    """Whether a text is one line of words and plain punctuation: no markup, no address, nothing invisible."""
    return bool(_PLAIN.fullmatch(text)) and text.isprintable() and "//" not in text and "www." not in text.lower()


def _text(name: str, text: str, longest: int) -> Found:
    if not text.strip() or len(text) > longest or not plain(text):
        yield "shape", f"{name}: expected one plain line of 1 to {longest} characters, got {text[:60]!r}"


def _shape(moment: Moment) -> Found:
    if not (math.isfinite(moment.hour) and 0 <= moment.hour < 24):
        yield "shape", f"hour: expected 0 to 24, got {moment.hour!r}"
    yield from _text("story", moment.story, MAX_STORY)
    yield from _text("topic", moment.topic, MAX_TOPIC)
    if not 1 <= len(moment.people) <= 1 + MAX_COMPANY or len(set(moment.people)) != len(moment.people):
        yield "shape", f"people: expected 1 to {1 + MAX_COMPANY} different names, got {list(moment.people)}"
    for name, labels in (("sounds", moment.sounds), ("media", moment.media), ("beds", moment.beds)):
        if len(labels) > MAX_LABELS or len(set(labels)) != len(labels):
            yield "shape", f"{name}: expected at most {MAX_LABELS} different labels, got {len(labels)}"


def _grounded(day: Day, moment: Moment, labels: frozenset[str]) -> Found:
    if moment.place not in PLACES:
        yield "grounded", f"place {moment.place!r} is not known"
    elif PLACES[moment.place].at_home and moment.place not in day.home.rooms:
        yield "grounded", f"this home has no {moment.place}, only {', '.join(day.home.rooms)}"
    if moment.activity not in ACTIVITIES:
        yield "grounded", f"activity {moment.activity!r} is not known"
    for name, given in (("sound", moment.sounds), ("media sound", moment.media), ("bed", moment.beds)):
        for label in given:
            if label not in labels:
                yield "grounded", f"{name} {label!r} is not a label of the corpus"
    for name in moment.people:
        if name not in {p.name for p in day.people}:
            yield "grounded", f"{name!r} is not one of the people of the day"
    place = PLACES.get(moment.place)
    if place and moment.tools not in place.tools:
        yield "grounded", f"tools {moment.tools!r} are not offered in the {place.name}, only {sorted(set(place.tools))}"
    if place and not place.rt60[0] <= moment.rt60[0] <= moment.rt60[1] <= place.rt60[1]:
        yield "grounded", f"rt60 {list(moment.rt60)} s is not a range within {list(place.rt60)} s of the {place.name}"


def _presence(day: Day, moment: Moment, entry: Activity, place: Place) -> Found:
    people = {p.name: p for p in day.people}
    there = [people[name] for name in moment.people if name in people]
    if not there or there[0].name != moment.people[0]:
        return
    leader = there[0]
    if not may_lead(leader, entry, place, moment.hour):
        state = leader.state(moment.hour)
        yield (
            "coherent",
            f"{leader.name} ({leader.role}, then {state!r}) cannot lead {entry.name!r} in the {place.name}",
        )
    for other in there[1:]:
        if not together(leader, other, place, moment.hour):
            state = other.state(moment.hour)
            yield "coherent", f"{other.name} is then {state!r} and cannot be with {leader.name} in the {place.name}"
    if len([p for p in there[1:] if p.speaks]) < entry.company:
        yield "coherent", f"{entry.name!r} needs {entry.company} more than {leader.name}, got {list(moment.people)}"


def _named(people: dict[str, Person], moment: Moment) -> Found:
    words = set(_NAME.findall(moment.story))
    if moment.people and moment.people[0] not in words:
        yield "coherent", f"the story does not name {moment.people[0]}, who leads: {moment.story[:80]!r}"
    for name in sorted(words & ({*people} | {*NAMES})):
        if name not in moment.people:
            yield "coherent", f"the story names {name}, who is not there: {moment.story[:80]!r}"


def _coherent(day: Day, moment: Moment) -> Found:
    yield from _named({p.name: p for p in day.people}, moment)
    entry, place = ACTIVITIES.get(moment.activity), PLACES.get(moment.place)
    if entry is None or place is None:
        return
    if place.name not in entry.places:
        yield "coherent", f"{entry.name!r} happens in {' or '.join(entry.places)}, not in the {place.name}"
    for label in moment.sounds:
        if label not in place.sounds and label not in entry.sounds:
            where = "; it may come from a loudspeaker (media)" if label in entry.media else ""
            yield "coherent", f"sound {label!r} does not belong to {entry.name!r} in the {place.name}{where}"
    for label in moment.media:
        if label not in entry.media:
            yield "coherent", f"media sound {label!r} does not come out of a loudspeaker during {entry.name!r}"
    for label in moment.beds:
        if label not in place.beds:
            yield "coherent", f"bed {label!r} does not belong to the {place.name}"
    yield from _presence(day, moment, entry, place)


def _plausible(day: Day, moment: Moment) -> Found:
    entry, place = ACTIVITIES.get(moment.activity), PLACES.get(moment.place)
    features = features_at(day.home, day.people, moment.hour)
    if entry and not entry.fits_hour(moment.hour):
        spans = ", ".join(f"{start:g} to {end:g}" for start, end in entry.hours)
        yield "plausible", f"{entry.name!r} is done from {spans} h, not at {moment.hour:.2f} h"
    if entry and entry.weather and day.weather not in entry.weather:
        yield "plausible", f"{entry.name!r} needs the weather {'/'.join(entry.weather)}, the day is {day.weather}"
    if entry and entry.needs and entry.needs not in features:
        yield "plausible", f"{entry.name!r} needs a home with a {entry.needs}"
    if place is None:
        return
    for label in (*moment.sounds, *moment.beds):
        reason = obstacle(label, place, moment.hour, day.weather, features)
        if reason:
            yield "plausible", reason


def _order(day: Day) -> Iterator[Rejection]:
    last: dict[str, tuple[int, float, str]] = {}
    for i, moment in enumerate(day.moments):
        if i and not moment.hour > day.moments[i - 1].hour:
            before = day.moments[i - 1].hour
            yield _rejection(day, i, "order", f"the hour must rise, got {moment.hour:.3f} after {before:.3f}")
        for name in moment.people:
            if name in last and moment.place in PLACES and last[name][2] in PLACES:
                at, hour, place = last[name]
                if moment.hour - hour < travel(place, moment.place):
                    minutes = 60 * (moment.hour - hour)
                    reason = f"{name} was in the {place} only {minutes:.1f} min before (moment {at})"
                    yield _rejection(day, i, "order", reason)
            last[name] = (i, moment.hour, moment.place)


def _diverse(day: Day) -> Iterator[Rejection]:
    n = len(day.moments)
    told: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for i, moment in enumerate(day.moments):
        told[normal(moment.story)] += 1
        done[moment.activity] += 1
        if told[normal(moment.story)] > MAX_TOLD:
            yield _rejection(day, i, "diverse", f"story told more than {MAX_TOLD} times: {moment.story[:80]!r}")
        if done[moment.activity] > max(3, math.ceil(n / 5)):
            yield _rejection(day, i, "diverse", f"activity {moment.activity!r} done {done[moment.activity]} times")
    for name, got, least in (
        ("places", len({m.place for m in day.moments}), min(5, n // 6)),
        ("activities", len(done), min(20, n // 3)),
        ("topics", len({normal(m.topic) for m in day.moments}), min(30, n // 2)),
    ):
        if got < least:
            yield Rejection(-1, "diverse", f"the day: expected at least {least} {name} in {n} moments, got {got}")


def _rejection(day: Day, i: int, rule: str, reason: str) -> Rejection:
    moment = day.moments[i]
    return Rejection(i, rule, f"moment {i} ({moment.hour:.2f} h, {moment.place[:40]}): {reason}")


def verify(day: Day, labels: Collection[str]) -> list[Rejection]:
    """Everything that is wrong with a day; empty where it may be used. `labels`: what the corpus holds."""
    known = frozenset(labels)
    if not 1 <= len(day.moments) <= MAX_MOMENTS:
        return [Rejection(-1, "shape", f"the day: expected 1 to {MAX_MOMENTS} moments, got {len(day.moments)}")]
    found: list[Rejection] = []
    for i, moment in enumerate(day.moments):
        broken = list(_shape(moment))
        if not broken:
            broken = [*_grounded(day, moment, known), *_coherent(day, moment), *_plausible(day, moment)]
        found += [_rejection(day, i, rule, reason) for rule, reason in broken]
    if any(r.rule == "shape" for r in found):
        return found
    return [*found, *_order(day), *_diverse(day)]


def plan_verified(
    rng: np.random.Generator,
    moments: int,
    labels: Collection[str],
    tries: int = 8,
    planner: Callable[[np.random.Generator, int, Collection[str]], Day] = plan_day,
) -> Planned:
    """The first day that the verifier takes, and why others were not taken.

    Raises:
        ConfigError: `tries` is less than one, or `planner` raises it.
        DataError: none of so many days passed; the message counts the rejections by rule and gives the first.
    """
    if tries < 1:
        raise ConfigError(f"tries: expected at least 1, got {tries}")
    rejected: list[Rejection] = []
    for attempt in range(1, tries + 1):
        try:
            day = planner(rng, moments, labels)
        except DataError as error:
            rejected.append(Rejection(-1, "plan", str(error)))
            continue
        found = verify(day, labels)
        if not found:
            return Planned(day, tuple(rejected), attempt)
        rejected += found
    counts = dict(Counter(r.rule for r in rejected))
    raise DataError(f"expected a day that passes in {tries} tries, got {counts}, first: {rejected[0].reason}")
