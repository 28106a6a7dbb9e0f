"""From which probability on a sound counts, and speech is believed: a matter of the sound encoder, so of the model.

One encoder gives 0.3 to a dog that is plainly heard, another 0.05. What stands here by default was chosen on YAMNet for
nano; of another model it is fitted (`soundflow train calibrate-tags --dev`) and lies in its tags.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from soundflow.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of one model.

    on, off: calibrated probabilities at which a sound begins and under which it ends, as of
    `soundflow.perceive.tags.SoundEventsConfig`. speech_floor: least mean score of speech for words, not calibrated, as
    of `soundflow.perceive.words.WordsConfig`.
    """

    on: float = 0.3
    off: float = 0.15
    speech_floor: float = 0.25

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
                raise ConfigError(f"thresholds: {name}: a number from 0 to 1 was expected, got {value!r}")
        if not 0.0 < self.off <= self.on:
            raise ConfigError(f"thresholds: 0 < off <= on was expected, got off={self.off}, on={self.on}")

    @classmethod
    def read(cls, raw: object) -> Thresholds:
        """Out of JSON; what is not said is as nano has it. ConfigError names a key that is unknown or has no such value
        as it should."""
        if not isinstance(raw, Mapping):
            raise ConfigError(f"thresholds: an object was expected, got {raw!r}")
        if unknown := sorted(set(raw) - {f.name for f in fields(cls)}):
            raise ConfigError(f"thresholds: unknown key {unknown[0]!r}")
        return cls(**raw)

    def to_json(self) -> dict[str, Any]:
        """What `read` takes."""
        return asdict(self)
