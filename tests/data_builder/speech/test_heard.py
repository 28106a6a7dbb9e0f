"""Real engines heard by the real recogniser."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from data_builder.speech.ear import MoonshineEar
from data_builder.speech.engines import engines
from data_builder.speech.protocol import Voice
from data_builder.speech.synthesise import MAX_WER, Synthesiser

pytestmark = pytest.mark.weights
SENTENCES = (
    "What time does the library open tomorrow?",
    "Set a timer for 10 minutes, please.",
)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng on the PATH (apt install espeak-ng)")
def test_espeak_is_mostly_understood(nano_parts: Path, tmp_path: Path) -> None:
    speech = Synthesiser(engines(), tmp_path, MoonshineEar(nano_parts / "asr"))
    voices = [Voice("espeak", "en-us+f2"), Voice("espeak", "en-us+f2", 0.9), Voice("espeak", "en-us+f2", 0.8)]
    said = speech.say(SENTENCES[0], voices)
    assert said.wer is not None
    assert said.wer <= MAX_WER
    assert "library" in said.heard.lower()


@pytest.mark.skipif(importlib.util.find_spec("piper") is None, reason="no piper-tts (pip install 'soundflow[voice]')")
def test_piper_is_understood_at_once_and_says_the_same_twice(nano_parts: Path, tmp_path: Path) -> None:
    folder = nano_parts / "voice"
    if not folder.is_dir():
        pytest.skip(f"no voice in {nano_parts}: run `soundflow models pull nano`")
    have, ear = engines(piper=folder), MoonshineEar(nano_parts / "asr")
    tries = [Voice("piper", "en_US-joe-medium", rate) for rate in (1.0, 0.9)]
    assert "en_US-joe-medium" in have["piper"].names()
    for text in SENTENCES:
        one, two = (Synthesiser(have, tmp_path / name, ear).say(text, tries) for name in "ab")
        assert one.wer is not None
        assert one.wer <= MAX_WER
        np.testing.assert_array_equal(one.audio, two.audio)
