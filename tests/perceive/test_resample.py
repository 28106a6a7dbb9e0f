"""The sample clock stays true over long streams, and slicing changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from soundflow.errors import AudioFormatError, StreamClosedError
from soundflow.perceive.resample import StreamResampler
from soundflow.types import FloatArray
from tests.conftest import MakeAudio


def _stream(rate: int, audio: FloatArray, largest: int) -> FloatArray:
    rng = np.random.default_rng(1)
    resampler = StreamResampler(rate)
    out: list[FloatArray] = []
    at = 0
    while at < len(audio):
        size = int(rng.integers(1, largest))
        out.append(resampler.push(audio[at : at + size]))
        at += size
    return np.concatenate([*out, resampler.flush()])


@pytest.mark.parametrize("rate", [44_100, 48_000, 8_000, 11_025, 22_050, 96_000, 16_000])
def test_streaming_equals_whole(rate: int, noise: MakeAudio) -> None:
    audio = noise(5.013, rate=rate)
    out = _stream(rate, audio, 1500)
    np.testing.assert_array_equal(out, soxr.resample(audio, rate, 16_000, quality="HQ") if rate != 16_000 else audio)


@pytest.mark.parametrize("rate", [44_100, 48_000, 8_000])
def test_twenty_minutes_do_not_drift(rate: int) -> None:
    """Blocks of odd sizes; only counts are kept."""
    resampler = StreamResampler(rate)
    rng = np.random.default_rng(2)
    block = rng.standard_normal(9973).astype(np.float32) * 0.1
    pushed = made = 0
    while pushed < 20 * 60 * rate:
        size = int(rng.integers(1000, len(block)))
        made += len(resampler.push(block[:size]))
        pushed += size
        assert pushed * 16_000 / rate - made < 16_000 * 0.12, "more than 120 ms are held back"
    made += len(resampler.flush())
    assert abs(made - round(pushed * 16_000 / rate)) <= 1


@pytest.mark.parametrize("rate", [44_100, 48_000, 8_000])
def test_an_event_stays_where_it_was(rate: int) -> None:
    audio = np.zeros(rate * 2, np.float32)
    audio[rate] = 1.0
    out = _stream(rate, audio, 777)
    assert abs(int(np.argmax(np.abs(out))) - 16_000) <= 1


def test_many_small_blocks() -> None:
    audio = np.random.default_rng(3).standard_normal(4410).astype(np.float32) * 0.1
    resampler = StreamResampler(44_100)
    out = np.concatenate([*(resampler.push(audio[i : i + 1]) for i in range(len(audio))), resampler.flush()])
    np.testing.assert_array_equal(out, soxr.resample(audio, 44_100, 16_000, quality="HQ"))


def test_nothing_in_nothing_out() -> None:
    assert len(StreamResampler(44_100).flush()) == 0


def test_closed() -> None:
    resampler = StreamResampler(8_000)
    resampler.flush()
    with pytest.raises(StreamClosedError):
        resampler.push(np.zeros(4, np.float32))


@pytest.mark.parametrize("rate", [0, -1, 3_999, 384_001])
def test_absurd_rate(rate: int) -> None:
    with pytest.raises(AudioFormatError, match=str(rate)):
        StreamResampler(rate)


def test_stereo_is_refused() -> None:
    with pytest.raises(AudioFormatError, match="mono"):
        StreamResampler(8_000).push(np.zeros((4, 2), np.float32))
