"""Tag probabilities -> sound events: calibration a class, then onset and offset with hysteresis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.labels import ALERTING, GENERIC, UNREPORTED
from soundflow.perceive.sound import TAGS
from soundflow.perceive.thresholds import Thresholds
from soundflow.types import FloatArray, Sound

_STEP = 1.0 / 512.0  # a score is taken for no surer than this far from 0 and 1
_CALIBRATION_KEYS = {"format", "a", "b"}
_THRESHOLDS = "thresholds"
_CALIBRATION_FORMAT = "soundflow-tag-calibration-1"


@dataclass(frozen=True, slots=True)
class TagCalibration:
    """p = sigmoid(a * logit(score) + b) for each class; `a` and `b` are [L], in the order of the sound encoder.

    `thresholds`: from which p on a sound counts, and from which score on speech is believed.
    """

    a: FloatArray
    b: FloatArray
    thresholds: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        if self.a.ndim != 1 or self.a.shape != self.b.shape:
            raise ConfigError(f"tag calibration: expected a and b of [L], got {self.a.shape} and {self.b.shape}")
        if not (np.isfinite(self.a).all() and np.isfinite(self.b).all() and (self.a >= 0.0).all()):
            raise ConfigError("tag calibration: expected finite a >= 0 and finite b")

    @classmethod
    def identity(cls, count: int = TAGS) -> TagCalibration:
        """The scores themselves, but for 0 and 1, which become half a score step from it."""
        return cls(np.ones(count, np.float32), np.zeros(count, np.float32))

    @classmethod
    def load(cls, path: Path) -> TagCalibration:
        """Read the JSON that `save` wrote. ConfigError names file and key."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: expected a tag calibration in JSON: {error}") from error
        if not isinstance(fields, dict) or set(fields) - {_THRESHOLDS} != _CALIBRATION_KEYS:
            got = sorted(fields) if isinstance(fields, dict) else type(fields).__name__
            keys = f"{sorted(_CALIBRATION_KEYS)} (and {_THRESHOLDS!r}, if any)"
            raise ConfigError(f"{path}: expected the keys {keys}, got {got}")
        if fields["format"] != _CALIBRATION_FORMAT:
            raise ConfigError(f"{path}: format: expected {_CALIBRATION_FORMAT!r}, got {fields['format']!r}")
        try:
            thresholds = Thresholds.read(fields.get(_THRESHOLDS, {}))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
        try:
            return cls(np.array(fields["a"], np.float32), np.array(fields["b"], np.float32), thresholds)
        except (TypeError, ValueError, ConfigError) as error:
            raise ConfigError(f"{path}: a, b: {error}") from error

    def save(self, path: Path) -> None:
        """Write as JSON; equal values give equal bytes. Thresholds of nano are not said."""
        fields: dict[str, Any] = {
            "format": _CALIBRATION_FORMAT,
            "a": [round(float(x), 6) for x in self.a],
            "b": [round(float(x), 6) for x in self.b],
        }
        if self.thresholds != Thresholds():
            fields[_THRESHOLDS] = self.thresholds.to_json()
        path.write_text(json.dumps(fields) + "\n", encoding="utf-8")

    @property
    def events(self) -> SoundEventsConfig:
        """Of the sounds that are found in what `__call__` gives."""
        return SoundEventsConfig(on=self.thresholds.on, off=self.thresholds.off)

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Scores [..., L] in [0, 1] -> probabilities [..., L]."""
        clipped = np.clip(scores.astype(np.float64), _STEP, 1.0 - _STEP)
        logits = self.a * np.log(clipped / (1.0 - clipped)) + self.b
        p: FloatArray = (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
        return p


@dataclass(frozen=True, slots=True)
class SoundEventsConfig:
    """A sound begins at p >= `on` and ends after `offset_chunks` chunks running of p < `off`.

    Its onset is the first chunk of the run of p >= `off` that led to it, at most `backdate_chunks` back. `never` are
    labels that are not events.
    """

    on: float = 0.4
    off: float = 0.2
    offset_chunks: int = 2
    backdate_chunks: int = 10
    max_active: int = 8
    never: frozenset[str] = UNREPORTED

    def __post_init__(self) -> None:
        if not 0.0 < self.off <= self.on <= 1.0:
            raise ConfigError(f"sound events: expected 0 < off <= on <= 1, got off={self.off}, on={self.on}")
        if min(self.offset_chunks, self.max_active) < 1 or self.backdate_chunks < 0:
            raise ConfigError(
                "sound events: expected offset_chunks >= 1, max_active >= 1, backdate_chunks >= 0, got"
                f" {self.offset_chunks}, {self.max_active}, {self.backdate_chunks}"
            )


@dataclass(slots=True)
class ActiveSound:
    """A sound that goes on: its onset, its highest p, and since when (how many chunks) it is under `off`."""

    onset: int
    peak: float
    quiet_since: int = 0
    quiet_chunks: int = 0


@dataclass(slots=True)
class SoundEventsState:
    """Of one stream. `run_start` [L]: start of the run of p >= off (-1: none). `blocked` [L]: not to be reported until
    this run ends, because a child of it was heard or an alerting sound took its place."""

    run_start: NDArray[np.int64]
    blocked: NDArray[np.bool_]
    active: dict[int, ActiveSound] = field(default_factory=dict)

    def reset(self) -> None:
        """Make this state equal to a fresh one."""
        self.run_start[:], self.blocked[:] = -1, False
        self.active = {}

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change."""
        return {
            "run_start": self.run_start.copy(),
            "blocked": self.blocked.copy(),
            "active": {i: (s.onset, s.peak, s.quiet_since, s.quiet_chunks) for i, s in self.active.items()},
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`."""
        self.run_start = np.array(snapshot["run_start"], np.int64)
        self.blocked = np.array(snapshot["blocked"], np.bool_)
        self.active = {int(i): ActiveSound(*values) for i, values in snapshot["active"].items()}


class SoundEvents:
    """Finds events in the tag probabilities of a stream. At most `max_active` sounds go on at once.

    A generic label ("Animal") is not reported while one of its children ("Dog") is heard, and not after it either until
    it fell silent itself; one that alerts ("Glass") yields only to a child that alerts too ("Shatter"). Where all
    places are taken, an alerting sound ends the weakest one that is not; others wait.
    """

    def __init__(self, labels: Sequence[str], chunk_samples: int, config: SoundEventsConfig | None = None) -> None:
        if chunk_samples < 1:
            raise ConfigError(f"sound events: expected chunk_samples >= 1, got {chunk_samples}")
        self.labels = tuple(labels)
        self.chunk_samples = chunk_samples
        self.config = config or SoundEventsConfig()
        index = {label: i for i, label in enumerate(self.labels)}
        alerting = {label for group in ALERTING.values() for label in group}
        self._reported = np.array([label not in self.config.never for label in self.labels], np.bool_)
        self._alerting = np.array([label in alerting for label in self.labels], np.bool_)
        self._children = {
            index[parent]: [
                index[child]
                for child in children
                if child in index and child not in self.config.never and (parent not in alerting or child in alerting)
            ]
            for parent, children in GENERIC.items()
            if parent in index
        }

    def init_state(self) -> SoundEventsState:
        """State of a stream that has not begun."""
        count = len(self.labels)
        return SoundEventsState(np.full(count, -1, np.int64), np.zeros(count, np.bool_))

    def step(self, p: FloatArray, chunk: int, state: SoundEventsState) -> tuple[Sound, ...]:
        """Offsets, then onsets, that became known in one chunk.

        Args:
            p: [L] calibrated probabilities of the chunk.
            chunk: its index.
            state: updated in place.
        """
        if p.shape != (len(self.labels),) or not np.isfinite(p).all():
            raise AudioFormatError(f"sound events: expected finite probabilities [{len(self.labels)}], got {p.shape}")
        start_sample = chunk * self.chunk_samples
        self._count_runs(p, start_sample, state)
        ended = self._end_quiet(p, start_sample, state)
        ended += self._suppress_parents(p, start_sample, state)
        waiting = [
            int(i)
            for i in np.flatnonzero((p >= self.config.on) & self._reported & ~state.blocked)
            if int(i) not in state.active
        ]
        waiting.sort(key=lambda i: (not self._alerting[i], -p[i], i))
        begun: list[Sound] = []
        for i in waiting:
            if len(state.active) >= self.config.max_active:
                weakest = self._displaced(i, p, state)
                if weakest is None:
                    break
                state.blocked[weakest] = True
                ended.append(self._end(weakest, start_sample, state))
            onset = int(state.run_start[i])
            state.active[i] = ActiveSound(onset, float(p[i]))
            begun.append(Sound(self.labels[i], float(p[i]), onset))
        return (*ended, *begun)

    def flush(self, end_sample: int, state: SoundEventsState) -> tuple[Sound, ...]:
        """End of the stream: the offset of all that still goes on."""
        return tuple(
            self._end(i, s.quiet_since if s.quiet_chunks else end_sample, state) for i, s in list(state.active.items())
        )

    def going_on(self, state: SoundEventsState) -> tuple[str, ...]:
        """Labels of the sounds that go on now, oldest first."""
        return tuple(self.labels[i] for i, _ in sorted(state.active.items(), key=lambda item: (item[1].onset, item[0])))

    def _count_runs(self, p: FloatArray, start: int, state: SoundEventsState) -> None:
        above = p >= self.config.off
        oldest = start - self.config.backdate_chunks * self.chunk_samples
        began = np.where(state.run_start < 0, start, np.maximum(state.run_start, oldest))
        state.run_start = np.where(above, began, -1)
        state.blocked &= above

    def _end_quiet(self, p: FloatArray, start: int, state: SoundEventsState) -> list[Sound]:
        ended: list[Sound] = []
        for i, sound in list(state.active.items()):
            if p[i] >= self.config.off:
                sound.quiet_chunks = 0
                sound.peak = max(sound.peak, float(p[i]))
                continue
            sound.quiet_since = start if sound.quiet_chunks == 0 else sound.quiet_since
            sound.quiet_chunks += 1
            if sound.quiet_chunks >= self.config.offset_chunks:
                ended.append(self._end(i, sound.quiet_since, state))
        return ended

    def _suppress_parents(self, p: FloatArray, start: int, state: SoundEventsState) -> list[Sound]:
        ended: list[Sound] = []
        for parent, children in self._children.items():
            if not any(child in state.active or p[child] >= self.config.on for child in children):
                continue
            state.blocked[parent] = p[parent] >= self.config.off
            if parent in state.active:
                ended.append(self._end(parent, start, state))
        return ended

    def _displaced(self, newcomer: int, p: FloatArray, state: SoundEventsState) -> int | None:
        """The active sound that makes room for an alerting `newcomer`; None where there is none."""
        others = [i for i in state.active if not self._alerting[i]]
        return min(others, key=lambda i: (p[i], i)) if self._alerting[newcomer] and others else None

    def _end(self, i: int, offset: int, state: SoundEventsState) -> Sound:
        sound = state.active.pop(i)
        return Sound(self.labels[i], sound.peak, sound.onset, max(offset, sound.onset))
