"""Chunks do not depend on how their audio was sliced."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundflow.errors import AudioFormatError, ConfigError, StreamClosedError
from soundflow.perceive.chunker import Chunker
from soundflow.types import AudioChunk, FloatArray


def _run(size: int, slices: list[FloatArray]) -> list[AudioChunk]:
    chunker = Chunker(size)
    chunks = [chunk for part in slices for chunk in chunker.push(part)]
    last = chunker.flush()
    return chunks + ([last] if last else [])


@settings(max_examples=100, deadline=None)
@given(
    size=st.integers(1, 400),
    total=st.integers(0, 2000),
    cuts=st.lists(st.integers(0, 2000), max_size=20),
)
def test_any_slicing_gives_the_same_chunks(size: int, total: int, cuts: list[int]) -> None:
    audio = np.random.default_rng(total).uniform(-1, 1, total).astype(np.float32)
    chunks = _run(size, np.split(audio, sorted(min(cut, total) for cut in cuts)))
    assert [c.index for c in chunks] == list(range(-(-total // size)))
    assert all(c.start_sample == c.index * size and c.samples.shape == (size,) for c in chunks)
    joined = np.concatenate([c.samples for c in chunks]) if chunks else np.zeros(0, np.float32)
    np.testing.assert_array_equal(joined[:total], audio)
    assert not joined[total:].any()


def test_emitted_chunks_are_not_written_again() -> None:
    chunker = Chunker(4)
    (first,) = chunker.push(np.full(4, 0.5, np.float32))
    chunker.push(np.full(4, -0.5, np.float32))
    assert (first.samples == 0.5).all()


def test_a_closed_stream_takes_no_audio() -> None:
    chunker = Chunker(4)
    chunker.push(np.zeros(3, np.float32))
    assert chunker.flush() is not None
    with pytest.raises(StreamClosedError, match="sample 4"):
        chunker.push(np.zeros(1, np.float32))
    with pytest.raises(StreamClosedError):
        chunker.flush()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_with_its_place_and_nothing_is_taken(value: float) -> None:
    chunker = Chunker(8)
    chunker.push(np.zeros(5, np.float32))
    bad = np.zeros(6, np.float32)
    bad[2] = value
    with pytest.raises(AudioFormatError, match="at 7"):
        chunker.push(bad)
    assert chunker.position == 5


@pytest.mark.parametrize("samples", [np.zeros((4, 2), np.float32), np.zeros(4, np.int16)])
def test_wrong_shape_or_type(samples: FloatArray) -> None:
    with pytest.raises(AudioFormatError, match="expected float samples"):
        Chunker(4).push(samples)


def test_size_zero() -> None:
    with pytest.raises(ConfigError):
        Chunker(0)


def test_overshoot_is_clipped() -> None:
    (chunk,) = Chunker(2).push(np.array([1.5, -2.0], np.float32))
    assert chunk.samples.tolist() == [1.0, -1.0]


def test_restore_goes_on_where_the_snapshot_was() -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, 100).astype(np.float32)
    whole = _run(16, [audio])
    chunker = Chunker(16)
    chunker.push(audio[:37])
    kept = chunker.snapshot()
    chunker.push(audio[:20])
    other = Chunker(16)
    other.restore(kept)
    rest = other.push(audio[37:])
    assert [c.index for c in rest] == [2, 3, 4, 5]
    for chunk in rest:
        np.testing.assert_array_equal(chunk.samples, whole[chunk.index].samples)
    with pytest.raises(ConfigError):
        Chunker(4).restore(kept)
