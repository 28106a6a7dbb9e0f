"""The log-mel front end against the published one, and what makes it causal."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from soundflow.perceive.omni import mel
from tests.perceive.omni.tiny import audio


@pytest.mark.parametrize("mels", [80, 128])
def test_filters_are_those_of_the_published_front_end(mels):
    expected = WhisperFeatureExtractor(feature_size=mels).mel_filters
    assert np.allclose(mel.filters(mels).numpy(), expected, atol=1e-7)


def test_parity_with_the_published_front_end_of_the_stream_two_and_a_half_ms_late():
    """Frames of [n] samples equal Whisper's of them behind 40 zeros; the first two see its mirrored edge."""
    samples = audio(1, 3)
    extractor = WhisperFeatureExtractor(feature_size=128)
    late = torch.nn.functional.pad(samples[0], (mel.DELAY_SAMPLES, 120)).numpy()
    expected = torch.from_numpy(np.asarray(extractor(late, sampling_rate=16_000, padding=False).input_features[0])).T
    raw = mel.LogMel(128)(torch.nn.functional.pad(samples, (mel.LEFT_SAMPLES, 0)))
    ours = mel.normalise(raw, raw.amax(dim=(1, 2)))[0]
    assert ours.shape == (120, 128)
    assert torch.allclose(ours[2:], expected[2:120], atol=2e-4)


def test_a_frame_reads_400_samples_and_nothing_behind_its_hop():
    log_mel = mel.LogMel(128)
    samples = audio(1, 1)
    padded = torch.nn.functional.pad(samples, (mel.LEFT_SAMPLES, 0))
    before = log_mel(padded)
    changed = padded.clone()
    changed[:, mel.LEFT_SAMPLES + 10 * mel.HOP_SAMPLES :] = 0.5
    after = log_mel(changed)
    assert torch.equal(after[:, :10], before[:, :10])
    assert not torch.allclose(after[:, 10], before[:, 10])


def test_silence_is_finite_and_quiet_frames_are_raised_to_80_db_below_the_ceiling():
    raw = mel.LogMel(128)(torch.zeros(1, mel.LEFT_SAMPLES + 1600))
    assert torch.isfinite(raw).all()
    assert torch.allclose(mel.normalise(raw, torch.tensor([2.0])), torch.tensor((2.0 - 8.0 + 4.0) / 4.0))
