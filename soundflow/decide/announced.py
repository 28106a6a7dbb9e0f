"""What a stream has announced, and so what it does not tell of again yet: by name, by likeness, by what was taught.

No torch, no clock: times are samples of the stream.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from soundflow.clock import samples
from soundflow.decide.likeness import like, unit
from soundflow.perceive.labels import ALERTING, display_name
from soundflow.perceive.own import OwnSound
from soundflow.types import FloatArray, Perception

MAX_ANNOUNCED: Final = 32
TAUGHT: Final = 0.5  # probability of a taught sound at which the model's own guess about it is left unsaid
OWN: Final = "own: "  # in front of a taught sound's name, as the key of its cool-down
RENAMED_S: Final = 5.0  # a crying baby is laughter at first, and crying two seconds later

_GROUPS: Final = {display_name(tag): group for group, tags in ALERTING.items() for tag in tags}


def announced_as(sounds: Sequence[str]) -> str:
    """The cool-down's key: what an announcement is about.

    The first alerting group among the sounds, so that a siren that is now an ambulance's and now a police car's is one;
    else the most salient sound.
    """
    groups = [group for name in sounds if (group := _GROUPS.get(name))]
    return groups[0] if groups else sounds[0] if sounds else ""


@dataclass(slots=True)
class Announced:
    """The announcements of one stream; bounded.

    cooldown: samples within which what was announced is not told again. asked: sounds are asked for, so that neither
    likeness nor a new name silences one. each: of what is asked for, every single one is to be told. at: topic -> when
    it was last announced. sounded: when, and the `unit` sound embedding of then.
    """

    cooldown: int
    asked: bool = False
    each: bool = False
    at: dict[str, int] = field(default_factory=dict)
    sounded: deque[tuple[int, FloatArray]] = field(default_factory=lambda: deque(maxlen=MAX_ANNOUNCED))

    def tell(self, topic: str, p: Perception) -> bool:
        """Whether `topic` is to be told of now; then it is taken as announced, and so is a new name of what was."""
        if self._told(topic, p):
            return False
        renamed = self._renamed(topic, p.end_sample)
        self._remember(topic, p.end_sample)
        if not renamed:
            self.sounded.append((p.end_sample, unit(p.sound)))
        return not renamed

    def since(self, sample: int) -> bool:
        """Whether anything was announced at that sample or later."""
        return max(self.at.values(), default=-1) >= sample

    def own_due(self, own: OwnSound, now: int) -> bool:
        """Whether the cool-down of a taught sound is over."""
        return not self._within(OWN + own.name, now)

    def own_told(self, name: str, now: int) -> None:
        """A taught sound is announced."""
        self._remember(OWN + name, now)

    def snapshot(self) -> dict[str, Any]:
        """A copy that later announcements do not change."""
        plain = {"asked": self.asked, "each": self.each}
        return {"announced": dict(self.at), "sounded": tuple(self.sounded), **plain}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go back to `saved`, which may hold more than this."""
        self.at, self.asked, self.each = dict(saved["announced"]), saved["asked"], saved["each"]
        self.sounded.clear()
        self.sounded.extend(saved["sounded"])

    def _within(self, topic: str, now: int) -> bool:
        last = self.at.get(topic)
        return last is not None and now - last < self.cooldown

    def _told(self, topic: str, p: Perception) -> bool:
        """By its name, by its sound whatever it is called now, or because it is a guess about a taught sound."""
        if self._within(topic, p.end_sample) and not self.each:
            return True
        if self.asked:
            return False
        goes_on = bool(like(self.sounded, p.sound, p.end_sample - self.cooldown))
        return goes_on or (topic not in ALERTING and max(p.own, default=0.0) >= TAUGHT)

    def _renamed(self, topic: str, now: int) -> bool:
        """Whether what was just announced may be the same sound: it or `topic` is no alerting group, but a guess."""
        said, at = max(self.at.items(), key=lambda item: item[1], default=("", -samples(RENAMED_S)))
        guessed = topic not in ALERTING or not (said in ALERTING or said.startswith(OWN))
        return not self.asked and guessed and now - at < samples(RENAMED_S)

    def _remember(self, topic: str, now: int) -> None:
        if len(self.at) >= MAX_ANNOUNCED and topic not in self.at:
            self.at.pop(min(self.at, key=lambda k: self.at[k]))
        self.at[topic] = now
