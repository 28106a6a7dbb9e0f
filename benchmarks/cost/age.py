"""A step after 10, 100 and 1000 chunks of one session, whose caches are full: nothing may grow with its age.

Hearing and deciding are timed apart, as a server runs them apart, and summed by `scores`; and each encoder by itself,
on the state that it has inside of perception. What is heard is noise so faint that nobody seems to speak: words are
left out, whose recogniser runs beside the step. The ages of a part take turns: they are compared within seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from benchmarks.cost import history, work
from benchmarks.cost.ears import Ear, Hearing, Noise
from benchmarks.cost.parts import Variant
from benchmarks.cost.rounds import beside
from benchmarks.cost.timed import Point, Work
from soundflow.decide.lalm import Lalm
from soundflow.perceive.perceiver import Perceiver
from soundflow.types import Perception

QUIET_DB: Final = -50.0
STEPS: Final = 4
"""Of hearing in a row: an encoder whose frames are no whole number a chunk gives more in one than in the next."""
REPEATS: Final = 5
LARGE: Final = 10**9
"""Weights of a decoder whose decision takes so long that little disturbs it, and that there is time for 2 repeats."""


class Life:
    """Perception of one stream through `ages` chunks, kept at each of them."""

    def __init__(self, perceiver: Perceiver, chunk_samples: int, ages: Sequence[int]) -> None:
        self._perceiver = perceiver
        self.noise = Noise(chunk_samples, level_db=QUIET_DB)
        self.state = perceiver.init_state()
        self._kept: dict[int, dict[str, Any]] = {}
        for k in range(max(ages) + 1):
            if k in ages:
                self._kept[k] = self.state.snapshot()
            self.step()

    def go_to(self, age: int) -> None:
        """Back to `age` chunks."""
        self.state.restore(self._kept[age])
        self.noise.at = age * self.noise.size

    def step(self) -> Perception:
        """Perceive one more chunk."""
        chunk = self.noise.next()
        frames = self._perceiver.hear([chunk], [self.state])[0]
        return self._perceiver.step(chunk, self.state, frames=frames)


def hearing(found: Hearing, lalm: Lalm, ages: Sequence[int]) -> list[Point]:
    """The whole of perception up to the embedding of a chunk, and each encoder, at each age."""
    made = []
    for numbers, perceiver in found.perceivers.items():
        life = Life(perceiver, found.chunk_samples, ages)
        kinds = {e.name: {x.numbers for x in found.ears if x.name == e.name} for e in found.ears}
        mine = [e for e in found.ears if beside(kinds[e.name], numbers) == e.numbers]
        run = [e.work for e in mine if e.always]
        least = Work(sum(w.ops for w in run), sum(w.bytes for w in run))

        def whole(life: Life = life) -> None:
            lalm.audio_embedding(life.step())

        for x in ages:
            made.append(_point("hearing", numbers, x, least, life, whole))
            made += [_point(e.name, e.numbers, x, e.work, life, _alone(e, life)) for e in mine]
    return made


def deciding(decoder: Variant, ages: Sequence[int], held: int) -> list[Point]:
    """A decision on one chunk at each age; the mean over the steps between two evictions."""
    prefix = history.prefix_of(held)
    steps = history.steps_of(held, len(prefix), decoder.chunk)
    feed = decoder.tokens((max(ages) + steps + 1) * decoder.chunk + held)
    session = history.Session(decoder.lalm(held), prefix, feed, ages, decoder.chunk, full=True)
    made = [history.ours("age", "deciding", session, decoder, x, steps) for x in ages]
    common: dict[str, Any] = {"repeats": REPEATS if work.weights(decoder.config) < LARGE else 2}
    common["together"] = f"age/deciding/{decoder.numbers}"
    return [replace(p, warm=p is made[0], **common) for p in made]  # one session: the first warms it for all


def _alone(ear: Ear, life: Life) -> Callable[[], object]:
    return lambda: ear.step([life.noise.next().samples], [getattr(life.state, ear.name)])


def _point(part: str, numbers: str, x: int, least: Work, life: Life, one: Callable[[], object]) -> Point:
    def run() -> None:
        for _ in range(STEPS):
            one()

    common: dict[str, Any] = {"repeats": REPEATS, "per": STEPS, "together": f"age/{part}/{numbers}"}
    return Point("age", part, numbers, x, least, run, lambda: life.go_to(x), **common)
