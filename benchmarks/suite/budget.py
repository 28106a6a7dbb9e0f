"""How large each part of the suite is, so that all of it fits a time; and what is left out where it cannot."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from soundflow.errors import ConfigError

UNITS: Final = {"s": 1 / 60, "m": 1.0, "h": 60.0}
KEPT_BACK: Final = 0.1  # of the budget: an estimate is one


@dataclass(frozen=True, slots=True)
class Size:
    """What a part takes.

    fixed: minutes whatever its scale (weights to load, thresholds to fit). full: minutes more at scale 1, on two cores
    that do nothing else. least: the smallest scale at which its figures say something.
    """

    fixed: float
    full: float
    least: float = 0.25

    def minutes(self, scale: float) -> float:
        return self.fixed + self.full * scale


def minutes(text: str) -> float:
    """ "90s", "60m" and "1.5h" in minutes. ConfigError for anything else, and for what is not above 0."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if not found or not float(found[1]):
        raise ConfigError(f"--budget: expected a time such as 45m or 1.5h, got {text!r}")
    return float(found[1]) * UNITS[found[2]]


def scales(sizes: Mapping[str, Size], left: float, pace: float = 1.0) -> dict[str, float]:
    """Part -> its scale in [least, 1], or 0 where it is left out: one scale for all whose least is not above it.

    Args:
        sizes: what is still to run, the most important first: from the end parts are left out that no longer fit at
            their smallest.
        left: minutes.
        pace: how many times as long as estimated the parts before took.
    """
    room = left * (1 - KEPT_BACK) / max(pace, 1e-6)
    kept = dict(sizes)
    while kept and sum(s.minutes(s.least) for s in kept.values()) > room:
        kept.popitem()
    return dict.fromkeys(sizes, 0.0) | _shared(kept, room)


def _shared(sizes: Mapping[str, Size], room: float) -> dict[str, float]:
    """The greatest common scale with which all fit: those that it would press under their least stay there."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        fits = sum(s.minutes(max(s.least, middle)) for s in sizes.values()) <= room
        low, high = (middle, high) if fits else (low, middle)
    return {name: max(s.least, 1.0 if low > 1 - 1e-6 else low) for name, s in sizes.items()}


def of(count: int, scale: float, least: int = 1) -> int:
    """`count` items at a scale."""
    return max(least, round(count * scale))


def finishing(sizes: Sequence[tuple[Size, float]], pace: float) -> float:
    """Minutes that parts at their scales still take."""
    return pace * sum(size.minutes(scale) for size, scale in sizes if scale)
