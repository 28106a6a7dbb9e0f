"""Lines said by people in turn, with an index; nobody who fails is counted."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data_builder.clips import FloatArray
from data_builder.speech.protocol import Voice
from data_builder.speech.say import PEAK, say
from data_builder.speech.voices import Speaker
from soundflow.errors import ConfigError, DataError
from tests.data_builder.speech.conftest import FakeEngine

TEXTS = ["Lock the door.", "Light on, please."]


def people(*names: str) -> list[Speaker]:
    return [Speaker(f"fake:{n}", "dev", "fake", {"en": Voice("fake", n)}) for n in names]


def test_each_line_has_its_voices_and_who_fails_is_followed_by_the_next(engine: FakeEngine, tmp_path: Path) -> None:
    steps = list(say(TEXTS, people("ann", "broken", "bob"), {"fake": engine}, 2, tmp_path))
    assert steps == [(1, 2), (2, 2)]
    with (tmp_path / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["text"], r["voice"]) for r in rows] == [(t, f"fake:{v}") for t in TEXTS for v in r_order(t)]
    for row in rows:
        audio, rate = soundfile.read(tmp_path / row["path"])
        assert rate == 16_000
        assert np.abs(audio).max() == pytest.approx(PEAK, abs=1e-3)
    said = len(engine.calls)
    list(say(TEXTS, people("ann", "broken", "bob"), {"fake": engine}, 2, tmp_path))
    assert [v.name for _, v in engine.calls[said:]] == ["broken"]  # what is there is not made again


def r_order(text: str) -> list[str]:
    return ["ann", "bob"] if text == TEXTS[0] else ["bob", "ann"]


def test_too_few_voices_are_told(engine: FakeEngine, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1 to 1 voices"):
        list(say(TEXTS, people("ann"), {"fake": engine}, 2, tmp_path))
    list(say(TEXTS, people("ann", "broken"), {"fake": engine}, 2, tmp_path))
    assert (tmp_path / "index.csv").read_text().count("fake:ann") == len(TEXTS)
    with pytest.raises(DataError, match="expected a voice of 1 that can say it, got none"):
        list(say(TEXTS, people("broken"), {"fake": engine}, 1, tmp_path))


def test_samples_that_are_no_numbers_are_no_voice(tmp_path: Path) -> None:
    class Overflowing(FakeEngine):
        def say(self, text: str, voice: Voice) -> FloatArray:
            return np.full(1600, np.nan, np.float32)

    with pytest.raises(DataError, match="got none"):
        list(say(TEXTS, people("ann"), {"fake": Overflowing()}, 1, tmp_path))
