"""Sounds that a user taught (`soundflow train sound`): one linear head each on the sound encoder's embedding.

own_sounds.safetensors    `weight` [K, 1024], `bias` [K] (float16 or float32)
own_sounds.json           K sounds in the same order: name, what to say, threshold, how they were taught
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from soundflow.errors import ConfigError, WeightsError
from soundflow.types import FloatArray

FORMAT: Final = 1
WIDTH: Final = 1024  # of the sound encoder's embedding; its module would bring torch along
MAX_SOUNDS: Final = 64
MAX_SAY: Final = 200
SMOOTH: Final = 3
"""Windows whose log-odds are averaged: 0.6 s at the shipped hop, so that one odd window does not fire."""
NAME = re.compile(r"\w[\w' -]{0,39}")
TENSORS, META = "own_sounds.safetensors", "own_sounds.json"


@dataclass(frozen=True, slots=True)
class OwnSound:
    """One taught sound. `weight` [1024]; `threshold`: probability at which the dial's middle tells of it; `taught`:
    figures of the training, free of form."""

    name: str
    say: str
    threshold: float
    weight: FloatArray
    bias: float
    taught: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ConfigError(f"name: 1 to 40 letters, digits, spaces, ' and - were expected, got {self.name!r}")
        if not 0 < len(self.say.strip()) <= MAX_SAY or not self.say.isprintable():
            raise ConfigError(f"say: one line of 1 to {MAX_SAY} characters was expected, got {self.say!r}")
        if not 0.0 < self.threshold < 1.0:
            raise ConfigError(f"threshold: a number between 0 and 1 was expected, got {self.threshold}")
        if self.weight.shape != (WIDTH,) or not np.isfinite([*self.weight, self.bias]).all():
            raise ConfigError(f"weight: {WIDTH} finite numbers and a bias were expected, got {self.weight.shape}")


@dataclass(slots=True)
class OwnState:
    """`recent` [SMOOTH - 1, K]: log-odds of the newest windows, oldest first; fewer rows when the stream begins."""

    recent: FloatArray

    def reset(self) -> None:
        """Make this state equal to a fresh one."""
        self.recent = self.recent[:0]

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change."""
        return {"recent": self.recent.copy()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`. ConfigError where it comes from another number of sounds."""
        recent = np.asarray(snapshot["recent"], np.float32)
        if recent.ndim != 2 or recent.shape[1] != self.recent.shape[1]:
            raise ConfigError(f"own sounds: {self.recent.shape[1]} were expected, got a state of {recent.shape}")
        self.recent = recent.copy()


class OwnSounds:
    """The heads of one adapter; at most MAX_SOUNDS, no name twice."""

    def __init__(self, sounds: Sequence[OwnSound] = ()) -> None:
        names = [s.name.casefold() for s in sounds]
        if len(sounds) > MAX_SOUNDS or len(set(names)) < len(names):
            raise ConfigError(f"at most {MAX_SOUNDS} sounds of different names were expected, got {sorted(names)}")
        self.sounds = tuple(sounds)
        self.names = tuple(s.name for s in sounds)
        self._weight = np.array([s.weight for s in sounds], np.float32).reshape(len(sounds), WIDTH)
        middle = [math.log(s.threshold / (1 - s.threshold)) for s in sounds]
        self._bias = np.array([s.bias - m for s, m in zip(sounds, middle, strict=True)], np.float32)

    def init_state(self) -> OwnState:
        """State of a stream that has not begun."""
        return OwnState(np.zeros((0, len(self.sounds)), np.float32))

    def step(self, embeddings: FloatArray, state: OwnState) -> FloatArray:
        """Probabilities [K] of one chunk, moved so that 0.5 is where the dial's middle fires.

        sigmoid of the highest mean log-odds of SMOOTH windows running, of those that end in the chunk.

        Args:
            embeddings: [S, 1024] of the windows that ended in this chunk.
            state: updated in place.
        """
        if not self.sounds:
            return self._bias  # of whatever width the embeddings are
        odds = np.concatenate([state.recent, features(embeddings) @ self._weight.T + self._bias])
        state.recent = odds[-(SMOOTH - 1) :]
        best = smoothed(odds)[-len(embeddings) :].max(axis=0)
        p: FloatArray = (1 / (1 + np.exp(-np.clip(best, -30, 30)))).astype(np.float32)
        return p

    @staticmethod
    def load(folder: Path) -> OwnSounds:
        """The sounds of an adapter folder, none where it has no own_sounds.json. WeightsError names file and field."""
        meta, path = folder / META, folder / TENSORS
        if not meta.exists() and not path.exists():
            return OwnSounds()
        try:
            raw = json.loads(meta.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WeightsError(f"{meta}: readable JSON was expected ({error})") from error
        if not isinstance(raw, dict) or raw.get("format") != FORMAT or not isinstance(raw.get("sounds"), list):
            raise WeightsError(f"{meta}: format {FORMAT} and a list `sounds` were expected")
        try:
            tensors = load_file(path)
        except (OSError, SafetensorError) as error:
            raise WeightsError(f"{path}: a safetensors file was expected ({error})") from error
        count, shapes = len(raw["sounds"]), {name: value.shape for name, value in tensors.items()}
        if shapes != {"weight": (count, WIDTH), "bias": (count,)}:
            raise WeightsError(f"{path}: weight [{count}, {WIDTH}] and bias [{count}] were expected, got {shapes}")
        made = []
        for number, body in enumerate(raw["sounds"]):
            where = f"{meta}: sounds[{number}]"
            wanted = {"name": str, "say": str, "threshold": float, "taught": dict}
            if not isinstance(body, dict) or set(body) != set(wanted):
                raise WeightsError(f"{where}: the keys {sorted(wanted)} were expected, got {sorted(body)}")
            for key, kind in wanted.items():
                if not isinstance(body[key], kind):
                    raise WeightsError(f"{where}.{key}: {kind.__name__} was expected, got {body[key]!r}")
            weight, bias = tensors["weight"][number].astype(np.float32), float(tensors["bias"][number])
            try:
                made.append(OwnSound(weight=weight, bias=bias, **body))
            except ConfigError as error:
                raise WeightsError(f"{where}.{error}") from error
        try:
            return OwnSounds(made)
        except ConfigError as error:
            raise WeightsError(f"{meta}: {error}") from error

    def save(self, folder: Path) -> None:
        """Write both files; without any sound, remove them."""
        if not self.sounds:
            (folder / META).unlink(missing_ok=True)
            (folder / TENSORS).unlink(missing_ok=True)
            return
        keys = ("name", "say", "threshold", "taught")
        listed = [{key: getattr(sound, key) for key in keys} for sound in self.sounds]
        bias = np.array([s.bias for s in self.sounds], np.float32)
        text = json.dumps({"format": FORMAT, "sounds": listed}, indent=1, ensure_ascii=False)
        parts = [folder / f"{name}.part" for name in (TENSORS, META)]
        save_file({"weight": self._weight, "bias": bias}, parts[0])
        parts[1].write_text(text + "\n", encoding="utf-8")
        for part in parts:
            part.chmod(0o644)
            part.replace(part.with_suffix(""))


def features(embeddings: FloatArray) -> FloatArray:
    """[S, 1024] >= 0 -> what the heads see: square roots, scaled to length 1, so that loudness counts for little."""
    roots = np.sqrt(np.maximum(embeddings, 0.0), dtype=np.float32)
    scaled: FloatArray = roots / np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), np.float32(1e-6))
    return scaled


def smoothed(odds: FloatArray) -> FloatArray:
    """[n, ...] -> [n, ...]: mean of each row and the SMOOTH - 1 before it (of fewer at the beginning)."""
    out = np.stack([odds[max(0, k - SMOOTH + 1) : k + 1].mean(axis=0) for k in range(len(odds))])
    return out.astype(np.float32)
