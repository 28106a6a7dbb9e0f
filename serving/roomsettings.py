"""Settings of one room or device: which sounds count, how ready it is to speak, and its quiet hours."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time, tzinfo
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from soundflow.errors import ConfigError
from soundflow.perceive.names import display_name

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES: Final = 24 * 60
_ARTICLE = re.compile(r"^(a|an|the|some) ")


class QuietHours(BaseModel):
    """From `start` to `end` by the clock of the house, over midnight where `end` is the earlier; the days are those
    on which it starts. `speak`: replies are spoken. `proactivity`: the dial goes no higher. `mqtt`: false publishes
    only smoke and safety.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    start: time
    end: time
    days: tuple[Day, ...] = DAYS
    proactivity: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    speak: bool = False
    mqtt: bool = True

    @field_validator("start", "end", mode="before")
    @classmethod
    def _clock(cls, value: Any) -> Any:
        """YAML 1.1 reads an unquoted 22:30 as 1350, which is the minute of the day."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MINUTES:
            return time(value // 60, value % 60)
        if isinstance(value, str) and re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value):
            hour, minute = value.split(":")
            return time(int(hour), int(minute))
        raise ValueError("a time of day was expected, as 22:30")

    @model_validator(mode="after")
    def _some_time(self) -> QuietHours:
        if self.start == self.end:
            raise ValueError("start and end are the same; for the whole day write 00:00 to 23:59")
        if not self.days:
            raise ValueError("days: at least one was expected")
        return self

    def covers(self, now: datetime) -> bool:
        """Whether `now` (local) lies in the window; `start` is in it, `end` is not."""
        clock, today, before = now.time(), DAYS[now.weekday()], DAYS[now.weekday() - 1]
        if self.start < self.end:
            return today in self.days and self.start <= clock < self.end
        return (today in self.days and clock >= self.start) or (before in self.days and clock < self.end)


class Room(BaseModel):
    """A room, or the device in it. A session names its room by `?room=`; what the session itself asks for wins, but
    for sounds that are off, `voice: false` and quiet hours.

    sounds_off: never reported and never told of. sounds_only: where set, all others are off. Both are names of sounds
    (`soundflow` labels) or what replies call them. cooldown_s: the same sound is not announced again sooner.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    name: Name
    sounds_off: tuple[str, ...] = ()
    sounds_only: tuple[str, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()
    cooldown_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    proactivity: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    instruction: Annotated[str, Field(max_length=2000)] | None = None
    tools_file: Path | None = None
    voice: bool = True

    @model_validator(mode="after")
    def _one_list(self) -> Room:
        if self.sounds_off and self.sounds_only:
            raise ValueError("either sounds_off or sounds_only was expected, not both")
        return self

    def quiet(self, now: datetime) -> QuietHours | None:
        """The window that `now` lies in; the first where several do."""
        return next((q for q in self.quiet_hours if q.covers(now)), None)

    def muted(self, labels: Sequence[str]) -> frozenset[str]:
        """The labels that are off in this room, out of all that the engine knows.

        Raises:
            ConfigError: a name that is no label and no display name; says which are close.
        """
        where = f"rooms: {self.name}"
        if self.sounds_only:
            return frozenset(labels) - resolve(self.sounds_only, labels, f"{where}: sounds_only")
        return resolve(self.sounds_off, labels, f"{where}: sounds_off")


def resolve(names: Iterable[str], labels: Sequence[str], where: str) -> frozenset[str]:
    """Labels that the names stand for; a display name may stand for several.

    Raises:
        ConfigError: an unknown name.
    """
    known: dict[str, set[str]] = {}
    for label in labels:
        for key in (label, display_name(label)):
            known.setdefault(_plain(key), set()).add(label)
    found: set[str] = set()
    for name in names:
        if (here := known.get(_plain(name))) is None:
            close = difflib.get_close_matches(_plain(name), known, 3, 0.6)
            hint = f"; close to it: {', '.join(repr(c) for c in close)}" if close else ""
            raise ConfigError(f"{where}: a sound that the model knows was expected, got {name[:80]!r}{hint}")
        found |= here
    return frozenset(found)


def _plain(name: str) -> str:
    return _ARTICLE.sub("", name.strip().lower())


def zone(name: str) -> tzinfo | None:
    """The time zone of that name; empty is the machine's own. ValueError for an unknown one."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"a time zone such as Europe/Berlin was expected, got {name[:64]!r}") from error
