"""The streaming speech encoder: the frame grid, one window schedule, no future."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.moonshine import FIELD_SAMPLES, FRAME_WIDTH, HOP_SAMPLES, Moonshine
from soundflow.perceive.speech import SpeechEncoder
from soundflow.types import FloatArray


class Fields:
    """An encoder whose frame holds the first and the last sample of its field, and the length of its window."""

    def __init__(self) -> None:
        self.longest, self.calls = 0, 0

    def encode(self, samples: FloatArray) -> FloatArray:
        self.calls += 1
        self.longest = max(self.longest, len(samples))
        starts = np.arange((len(samples) - FIELD_SAMPLES) // HOP_SAMPLES + 1) * HOP_SAMPLES
        frames = np.zeros((len(starts), FRAME_WIDTH), np.float32)
        frames[:, 0], frames[:, 1] = samples[starts], samples[starts + FIELD_SAMPLES - 1]
        frames[:, 2] = len(samples)
        return frames


def ramp(samples: int) -> FloatArray:
    return np.arange(samples, dtype=np.float32)


@settings(deadline=None)
@given(st.sampled_from([100, 384, 2_560, 6_400, 12_800]), st.lists(st.booleans(), min_size=1, max_size=40))
def test_frames_lie_on_the_grid_of_the_stream_whatever_was_silent(size: int, speaking: list[bool]) -> None:
    encoder = SpeechEncoder(Fields(), size, left_samples=4 * HOP_SAMPLES)
    state, audio = encoder.init_state(), ramp(size * len(speaking))
    for k, on in enumerate(speaking):
        frames = encoder.step(audio[k * size : (k + 1) * size], on, state)
        ended = [f for f in range(2_000) if k * size < f * HOP_SAMPLES + FIELD_SAMPLES <= (k + 1) * size]
        assert list(frames[:, 0]) == ([f * HOP_SAMPLES for f in ended] if on else [])
        assert frames.shape[1] == FRAME_WIDTH


def test_silence_costs_nothing_and_state_stays_small() -> None:
    fields = Fields()
    encoder = SpeechEncoder(fields, 6_400)
    state = encoder.init_state()
    for k in range(200):
        encoder.step(ramp(6_400), k % 10 == 9, state)
        assert len(state.tail) < 50 * HOP_SAMPLES + FIELD_SAMPLES + HOP_SAMPLES
    assert fields.calls == 20
    assert fields.longest < 50 * HOP_SAMPLES + 6_400 + FIELD_SAMPLES + HOP_SAMPLES


@pytest.mark.weights
def test_streaming_equals_whole_under_the_same_windows_and_sees_no_future(nano_parts: Path) -> None:
    moonshine = Moonshine(nano_parts / "asr")
    size, left = 6_400, 50
    audio = np.random.default_rng(0).normal(0, 0.1, 8 * size).astype(np.float32)
    encoder = SpeechEncoder(moonshine, size)
    state, done = encoder.init_state(), 0
    for k in range(8):
        frames = encoder.step(audio[k * size : (k + 1) * size], True, state)
        total = ((k + 1) * size - FIELD_SAMPLES) // HOP_SAMPLES + 1
        start = max(0, done - left)
        whole = moonshine.encode(audio[start * HOP_SAMPLES : (k + 1) * size])
        np.testing.assert_array_equal(frames, whole[done - start : total - start])
        done = total
    assert done == (len(audio) - FIELD_SAMPLES) // HOP_SAMPLES + 1


def test_a_restored_state_goes_on_as_the_first() -> None:
    encoder = SpeechEncoder(Fields(), 1_000)
    state = encoder.init_state()
    for _ in range(5):
        encoder.step(ramp(1_000), True, state)
    snapshot = state.snapshot()
    first = [encoder.step(ramp(1_000) * k, True, state) for k in range(5)]
    fresh = encoder.init_state()
    fresh.restore(snapshot)
    for k in range(5):
        np.testing.assert_array_equal(encoder.step(ramp(1_000) * k, True, fresh), first[k])


def test_bad_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="384"):
        SpeechEncoder(Fields(), 6_400, left_samples=100)
    with pytest.raises(ConfigError, match="chunk_samples"):
        SpeechEncoder(Fields(), 0)
    encoder = SpeechEncoder(Fields(), 6_400)
    with pytest.raises(AudioFormatError, match="6400"):
        encoder.step(ramp(100), True, encoder.init_state())
