"""How much the days of a corpus differ: counts, distinct-n of the stories, and a floor under them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from data_builder.scenario.day import Day
from data_builder.scenario.verify import Rejection, normal
from soundflow.errors import ConfigError

WINDOW: Final = 500
"""Stories in a window: distinct-n falls with the length of a text, so it is compared at one length."""
LEAST: Final[dict[str, float]] = {"distinct_1": 0.1, "distinct_2": 0.35, "stories": 0.95}
"""Floors for the mean window: share of different words, of different pairs of words, of different stories."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of a set of days. `distinct_n`: different n-grams of words over all n-grams (Li et al. 2016, arXiv 1510.03055).

    `window_*`: the mean over windows of WINDOW stories in order (one shorter window where there are fewer).
    """

    days: int
    moments: int
    homes: int
    people: int
    places: int
    activities: int
    topics: int
    stories: int
    distinct_1: float
    distinct_2: float
    window_distinct_1: float
    window_distinct_2: float
    window_stories: float
    most_told: tuple[str, int]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def distinct(texts: Iterable[str], n: int) -> float:
    """Different n-grams of words over all n-grams of the texts; 0 where there are none. Raises ConfigError."""
    if n < 1:
        raise ConfigError(f"n: expected at least 1, got {n}")
    grams: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        words = normal(text).split()
        for i in range(len(words) - n + 1):
            grams.add(tuple(words[i : i + n]))
            total += 1
    return len(grams) / total if total else 0.0


def _windows(texts: Sequence[str]) -> list[Sequence[str]]:
    whole = [texts[i : i + WINDOW] for i in range(0, len(texts) - WINDOW + 1, WINDOW)]
    return whole or [texts]


def diversity(days: Sequence[Day]) -> Diversity:
    """Counts and distinct-n over days. Raises ConfigError where there are none."""
    moments = [moment for day in days for moment in day.moments]
    if not moments:
        raise ConfigError("days: expected at least one moment, got none")
    stories = [moment.story for moment in moments]
    told = Counter(normal(story) for story in stories)
    windows = _windows(stories)

    def mean(values: Iterable[float]) -> float:
        return sum(values) / len(windows)

    return Diversity(
        days=len(days),
        moments=len(moments),
        homes=len({day.home for day in days}),
        people=len({(p.name, p.role) for day in days for p in day.people}),
        places=len({m.place for m in moments}),
        activities=len({m.activity for m in moments}),
        topics=len({normal(m.topic) for m in moments}),
        stories=len(told),
        distinct_1=distinct(stories, 1),
        distinct_2=distinct(stories, 2),
        window_distinct_1=mean(distinct(w, 1) for w in windows),
        window_distinct_2=mean(distinct(w, 2) for w in windows),
        window_stories=mean(len({normal(s) for s in w}) / len(w) for w in windows),
        most_told=max(told.items(), key=lambda item: (item[1], item[0])),
    )


def verify_corpus(days: Sequence[Day], least: dict[str, float] = LEAST) -> list[Rejection]:
    """What a corpus of days lacks in diversity; empty where it is diverse enough.

    Args:
        days: in order. Fewer than WINDOW stories pass more easily, since a short text repeats less.
        least: floors by name, as in LEAST.
    """
    got = diversity(days)
    values = {
        "distinct_1": got.window_distinct_1,
        "distinct_2": got.window_distinct_2,
        "stories": got.window_stories,
    }
    story, times = got.most_told
    return [
        Rejection(
            -1,
            "diverse",
            f"{got.days} days: expected {name} of at least {floor:g} in {WINDOW} stories, got {values[name]:.3f}; "
            f"most told ({times} times): {story[:80]!r}",
        )
        for name, floor in least.items()
        if values[name] < floor
    ]
