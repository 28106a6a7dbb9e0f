"""The tower as a stream's perceiver."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.omni.perceiver import OmniPerceiver
from soundflow.types import AudioChunk, Words
from tests.perceive.omni.tiny import CONFIG, audio, encoder, run


def chunks(samples: torch.Tensor) -> list[AudioChunk]:
    return [AudioChunk(k, k * 6400, part.numpy()) for k, part in enumerate(samples[0].split(6400))]


def test_a_perception_holds_the_tokens_of_its_chunk():
    samples = audio(1, 4)
    expected = run(encoder(), samples)[0].reshape(4, -1)
    perceiver = OmniPerceiver(encoder())
    state = perceiver.init_state()
    for k, chunk in enumerate(chunks(samples)):
        found = perceiver.step(chunk, state)
        assert (found.chunk, found.end_sample, found.sounds, found.words) == (k, 6400 * (k + 1), (), Words())
        assert found.speech.shape == (10 * CONFIG.out,)
        assert np.allclose(found.speech, expected[k], atol=1e-5)
        assert -80 < found.level_db < 0
    assert (perceiver.ended(0, state), perceiver.flush(state)) == ((), Words())


def test_many_streams_in_one_pass_and_one_that_fails():
    perceiver = OmniPerceiver(encoder(left_chunks=1))
    samples = [audio(1, 5, seed) for seed in range(3)]
    alone = []
    for one in samples:
        state = perceiver.init_state()
        alone.append([perceiver.step(c, state).speech for c in chunks(one)])
    states = [perceiver.init_state() for _ in range(3)]
    for k in range(5):
        active = [r for r in range(3) if k or r != 1]  # stream 1 begins a chunk later
        at = [chunks(samples[r])[k - (r == 1)] for r in active]
        heard = perceiver.hear(at, [states[r] for r in active])
        found = perceiver.step_rows(at, [states[r] for r in active], heard)
        for r, one in zip(active, found, strict=True):
            assert np.allclose(one.speech, alone[r][k - (r == 1)], atol=1e-5)
    bad = perceiver.step_rows([chunks(samples[0])[0]], [perceiver.init_state()], [None])
    assert not isinstance(bad[0], Exception)
    assert isinstance(perceiver.step_rows([at[0]], [states[0]], [None])[0], AudioFormatError)


def test_skimming_is_hearing_without_tokens(monkeypatch):
    perceiver = OmniPerceiver(encoder(left_chunks=2, memory_chunks=3))
    heard = chunks(audio(1, 5))
    expected = perceiver.init_state()
    for chunk in heard:
        last = perceiver.step(chunk, expected).speech
    state = perceiver.init_state()
    with monkeypatch.context() as patch:
        patch.setattr(type(perceiver._encoder._tower), "forward", None)  # it is not run
        for chunk in heard[:-1]:
            perceiver.skim(chunk, state)
    assert np.allclose(perceiver.step(heard[-1], state).speech, last, atol=1e-5)


def test_snapshot_restore_and_start_sample():
    perceiver = OmniPerceiver(encoder(left_chunks=2))
    heard, state = chunks(audio(1, 6)), perceiver.init_state()
    for chunk in heard[:3]:
        perceiver.step(chunk, state)
    saved = state.snapshot()
    future = [perceiver.step(c, state).speech for c in heard[3:]]
    other = perceiver.init_state()
    other.restore(saved)
    assert all(
        np.allclose(perceiver.step(c, other).speech, f, atol=1e-5) for c, f in zip(heard[3:], future, strict=True)
    )
    late, first = perceiver.init_state(start_sample=3 * 6400), AudioChunk(0, 0, heard[3].samples)
    expected = perceiver.step(first, perceiver.init_state()).speech
    assert np.allclose(perceiver.step(heard[3], late).speech, expected)
    with pytest.raises(ConfigError, match="snapshot"):
        OmniPerceiver(encoder(left_chunks=1)).init_state().restore(saved)


def test_a_chunk_that_is_not_the_next_one_is_refused():
    perceiver = OmniPerceiver(encoder())
    state, heard = perceiver.init_state(), chunks(audio(1, 2))
    bad = AudioChunk(0, 0, np.full(6400, np.nan, np.float32))
    for chunk in (heard[1], AudioChunk(0, 0, heard[0].samples[1:]), bad):
        with pytest.raises(AudioFormatError):
            perceiver.step(chunk, state)
        with pytest.raises(AudioFormatError):
            perceiver.skim(chunk, state)
    perceiver.step(heard[0], state)
