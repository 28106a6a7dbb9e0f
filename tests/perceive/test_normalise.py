"""The gain is causal, bounded, slow upwards, at once downwards, and never clips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.normalise import Level, LevelConfig, LevelState, LevelTracker, amplitude
from soundflow.types import FloatArray
from tests.conftest import MakeAudio

N = 6400
RAISING = LevelConfig(target_db=-12.0, quiet_db=-60.0)


def _run(audio: FloatArray, state: LevelState | None = None, size: int = N) -> list[Level]:
    tracker = LevelTracker(size, RAISING)
    state = state or tracker.init_state()
    return [tracker.step(audio[i : i + size], state) for i in range(0, len(audio) - size + 1, size)]


def test_quiet_audio_rises_to_the_target_3_db_a_chunk(tone: MakeAudio) -> None:
    levels = _run(tone(4, level=amplitude(-20)))
    assert [round(level.gain_db, 1) for level in levels[:5]] == [3.0, 6.0, 8.0, 8.0, 8.0]
    assert np.abs(levels[4].samples).max() == pytest.approx(amplitude(-12), rel=1e-3)
    assert levels[0].peak_db == pytest.approx(-20, abs=0.01)
    assert levels[0].rms_db == pytest.approx(-23.01, abs=0.01)


def test_only_very_faint_streams_are_raised_by_default(tone: MakeAudio) -> None:
    tracker = LevelTracker(N)
    for level, gain in ((-20, 0.0), (-40, 0.0), (-50, 5.0), (-90, 0.0)):
        state = tracker.init_state()
        audio = tone(4, level=amplitude(level))
        gains = [tracker.step(audio[i : i + N], state).gain_db for i in range(0, len(audio) - N + 1, N)]
        assert gains[-1] == pytest.approx(gain, abs=0.05)


def test_gain_is_at_most_12_db(tone: MakeAudio) -> None:
    assert _run(tone(8, level=amplitude(-50)))[-1].gain_db == 12.0


def test_a_floor_below_60_db_is_not_raised(noise: MakeAudio) -> None:
    audio = noise(4, level=1e-4)
    levels = _run(audio)
    assert all(level.gain_db == 0.0 for level in levels)
    np.testing.assert_array_equal(np.concatenate([level.samples for level in levels]), audio[: len(levels) * N])


def test_silence(tone: MakeAudio) -> None:
    (level,) = _run(np.zeros(N, np.float32))
    assert (level.rms_db, level.peak_db, level.gain_db) == (-120.0, -120.0, 0.0)


def test_a_bang_ends_the_gain_at_once_and_holds_it_for_ten_seconds(tone: MakeAudio) -> None:
    quiet, loud = tone(4, level=0.01), tone(0.4, level=0.9)
    levels = _run(np.concatenate([quiet, loud, tone(14, level=0.01)]))
    assert levels[9].gain_db == 12.0
    assert levels[10].gain_db == 0.0
    assert levels[10].samples.max() == pytest.approx(0.9, rel=1e-3)
    assert levels[34].gain_db == 0.0
    assert levels[35].gain_db == 3.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-90, 0), min_size=1, max_size=60), st.integers(0, 1000))
def test_invariants(peaks: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    audio = np.concatenate([rng.uniform(-1, 1, 640) * amplitude(db) for db in peaks]).astype(np.float32)
    before = 0.0
    for i, level in enumerate(_run(audio, size=640)):
        assert 0.0 <= level.gain_db <= 12.0
        assert level.gain_db <= before + 3.0 + 1e-9
        assert np.abs(level.samples).max() <= 1.0
        chunk = audio[i * 640 : (i + 1) * 640]
        assert (np.abs(level.samples) >= np.abs(chunk) - 1e-7).all()
        before = level.gain_db


def test_causal_and_resumable(noise: MakeAudio) -> None:
    audio = noise(8, level=0.02)
    whole = _run(audio)
    changed = audio.copy()
    changed[10 * N :] = 0.9
    for a, b in zip(whole[:10], _run(changed)[:10], strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)
    tracker, state = LevelTracker(N), LevelState()
    _run(audio[: 7 * N], state)
    kept = state.snapshot()
    _run(audio[: 3 * N], state)
    fresh = tracker.init_state()
    fresh.restore(kept)
    for a, b in zip(whole[7:], _run(audio[7 * N :], fresh), strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)
    fresh.reset()
    assert fresh == LevelState()


def test_state_is_bounded(noise: MakeAudio) -> None:
    state = LevelState()
    _run(noise(60, level=0.1), state)
    assert len(state.peaks) == 25


def test_bad_input() -> None:
    with pytest.raises(AudioFormatError, match="6400"):
        LevelTracker(N).step(np.zeros(100, np.float32), LevelState())
    with pytest.raises(ConfigError):
        LevelTracker(0)
    with pytest.raises(ConfigError):
        LevelConfig(target_db=1.0)
    with pytest.raises(ConfigError):
        LevelConfig(rise_db=0.0)
