"""The log-mel front end against the published one, and what makes it causal."""

from __future__ import annotations

import numpy as np
import torch
from transformers import WhisperFeatureExtractor

from soundflow.perceive.mel import HOP_SAMPLES, whisper_scale
from soundflow.perceive.omni import mel
from tests.perceive.omni.tiny import audio

CPU = torch.device("cpu")


def test_parity_with_the_published_front_end_of_the_stream_two_and_a_half_ms_late():
    """Frames of [n] samples equal Whisper's of them behind 40 zeros; the first two see its mirrored edge."""
    samples = audio(1, 3)
    extractor = WhisperFeatureExtractor(feature_size=128)
    late = torch.nn.functional.pad(samples[0], (mel.DELAY_SAMPLES, 120)).numpy()
    expected = torch.from_numpy(np.asarray(extractor(late, sampling_rate=16_000, padding=False).input_features[0])).T
    raw = mel.LogMel(128, CPU)(torch.nn.functional.pad(samples, (mel.LEFT_SAMPLES, 0)))
    ours = whisper_scale(raw)[0]
    assert ours.shape == (120, 128)
    assert torch.allclose(ours[2:], expected[2:120], atol=2e-4)


def test_a_frame_reads_400_samples_and_nothing_behind_its_hop():
    log_mel = mel.LogMel(128, CPU)
    samples = audio(1, 1)
    padded = torch.nn.functional.pad(samples, (mel.LEFT_SAMPLES, 0))
    before = log_mel(padded)
    changed = padded.clone()
    changed[:, mel.LEFT_SAMPLES + 10 * HOP_SAMPLES :] = 0.5
    after = log_mel(changed)
    assert torch.equal(after[:, :10], before[:, :10])
    assert not torch.allclose(after[:, 10], before[:, 10])


def test_silence_is_finite_and_quiet_frames_are_raised_to_80_db_below_the_ceiling():
    raw = mel.LogMel(128, CPU)(torch.zeros(1, mel.LEFT_SAMPLES + 1600))
    assert torch.isfinite(raw).all()
    assert torch.allclose(whisper_scale(raw, torch.tensor([2.0])), torch.tensor((2.0 - 8.0 + 4.0) / 4.0))


def test_each_row_has_its_own_ceiling_and_one_number_is_that_of_all():
    raw = mel.LogMel(80, CPU)(torch.nn.functional.pad(torch.stack([audio(1, 1)[0], 1e-4 * audio(1, 1)[0]]), (240, 0)))
    each = whisper_scale(raw, torch.tensor([3.0, -20.0]))
    assert torch.equal(each[0], whisper_scale(raw, 3.0)[0])
    assert torch.equal(each[1], (raw[1] + 4.0) / 4.0)
