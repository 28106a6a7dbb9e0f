"""An engine that hums its text and an ear that is told what to hear."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from data_builder.clips import FloatArray
from data_builder.speech.protocol import Voice
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

SILENCE_S = 0.3


class FakeEngine:
    """A tone of 0.1 s a letter between two silences; its pitch follows voice and rate. `calls` counts what was said."""

    deterministic = True

    def __init__(self) -> None:
        self.calls: list[tuple[str, Voice]] = []

    def say(self, text: str, voice: Voice) -> FloatArray:
        self.calls.append((text, voice))
        if voice.name == "broken":
            raise DataError("expected speech, got no samples", text)
        times = np.arange(round(0.1 * len(text) / voice.prosody.rate * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        tone = 0.2 * np.sin(2 * np.pi * (200 + 10 * len(voice.name)) * times)
        quiet = np.zeros(round(SILENCE_S * SAMPLE_RATE_HZ))
        return np.concatenate([quiet, tone, quiet]).astype(np.float32)

    def names(self) -> set[str]:
        return {"ann", "bob", "broken"}

    def licence(self, voice: Voice) -> str:
        return f"made up ({voice.name})"


class FakeEar:
    """Hears what `answer` makes of the length in seconds. `calls` counts what was heard."""

    name = "fake"

    def __init__(self, answer: Callable[[float], str]) -> None:
        self.answer, self.calls = answer, 0

    def hear(self, samples: FloatArray) -> str:
        self.calls += 1
        return self.answer(len(samples) / SAMPLE_RATE_HZ)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()
