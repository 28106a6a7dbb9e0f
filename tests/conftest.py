"""Fixtures of all tests: where pulled weights lie, and seeded tones and noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from soundflow import SAMPLE_RATE_HZ
from soundflow.types import FloatArray

settings.register_profile("soundflow", deadline=None)  # shared machines stall
settings.load_profile("soundflow")

MakeAudio = Callable[..., FloatArray]


@pytest.fixture(scope="session")
def nano_parts() -> Path:
    """Folder with asr, vad, sound, voice and lm of the nano tier; skips where they were not pulled."""
    from soundflow.tiers.weights import home

    root = home() / "models" / "nano"
    missing = [part for part in ("asr", "vad", "sound") if not (root / part).is_dir()]
    if missing:
        pytest.skip(f"no {', '.join(missing)} in {root}: run `soundflow models pull nano`")
    return root


@pytest.fixture(scope="session")
def tone() -> MakeAudio:
    """`tone(seconds, hz=440, level=0.3, rate=16000)` -> [n] float32 sine."""

    def make(seconds: float, hz: float = 440.0, level: float = 0.3, rate: int = SAMPLE_RATE_HZ) -> FloatArray:
        times = np.arange(round(seconds * rate)) / rate
        return (level * np.sin(2.0 * np.pi * hz * times)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def noise() -> MakeAudio:
    """`noise(seconds, level=0.1, seed=0, rate=16000)` -> [n] float32 white noise of that RMS, clipped to [-1, 1]."""

    def make(seconds: float, level: float = 0.1, seed: int = 0, rate: int = SAMPLE_RATE_HZ) -> FloatArray:
        samples = np.random.default_rng(seed).standard_normal(round(seconds * rate)) * level
        return np.clip(samples, -1.0, 1.0).astype(np.float32)

    return make
