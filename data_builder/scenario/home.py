"""A household: who lives in it and when each is awake, at home or away; its rooms and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np

from data_builder.scenario.activities import Activity
from data_builder.scenario.at_home import AT_HOME
from data_builder.scenario.away import AWAY
from data_builder.scenario.places import PLACES, Span

T = TypeVar("T")
Rng = np.random.Generator
Stay = tuple[float, float, str]

ACTIVITIES: Final[dict[str, Activity]] = {entry.name: entry for entry in (*AT_HOME, *AWAY)}
ADULTS: Final = ("parent", "grandparent", "partner", "flatmate", "single", "visitor")
ROLES: Final = (*ADULTS, "teenager", "child", "baby")
FEATURES: Final = ("baby", "dog", "cat", "fireplace", "garage", "garden", "office", "laundry")
_NAMES: Final = """
Ada Aisha Alan Alma Amir Anika Anna Arjun Astrid Ben Bella Boris Carla Carlos Chen Clara Dana Daniel David
Dora Edith Elena Elif Emil Emma Eric Esther Eva Farah Felix Fiona Frank Gita Greta Hana Hannah Hasan Hugo Ida
Igor Ines Iris Ivan Jana Jonas Julia Karim Kate Keiko Lars Laura Lena Leo Lina Lucas Lucy Maja Marco Maria
Martha Mei Mila Mona Nadia Nina Noah Nora Oliver Omar Oscar Paula Pedro Petra Priya Rafael Rosa Ruth Sami Sara
Selma Simon Sofia Stefan Tara Theo Tom Uma Vera Victor Wanda Yasmin Yusuf Zoe
"""
NAMES: Final = tuple(_NAMES.split())
WORK: Final = ("work", "work", "work", "work", "site")
STEP: Final = 1 / 60
TRAVEL: Final = 5 / 60
JOURNEY: Final = 25 / 60
FAR: Final = frozenset({"beach", "farm", "zoo", "woods"})
ON_THE_WAY: Final = frozenset({"car", "train", "station"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the day.

    `awake`: hours (from, to). `away`: (from, to, reason), in order; the reasons are work, site (a building site),
    school, out, and elsewhere (a visitor who is not there).
    """

    name: str
    role: str
    awake: Span
    away: tuple[Stay, ...] = ()

    @property
    def speaks(self) -> bool:
        return self.role != "baby"

    def state(self, hour: float) -> str:
        """home, asleep (at home), or the reason for which the person is away."""
        for start, end, reason in self.away:
            if start <= hour < end:
                return reason
        return "home" if self.awake[0] <= hour < self.awake[1] else "asleep"

    def stay(self, hour: float) -> Stay | None:
        """The time away that holds `hour`; people with the same one are out together."""
        return next((entry for entry in self.away if entry[0] <= hour < entry[1]), None)

    def may(self, entry: Activity) -> bool:
        """Whether this person may lead the activity."""
        roles = entry.roles
        return self.speaks and (not roles or self.role in roles or ("adult" in roles and self.role in ADULTS))


@dataclass(frozen=True, slots=True)
class Home:
    """`kind` of household; `rooms` (names of places); `features` out of FEATURES; `rt60` (room, low, high) in s."""

    kind: str
    rooms: tuple[str, ...]
    features: tuple[str, ...]
    rt60: tuple[tuple[str, float, float], ...]


def pick(rng: Rng, values: Sequence[T]) -> T:
    """One of `values`, uniformly."""
    return values[int(rng.integers(len(values)))]


def between(rng: Rng, low: float, high: float) -> float:
    """Uniform in [low, high), to the hundredth."""
    return round(float(rng.uniform(low, high)), 2)


def narrowed(rng: Rng, rt60: Span) -> Span:
    """A third of the range of a kind of place: the range of one such place, in s."""
    low, high = rt60
    start = low + float(rng.uniform(0, 2 / 3)) * (high - low)
    return round(start, 3), round(min(high, start + (high - low) / 3), 3)


def travel(before: str, after: str) -> float:
    """Hours that one needs at least from one place to another."""
    if before == after:
        return 0.0
    if PLACES[before].at_home and PLACES[after].at_home:
        return STEP
    return JOURNEY if FAR & {before, after} and not ON_THE_WAY & {before, after} else TRAVEL


def features_at(home: Home, people: Sequence[Person], hour: float) -> tuple[str, ...]:
    """Features of the home at that hour: a baby that is out is not heard in it."""
    out = any(p.role == "baby" and p.stay(hour) for p in people)
    return tuple(f for f in home.features if f != "baby" or not out)


def draw_home(rng: Rng, kind: str, baby: bool) -> Home:
    """A home of that kind: rooms and what it has."""
    odds = {"dog": 0.35, "cat": 0.35, "fireplace": 0.25, "garage": 0.5, "garden": 0.6, "office": 0.6, "laundry": 0.4}
    features = ["baby"] if baby else []
    features += [name for name, p in odds.items() if rng.random() < p]
    rooms = [p.name for p in PLACES.values() if p.at_home and (not p.feature or p.feature in features)]
    rt60 = tuple((room, *narrowed(rng, PLACES[room].rt60)) for room in rooms)
    return Home(kind, tuple(rooms), tuple(features), rt60)


