"""Voice activity by level alone, for a model folder without Silero: whatever is loud counts as speech."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from soundflow.perceive.vad import CONTEXT_SAMPLES, WINDOW_SAMPLES, VadConfig, VoiceActivity

MIDDLE_DB: Final = -40.0
SLOPE_DB: Final = 3.0
"""p = sigmoid((level - MIDDLE_DB) / SLOPE_DB), level in dB of full scale: 0.5 at a quiet voice near by. Ours."""


class LevelActivity(VoiceActivity):
    """As `VoiceActivity`, with the same windows, edges and state."""

    def __init__(self, config: VadConfig | None = None) -> None:
        self.config = config or VadConfig()

    def _window(self, rows: Sequence[Any], k: int) -> None:
        for row in rows:
            x = row.audio[k * WINDOW_SAMPLES : (k + 1) * WINDOW_SAMPLES]
            power = float(np.mean(np.square(x, dtype=np.float64)))
            level = 10.0 * np.log10(power + 1e-10)
            row.probs.append(float(1.0 / (1.0 + np.exp(-(level - MIDDLE_DB) / SLOPE_DB))))
            row.state.context = x[-CONTEXT_SAMPLES:].copy()
