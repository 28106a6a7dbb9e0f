"""Speech for tests of voice activity: espeak-ng, skipped where it is not installed."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import soxr

from soundflow import SAMPLE_RATE_HZ
from soundflow.respond.voice import EspeakVoice
from soundflow.types import FloatArray


def said(text: str) -> FloatArray:
    """[n] at 16 kHz, without quiet ends."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not on the PATH")
    voice = EspeakVoice()
    whole = np.concatenate(list(voice.speak(text)))
    heard: FloatArray = soxr.resample(whole, voice.rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
    loud = np.flatnonzero(np.abs(heard) > 0.02)
    return heard[loud[0] : loud[-1] + 1]
