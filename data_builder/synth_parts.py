"""What synthetic sounds are put together from: tones, sweeps, struck bars. [N] float32 mono at 16 kHz of any level.

Every sound made of these is marked `synth:NAME` in a sample, so that nobody takes it for a recording.
"""

from __future__ import annotations

import numpy as np

from data_builder.clips import FloatArray
from soundflow import SAMPLE_RATE_HZ as SR

Rng = np.random.Generator
LICENCE = "synthetic (data_builder)"


def clock(seconds: float) -> FloatArray:
    return np.arange(int(seconds * SR), dtype=np.float32) / np.float32(SR)


def tone(seconds: float, hz: float, partials: tuple[float, ...] = (1.0,), edge: float = 0.008) -> FloatArray:
    """A harmonic tone with soft edges; `partials` are amplitudes of harmonics 1, 2, ..."""
    t = clock(seconds)
    out = sum(a * np.sin(2 * np.pi * hz * (i + 1) * t) for i, a in enumerate(partials) if hz * (i + 1) < 7600)
    n = min(int(edge * SR), len(t) // 2)
    gain = np.ones(len(t), dtype=np.float32)
    if n:
        gain[:n] = np.linspace(0, 1, n)
        gain[-n:] = gain[:n][::-1]
    return np.asarray(out * gain, dtype=np.float32)


def rest(seconds: float) -> FloatArray:
    return np.zeros(int(seconds * SR), dtype=np.float32)


def sweep(hz: FloatArray, partials: tuple[float, ...]) -> FloatArray:
    """A tone that follows the frequency contour `hz` [N]."""
    phase = 2 * np.pi * np.cumsum(hz.astype(np.float64)) / SR
    return np.asarray(sum(a * np.sin((i + 1) * phase) for i, a in enumerate(partials)), dtype=np.float32)


def timbre(rng: Rng, harmonics: int = 5) -> tuple[float, ...]:
    decay = float(rng.uniform(0.15, 0.7))
    return tuple(decay**i * float(rng.uniform(0.3, 1.0)) for i in range(harmonics))


def strike(rng: Rng, hz: float, seconds: float, decay: float, ratios: tuple[float, ...]) -> FloatArray:
    """A struck bar or bell: partials at `ratios` of `hz`, the higher ones dying sooner."""
    t = clock(seconds)
    out = np.zeros(len(t), dtype=np.float32)
    for i, ratio in enumerate(ratios):
        if hz * ratio < 7500:
            amp = float(rng.uniform(0.4, 1.0)) / (1 + 0.6 * i)
            out += amp * np.exp(-t * (1 + 0.8 * i) / decay) * np.sin(2 * np.pi * hz * ratio * t)
    out[:16] *= np.linspace(0, 1, 16, dtype=np.float32)
    return out
