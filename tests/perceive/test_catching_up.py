"""What was heard elsewhere is heard again cheaply: finished speech comes out the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile as sf

from soundflow.types import AudioChunk
from tests.tiny_model import CHUNK, tiny_model

pytestmark = pytest.mark.weights
FIRST, MOVED = 45, 57  # chunks of the demo: before the reader begins, and in the middle of a sentence


@pytest.fixture(scope="module")
def perceiver(nano_parts):
    return tiny_model(nano_parts).perceiver


@pytest.fixture(scope="module")
def chunks():
    audio, _ = sf.read(Path(__file__).parents[2] / "demo" / "house.flac", dtype="float32")
    return [AudioChunk(k, k * CHUNK, audio[k * CHUNK : (k + 1) * CHUNK]) for k in range(FIRST, 66)]


def finals(words) -> list[str]:
    return [w.final.text for w in words if w.final and w.final.text]


def test_a_sentence_that_is_skimmed_comes_out_whole(perceiver, chunks):
    whole = perceiver.init_state(start_sample=chunks[0].start_sample)
    expected = [perceiver.step(c, whole) for c in chunks]
    state = perceiver.init_state(start_sample=chunks[0].start_sample)
    perceiver.catch_up(state, 2)
    for chunk in chunks[: MOVED - FIRST]:
        if chunk.index < MOVED - 6:
            perceiver.skim(chunk, state)
        else:
            found = perceiver.step(chunk, state)
            assert not found.words.new
    perceiver.catch_up(state, 0)
    rest = [perceiver.step(c, state) for c in chunks[MOVED - FIRST :]]
    assert finals(p.words for p in expected)
    assert finals(p.words for p in rest) == finals(p.words for p in expected[MOVED - FIRST :])
    assert [p.vad.speaking for p in rest] == [p.vad.speaking for p in expected[MOVED - FIRST :]]
    for a, b in zip(rest, expected[MOVED - FIRST :], strict=True):
        assert a.tags == pytest.approx(b.tags, abs=0.02)