def _roles(rng: Rng) -> tuple[str, list[str]]:
    """Kind of household and the roles in it, carers first."""
    kind = pick(
        rng, ("family", "family", "family", "single parent", "couple", "couple", "flatshare", "seniors", "alone")
    )
    young = ["child" if rng.random() < 0.65 else "teenager" for _ in range(int(rng.integers(1, 4)))]
    if kind == "family":
        roles = ["parent", "parent", *young]
        roles += ["baby"] if rng.random() < 0.4 else []
        roles += ["grandparent"] if rng.random() < 0.3 else []
    elif kind == "single parent":
        roles = ["parent", *young[:2]] + (["baby"] if rng.random() < 0.3 else [])
    elif kind == "couple":
        roles = ["partner", "partner"]
    elif kind == "flatshare":
        roles = ["flatmate"] * int(rng.integers(2, 5))
    elif kind == "seniors":
        roles = ["grandparent"] * int(rng.integers(1, 3))
    else:
        roles = ["single"]
    return kind, roles + ["visitor"] * int(rng.choice(3, p=[0.35, 0.45, 0.2]))


def _awake(rng: Rng, role: str, weekend: bool) -> Span:
    late = 0.8 if weekend else 0.0
    if role in {"child", "baby"}:
        return between(rng, 6.2, 7.2), between(rng, 19.8, 21.0)
    if role == "flatmate":
        return between(rng, 6.5, 8.2 + late), between(rng, 22.5, 23.9)
    return between(rng, 5.8, 7.2 + late), between(rng, 22.0, 23.7)


def _away(rng: Rng, role: str, weekend: bool, carer: bool) -> list[Stay]:
    """Times away of one who plans alone; a carer is back when school is over."""
    if role in {"child", "teenager"}:
        return [] if weekend else [(between(rng, 7.6, 8.3), between(rng, 13.2, 15.4), "school")]
    if role == "baby":
        return []
    if carer:
        return [(between(rng, 8.4, 9.5), between(rng, 10.5, 12.8), pick(rng, ("work", "out", "out")))]
    if not weekend and role != "grandparent" and rng.random() < 0.6:
        plan: list[Stay] = [(between(rng, 7.3, 9.0), between(rng, 15.5, 18.2), pick(rng, WORK))]
    elif rng.random() < 0.8:
        start = between(rng, 9.0, 14.5)
        plan = [(start, round(start + between(rng, 1.0, 3.5), 2), "out")]
    else:
        plan = []
    if rng.random() < 0.3:
        plan.append((between(rng, 18.6, 20.0), between(rng, 21.2, 23.4), "out"))
    return plan


def _visit(rng: Rng, hosts: Sequence[Person]) -> tuple[Stay, ...]:
    """When a visitor is elsewhere: a visit falls into hours at which a grown-up is at home; () where none was found."""
    for _ in range(12):
        host = pick(rng, hosts)
        start = between(rng, 9.5, 19.5)
        end = min(host.awake[1], round(start + between(rng, 1.5, 4.5), 2))
        if all(end <= left or start >= back for left, back, _ in host.away):
            return (0.0, start, "elsewhere"), (end, 24.0, "elsewhere")
    return ()


def draw_people(rng: Rng, weekend: bool) -> tuple[str, tuple[Person, ...]]:
    """Kind of household and its people, visitors last. An adult is at home whenever a child is awake there."""
    kind, roles = _roles(rng)
    names = [NAMES[int(i)] for i in rng.permutation(len(NAMES))[: len(roles)]]
    young = any(role in {"child", "teenager", "baby"} for role in roles)
    trip: list[Stay] = []
    if young and weekend:
        trip = [(between(rng, 9.5, 11.5), between(rng, 14.0, 17.5), "out")]
    elif young and rng.random() < 0.4:
        trip = [(between(rng, 15.6, 16.2), between(rng, 17.2, 18.2), "out")]
    first: list[Stay] | None = None
    people: list[Person] = []
    for name, role in zip(names, roles, strict=True):
        if role == "visitor":
            visit = _visit(rng, [p for p in people if p.role in ADULTS and p.role != "visitor"])
            if visit:
                people.append(Person(name, role, (0.0, 24.0), visit))
            continue
        carer = young and first is None
        away = _away(rng, role, weekend, carer and not weekend) if not (carer and weekend) else []
        if carer:
            first = away
        if role == "baby" and first is not None:
            away = [*first]
        if trip and (carer or role in {"child", "teenager", "baby"}):
            away = [*away, *trip]
        if not young and people and weekend and rng.random() < 0.5:
            away = [*people[0].away]
        wake, sleep = _awake(rng, role, weekend)
        if away:
            wake, sleep = min(wake, round(away[0][0] - 0.4, 2)), max(sleep, round(away[-1][1] + 0.2, 2))
        people.append(Person(name, role, (wake, sleep), tuple(away)))
    return kind, tuple(people)


def draw_household(rng: Rng, weekend: bool) -> tuple[Home, tuple[Person, ...]]:
    """A home and its people."""
    kind, people = draw_people(rng, weekend)
    return draw_home(rng, kind, any(p.role == "baby" for p in people)), people


def as_dict(home: Home, people: Sequence[Person]) -> dict[str, Any]:
    """Both as JSON values."""
    return {
        "home": {
            "kind": home.kind,
            "rooms": list(home.rooms),
            "features": list(home.features),
            "rt60": {room: [low, high] for room, low, high in home.rt60},
        },
        "people": [
            {"name": p.name, "role": p.role, "awake": list(p.awake), "away": [list(a) for a in p.away]} for p in people
        ],
    }
