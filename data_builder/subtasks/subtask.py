"""The shape of a sub-task: how its streams are made, and its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from data_builder.sources import Rng
from data_builder.timeline import Scene
from data_builder.world import World

Build: TypeAlias = Callable[[Rng, World, bool], Scene]


@dataclass(frozen=True, slots=True)
class Subtask:
    """One of the 28.

    build: (rng, world, negative) -> scene; a negative scene deserves no response at all. silent: share of negative
    streams. The rest is the card: sources, timeline, where the response goes, what the negatives are, and an example
    of what happens -> what is said or done.
    """

    name: str
    ability: str
    title: str
    build: Build
    silent: float
    sources: str
    timeline: str
    label: str
    negatives: str
    example: str
