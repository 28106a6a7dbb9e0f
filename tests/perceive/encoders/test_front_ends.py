"""Log-mel and rate before the encoders, against the published extractors and a resampler of another make."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
import torch
import transformers

from soundflow.errors import ConfigError
from soundflow.perceive.encoders.raise_rate import REACH_SAMPLES, RaisedRate
from soundflow.perceive.encoders.registry import random_module
from soundflow.perceive.encoders.voxtral_realtime import LOUDEST
from soundflow.perceive.encoders.whisper import Whisper
from soundflow.perceive.mel import MelPower, log_power, whisper_scale
from tests.perceive.encoders.audio import noise

CPU = torch.device("cpu")


def published(audio: torch.Tensor) -> torch.Tensor:
    """[M, 3000] of the 30 s that `WhisperFeatureExtractor` fills up with zeros."""
    extractor = transformers.WhisperFeatureExtractor(feature_size=20)
    out: torch.Tensor = extractor(audio.numpy(), sampling_rate=16_000, return_tensors="pt")["input_features"][0]
    return out


def test_whispers_features_are_the_published_ones_where_the_loudest_is_in_the_window() -> None:
    audio = noise(1, 32_000)
    got = Whisper(random_module("whisper")).features(torch.cat([audio[:, 1:201].flip(1), audio], dim=1))[0]
    wanted = published(audio[0])[:, : got.shape[1]]
    assert got.shape[1] >= 196
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


def test_what_is_loud_later_does_not_raise_the_floor_of_what_was_before() -> None:
    quiet, loud = 5e-5 * noise(1, 16_000), noise(1, 16_000, seed=1)
    model = Whisper(random_module("whisper"))
    alone = model.features(quiet)
    both = torch.cat([quiet, loud], dim=1)
    seen = published(both[0])[:, 10:80]
    assert seen.std() < 1e-5  # the published features clamp the quiet half flat: they know what comes
    assert alone[0, :, :70].std() > 0.01


def test_with_a_fixed_ceiling_the_features_are_voxtrals() -> None:
    audio = torch.cat([noise(1, 16_000), 1e-4 * noise(1, 16_000)], dim=1)
    extractor = transformers.VoxtralRealtimeFeatureExtractor(feature_size=20)
    wanted = extractor(audio[0].numpy(), sampling_rate=16_000, return_tensors="pt")["input_features"][0]
    mirrored = torch.cat([audio[:, 1:201].flip(1), audio], dim=1)
    got = whisper_scale(log_power(MelPower(20, 400, True, CPU)(mirrored)), LOUDEST)[0].T
    torch.testing.assert_close(got, wanted[:, : got.shape[1]], rtol=1e-4, atol=1e-4)
    assert (wanted == (LOUDEST - 4) / 4).any()


@pytest.mark.parametrize("hz", [100.0, 1_000.0, 6_000.0])
def test_a_raised_rate_keeps_tones_where_they_are(hz: float) -> None:
    n = 16_000
    tone = torch.sin(2 * torch.pi * hz * torch.arange(-REACH_SAMPLES, n + REACH_SAMPLES, dtype=torch.float64) / 16_000)
    got = RaisedRate(24_000, CPU)(tone[None].float())[0]
    wanted = torch.sin(2 * torch.pi * hz * torch.arange(n * 3 // 2, dtype=torch.float64) / 24_000)
    assert (got - wanted).abs().max() < 2e-3


def test_a_raised_rate_adds_nothing_above_8_khz_and_is_near_another_resampler() -> None:
    audio = noise(1, 16_000)
    got = RaisedRate(24_000, CPU)(torch.nn.functional.pad(audio, (REACH_SAMPLES, REACH_SAMPLES)))[0].numpy()
    spectrum = np.abs(np.fft.rfft(got * np.hanning(len(got)))) ** 2
    bins = np.fft.rfftfreq(len(got), 1 / 24_000)
    assert spectrum[bins > 8_700].mean() < 1e-6 * spectrum[bins < 6_500].mean()
    other = soxr.resample(audio[0].numpy(), 16_000, 24_000)
    low = bins < 6_500
    one, two = (np.fft.rfft(x * np.hanning(len(x)))[low] for x in (got, other))
    assert np.linalg.norm(one - two) < 2e-3 * np.linalg.norm(two)


def test_a_rate_below_ours_is_refused() -> None:
    with pytest.raises(ConfigError, match="sampling_rate"):
        RaisedRate(8_000, CPU)
