"""Fields of somebody else's JSON, checked one by one: what is missing, of another type or unknown is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soundflow.errors import WeightsError


@dataclass(frozen=True, slots=True)
class Fields:
    """`raw`, and `where` it stands (file and field). A field that is null counts as missing."""

    raw: Mapping[str, Any]
    where: str

    def wrong(self, name: str, expected: str, got: object) -> WeightsError:
        return WeightsError(f"{self.where}: {name}: {expected} was expected, got {got!r}")

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number above 0."""
        value = self.raw.get(name)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise self.wrong(name, "a whole number above 0", value)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number above 0."""
        value = self.raw.get(name)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise self.wrong(name, "a number above 0", value)
        return float(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.raw.get(name)
        value = default if value is None else value
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false", value)
        return value

    def part(self, name: str) -> Mapping[str, Any]:
        """A nested object; empty where it is missing."""
        value = self.raw.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.wrong(name, "an object", value)
        return value

    def only(self, neutral: Mapping[str, object]) -> None:
        """Refuse any of these fields that is neither null, false nor its neutral value."""
        for name, value in neutral.items():
            given = self.raw.get(name)
            if given is not None and given is not False and given != value:
                raise self.wrong(name, "nothing else than " + repr(value), given)
