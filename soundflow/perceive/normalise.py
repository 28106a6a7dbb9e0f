"""Level of each chunk, and a causal, bounded gain for the sound path (the speech path hears the audio as it came)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError, ConfigError
from soundflow.types import FloatArray

FLOOR_DB = -120.0
_RAMP_SAMPLES = 320  # 20 ms: a rising gain must not make a click, which YAMNet would name


@dataclass(frozen=True, slots=True)
class LevelConfig:
    """Gain = `target_db` - peak of the last `history_s`, kept in 0 to `max_gain_db`; 0 where that peak is below
    `quiet_db`. It rises by at most `rise_db` a chunk and falls at once.

    Only very faint streams are raised: raising the background between sounds to -12 dBFS cost the rule system 0.02 of
    its AUC on train rows (training/RUNS.md)."""

    target_db: float = -45.0
    max_gain_db: float = 12.0
    rise_db: float = 3.0
    quiet_db: float = -75.0
    history_s: float = 10.0

    def __post_init__(self) -> None:
        if not FLOOR_DB < self.quiet_db < self.target_db <= 0.0:
            raise ConfigError(
                f"level: expected {FLOOR_DB} < quiet_db < target_db <= 0, got {self.quiet_db}, {self.target_db}"
            )
        if self.max_gain_db < 0.0 or self.rise_db <= 0.0 or self.history_s <= 0.0:
            raise ConfigError(
                "level: expected max_gain_db >= 0, rise_db > 0 and history_s > 0,"
                f" got {self.max_gain_db}, {self.rise_db}, {self.history_s}"
            )


@dataclass(frozen=True, slots=True)
class Level:
    """Of one chunk: RMS and peak in dBFS (at least -120), the gain at its end, and `samples` [N] with the gain on."""

    rms_db: float
    peak_db: float
    gain_db: float
    samples: FloatArray


@dataclass(slots=True)
class LevelState:
    """`peaks` in dBFS of the chunks of the last `history_s`, oldest first, and the gain that holds."""

    peaks: list[float] = field(default_factory=list)
    gain_db: float = 0.0

    def reset(self) -> None:
        """Make this state equal to a fresh one."""
        self.peaks, self.gain_db = [], 0.0

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change."""
        return {"peaks": list(self.peaks), "gain_db": self.gain_db}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`."""
        self.peaks, self.gain_db = [float(p) for p in snapshot["peaks"]], float(snapshot["gain_db"])


class LevelTracker:
    """Level and gain of a stream, chunk by chunk. Chunk k depends on nothing after its end."""

    def __init__(self, chunk_samples: int, config: LevelConfig | None = None) -> None:
        if chunk_samples < 1:
            raise ConfigError(f"level: expected chunk_samples >= 1, got {chunk_samples}")
        self.config = config or LevelConfig()
        self.chunk_samples = chunk_samples
        self._history = max(1, round(self.config.history_s * SAMPLE_RATE_HZ / chunk_samples))

    def init_state(self) -> LevelState:
        """State of a stream that has not begun: no gain."""
        return LevelState()

    def step(self, samples: FloatArray, state: LevelState) -> Level:
        """Measure and raise one chunk.

        Args:
            samples: [N] float32 in [-1, 1].
            state: updated in place.
        """
        if samples.shape != (self.chunk_samples,):
            raise AudioFormatError(f"level: expected a chunk of [{self.chunk_samples}], got {samples.shape}")
        peak_db = decibels(float(np.max(np.abs(samples))))
        rms_db = decibels(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))))
        state.peaks = [*state.peaks, peak_db][-self._history :]
        before, state.gain_db = state.gain_db, self._gain(max(state.peaks), state.gain_db)
        return Level(rms_db, peak_db, state.gain_db, self._apply(samples, before, state.gain_db))

    def _gain(self, peak_db: float, before: float) -> float:
        c = self.config
        if peak_db < c.quiet_db:
            return 0.0
        wanted = min(max(c.target_db - peak_db, 0.0), c.max_gain_db)
        return min(wanted, before + c.rise_db)

    def _apply(self, samples: FloatArray, before: float, after: float) -> FloatArray:
        gain = np.full(len(samples), amplitude(after), np.float32)
        if after > before:
            ramp = min(_RAMP_SAMPLES, len(samples))
            gain[:ramp] = np.linspace(amplitude(before), amplitude(after), ramp, endpoint=False, dtype=np.float32)
        return samples * gain


def decibels(value: float) -> float:
    """dBFS of an amplitude, at least -120."""
    return max(FLOOR_DB, 20.0 * float(np.log10(value))) if value > 0.0 else FLOOR_DB


def amplitude(db: float) -> float:
    """Factor of a gain in dB."""
    return float(10.0 ** (db / 20.0))
