"""Our model with one sense taken away while it listens; nothing is trained anew, so it is the harshest form of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.systems import OURS, Nano
from soundflow.errors import ConfigError
from soundflow.loop import Model
from soundflow.perceive.perceiver import Frames, Perceiver, PerceiverState
from soundflow.types import AudioChunk, Perception, Words


def _no_sound(p: Perception) -> Perception:
    return replace(p, sound=np.zeros_like(p.sound), alert=0.0, named=None)


def _no_tags(p: Perception) -> Perception:
    return replace(p, tags=np.zeros_like(p.tags), named=None, sounds=())


def _no_words(p: Perception) -> Perception:
    return replace(p, words=Words())


SENSES: Final[Mapping[str, Callable[[Perception], Perception]]] = {
    "sound": _no_sound,
    "tags": _no_tags,
    "words": _no_words,
}


class Deprived:
    """A perceiver whose perceptions lack a sense; everything else is the perceiver's own."""

    def __init__(self, perceiver: Perceiver, sense: str) -> None:
        self._perceiver, self._sense = perceiver, sense

    def __getattr__(self, name: str) -> Any:
        return getattr(self._perceiver, name)

    def step(
        self, chunk: AudioChunk, state: PerceiverState, words: Words | None = None, frames: Frames | None = None
    ) -> Perception:
        return SENSES[self._sense](self._perceiver.step(chunk, state, words, frames))

    def flush(self, state: PerceiverState) -> Words:
        words = self._perceiver.flush(state)
        return Words() if self._sense == "words" else words


def deprive(model: Model, sense: str) -> Model:
    """`model` without the sense, a key of SENSES: what it would have said about the decision is switched off too."""
    off: dict[str, dict[str, Any]] = {
        "sound": {"branch_weight": 0.0, "second_look": ()},
        "tags": {"alert_weight": 0.0, "wanted_weight": 0.0, "second_look": ()},
    }
    deprived: Any = Deprived(model.perceiver, sense)
    return replace(model, perceiver=deprived, calibration=replace(model.calibration, **off.get(sense, {})))


class Ablated(Nano):
    """`nano-no-sound`: the sound embedding is 0 and the alert branch has no say. `nano-no-tags`: no tag is on, and the
    tags' bias on <speak> is off. `nano-no-words`: the words channel is empty."""

    def __init__(self, name: str, adapter: Path | None = None, proactivity: float = 0.5) -> None:
        """`name`: "nano-no-" and a key of SENSES; ConfigError for another one."""
        sense = name.removeprefix(f"{OURS}-no-")
        if sense not in SENSES or name == sense:
            raise ConfigError(f"ablation: expected {OURS}-no- and one of {', '.join(SENSES)}, got {name!r}")
        super().__init__(adapter, proactivity)
        self.name, self.model = name, deprive(self.model, sense)
