"""The words channel alone says what the whole stream says, and its recogniser may be given the whole recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.hear import Shop
from benchmarks.systems import Ask, Setup
from benchmarks.words import plan
from benchmarks.words.audio import read
from benchmarks.words.channel import WINDOW, whole
from benchmarks.words.growth import Recorder, follow
from benchmarks.words.layouts import Utterance
from benchmarks.words.listen import drive, hear, system_of
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.moonshine import Hypothesis, HypWord
from soundflow.types import FloatArray
from tests.conftest import MakeAudio

HOUSE = Path(__file__).parents[3] / "demo/house.flac"


def question() -> FloatArray:
    """From 29 s to 34 s: "In which city is the Eiffel Tower?"."""
    return read(HOUSE)[16_000 * 29 : 16_000 * 34]


class _Counts:
    """Hears the length of a window."""

    def hear(self, samples: FloatArray) -> Hypothesis:
        return Hypothesis((HypWord(str(len(samples)), ()),))


def test_long_recordings_go_to_the_recogniser_in_equal_windows() -> None:
    recordings = [np.zeros(WINDOW, np.float32), np.zeros(WINDOW + 2, np.float32)]
    half = WINDOW // 2 + 1
    assert whole(recordings, _Counts()) == f"{WINDOW} {half} {half}"  # type: ignore[arg-type]


@pytest.mark.weights
def test_quiet_has_no_words(nano_parts: Path, noise: MakeAudio) -> None:
    shop = Shop(Setup(Path(), (plan.WORDS,)))
    system = system_of(plan.WORDS, shop)
    assert system_of(plan.WORDS, shop) is system
    recorder = Recorder("transcript")
    steps = drive(system.open(Ask()), noise(2.0, 1e-4), system.chunk, recorder, lambda _: None)
    assert (recorder.said, len(steps)) == ([], 6)


@pytest.mark.weights
def test_the_channel_alone_hears_what_the_whole_stream_hears(nano_parts: Path) -> None:
    from soundflow.perceive.perceiver import Perceiver
    from soundflow.tiers import nano

    audio = question()
    system = system_of(plan.WORDS, Shop(Setup(Path(), (plan.WORDS,))))
    recorder = Recorder("transcript")
    drive(system.open(Ask()), audio, system.chunk, recorder, lambda _: None)
    found = follow(recorder.said)
    perceiver = Perceiver(nano.parts(), system.chunk)
    state, finals = perceiver.init_state(), []
    for chunk in Chunker(system.chunk).push(audio):
        words = perceiver.step(chunk, state).words
        finals += [words.final.text] if words.final else []
    last = perceiver.flush(state).final
    assert found.finals == finals + ([last.text] if last else [])
    assert len(found.words) > 3
    assert found.broken == 0
    assert all(shown <= told for shown, told in zip(found.shown, found.told, strict=True))


@pytest.mark.weights
def test_a_row_of_the_whole_recording(nano_parts: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", question(), 16_000)
    (item,) = plan.clips([Utterance("a.flac", "In which city is the Eiffel Tower?", "", "g")], 0, tmp_path)
    (row,) = hear(item, [plan.WHOLE], Shop(Setup(tmp_path, (plan.WHOLE,))), lambda _: None)
    assert "error" not in row
    assert len(row["text"].split()) > 3
    assert "said" not in row
