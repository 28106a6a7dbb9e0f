"""The judge: what the sound encoder hears as an alarm stays, what it hears as a synthesizer goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data_builder import synth_alerts as synth
from data_builder import synth_benign
from data_builder.corpora.folder import read_index, select
from data_builder.judge import Judge
from data_builder.sources import open_sources
from soundflow.errors import DataError


@pytest.fixture(scope="module")
def judge(nano_parts: Path) -> Judge:
    return Judge(nano_parts / "sound" / "yamnet.tflite")


def test_phones_stay_and_melodies_go(judge: Judge) -> None:
    makers = (synth.phone_bell, synth_benign.notes)
    heard = {m: [judge(m(np.random.default_rng(k)), "phone_ring") for k in range(6)] for m in makers}
    assert all(heard[synth.phone_bell])
    assert sum(heard[synth_benign.notes]) <= 1


def test_a_chime_is_kin_of_a_doorbell_alone(judge: Judge) -> None:
    chimes = [synth.door_chime(np.random.default_rng(k)) for k in range(8)]
    as_doorbell, as_alarm = (sum(judge(c, label) for c in chimes) for label in ("doorbell", "alarm"))
    assert as_doorbell > as_alarm


def test_silence_is_no_alarm(judge: Judge) -> None:
    assert not judge(np.zeros(16_000, np.float32), "alarm")
    assert not judge(np.zeros(0, np.float32), "alarm")


def test_alerting_sounds_are_drawn_until_the_judge_hears_them(corpus: Path) -> None:
    sources = open_sources(select(read_index(corpus), "train"), [corpus])
    asked: list[int] = []

    def third(audio: object, label: str) -> bool:
        asked.append(1)
        return len(asked) % 3 == 0

    sources.judge = third
    clip = sources.event(np.random.default_rng(0), "knock")
    assert clip.source == "synth:knock"
    assert len(asked) == 3
    sources.event(np.random.default_rng(0), "hum")
    assert len(asked) == 3
    sources.judge = lambda audio, label: False
    with pytest.raises(DataError, match="synthetic 'knock'"):
        sources.event(np.random.default_rng(0), "knock")
