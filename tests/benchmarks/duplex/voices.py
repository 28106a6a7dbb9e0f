"""A voice of tones, lines of tones, and talkers without weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.duplex import texts
from benchmarks.duplex.lines import Line
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import SoundflowError
from soundflow.types import FloatArray
from tests.benchmarks.fakes import beeps

RATE = 8000
SECONDS_A_LETTER = 0.05


class ToneVoice:
    """0.05 s of tone a letter, 0.1 s of silence at either end, at 8 kHz."""

    name, rate_hz = "tone", RATE

    def __init__(self, fails: bool = False) -> None:
        self.made: list[str] = []
        self._fails = fails

    def speak(self, text: str) -> Iterator[FloatArray]:
        if self._fails:
            raise SoundflowError("made to fail")
        self.made.append(text)
        times = np.arange(round(SECONDS_A_LETTER * len(text) * RATE)) / RATE
        tone = (0.5 * np.sin(2 * np.pi * 300 * times)).astype(np.float32)
        quiet = np.zeros(RATE // 10, np.float32)
        yield np.concatenate([quiet, tone, quiet])


def tone_lines(folder: Path) -> dict[str, list[Line]]:
    """Every line as two beeps with a gap of 0.2 s, in one voice."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "line.wav"
    audio = np.concatenate([beeps(0.6, 400.0), np.zeros(SAMPLE_RATE_HZ // 5, np.float32), beeps(1.0, 500.0)])
    soundfile.write(path, audio, SAMPLE_RATE_HZ)
    return {text: [Line(text, "tone", str(path))] for text in texts.lines()}
