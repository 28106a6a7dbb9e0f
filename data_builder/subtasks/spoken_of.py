"""Sounds as one speaks of them: their names, sentences with slots, and what else may be heard beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from data_builder.sources import Clip, Rng, pick
from data_builder.subtasks.bystanders import unalarming
from data_builder.subtasks.rounds import understood
from data_builder.texts.numbers import number
from data_builder.texts.sounds import PHRASES, alike
from data_builder.texts.styles import upper_first
from data_builder.timeline import Item, Scene
from data_builder.world import World

AGAIN_S: Final = (3.0, 12.0)
ARTICLES: Final = frozenset({"a", "an"})
MIXED: Final = frozenset(
    {"hiccup_burp", "duck_goose", "sheep_goat", "car_crash_skid", "saw_drill_tools", "swords_metal", "insect", "horn"}
)
"""Classes of more than one thing: nobody can ask for one of the two, and another name may not hold."""


def targets(labels: Iterable[str]) -> list[str]:
    """Those of `labels` that one can ask for by a name."""
    return [label for label in labels if label not in MIXED]


def name_of(rng: Rng, label: str) -> str:
    """What people call a sound: its noun, or another noun for it."""
    phrase = PHRASES[label]
    if label in MIXED:
        return phrase.noun
    parts = [(name, name.split()) for name in phrase.names]
    nouns = [n for n, p in parts if len(p) == 1 or (len(p) == 2 and p[0] in ARTICLES)]
    return str(pick(rng, nouns)) if nouns and rng.random() < 0.4 else phrase.noun


def the(label: str) -> str:
    """A sound that was spoken of before: "the dog"."""
    return f"the {PHRASES[label].bare}"


def form(rng: Rng, forms: tuple[str, ...], x: str = "", n: int = 0, t: str = "") -> str:
    slots = {"x": x, "X": upper_first(x) if x else "", "n": number(n), "N": upper_first(number(n)), "t": t}
    return str(pick(rng, forms)).format(**slots)


def unlike(world: World, *labels: str) -> list[str]:
    """Classes that ask for nothing and cannot be taken for any of `labels`."""
    return [x for x in unalarming(world) if not any(alike(x, label) for label in labels)]


def once_more(rng: Rng, scene: Scene, first: Item) -> None:
    """The recording of the last item again, before the cool-down is over: it was announced, so that nothing is said."""
    again = replace(first.clip, audio=first.clip.audio.copy())
    scene.sound(again, avoid="goes on: announced before", after=AGAIN_S, like=first)


def other(rng: Rng, world: World, scene: Scene, *labels: str) -> None:
    label = world.plausible(rng, unlike(world, *labels))
    scene.sound(world.sound(rng, label, 2.5), avoid=f"not {labels[0]}")


def spoken(rng: Rng, world: World, forms: tuple[str, ...], x: str = "", n: int = 0, t: str = "", who: str = "") -> Clip:
    """One of the `forms`, filled and spoken; another of them where nobody understands it."""
    return understood(rng, world, lambda: (form(rng, forms, x, n, t), None), who)[0]
