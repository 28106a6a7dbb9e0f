"""The filterbank of a batch, of a part of a stream, and of degenerate input."""

from __future__ import annotations

import sys

import pytest
import torch

from soundflow.errors import ConfigError
from soundflow.perceive.beats import fbank
from tests.perceive.beats.tiny import need_torchaudio, noise, tiny

need_torchaudio()


def by_definition(row: torch.Tensor) -> torch.Tensor:
    """Kaldi's filterbank written out in float64: mean off, pre-emphasis, Povey window, power, mel triangles, log."""
    frames = (row.double() * 32768).unfold(0, 400, 160)
    frames = frames - frames.mean(1, keepdim=True)
    before = torch.cat([frames[:, :1], frames[:, :-1]], 1)
    window = (0.5 - 0.5 * torch.cos(2 * torch.pi * torch.arange(400).double() / 399)) ** 0.85
    power = torch.fft.rfft((frames - 0.97 * before) * window, 512).abs() ** 2

    def mel(hz: torch.Tensor) -> torch.Tensor:
        return 1127 * torch.log1p(hz / 700)

    edges = torch.linspace(float(mel(torch.tensor(20.0))), float(mel(torch.tensor(8000.0))), 130).double()
    at = mel(torch.arange(257).double() * 31.25)[:, None]
    up = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    triangles = torch.minimum(up, down).clamp(min=0)
    triangles[256] = 0
    return (power @ triangles).clamp(min=torch.finfo(torch.float32).eps).log()


def test_each_row_of_a_batch_is_kaldis_filterbank_of_it():
    samples = noise(3, 4321)
    got = fbank.log_mel(samples)
    assert got.shape == (3, 25, 128)
    for row in range(3):
        assert (got[row] - by_definition(samples[row])).abs().max() < 1e-2
        assert torch.allclose(got[row], fbank.log_mel(samples[row : row + 1])[0], atol=1e-4)


def test_a_part_of_a_stream_gives_a_part_of_its_windows():
    samples = noise(1, 16_000)
    whole = fbank.log_mel(samples)
    part = fbank.log_mel(samples[:, 10 * 160 : 10 * 160 + 400 + 4 * 160 + 159])
    assert part.shape[1] == 5
    assert torch.allclose(part, whole[:, 10:15], atol=1e-4)


def test_nothing_comes_of_less_than_a_window_and_silence_is_finite():
    assert fbank.log_mel(torch.zeros(2, 399)).shape == (2, 0, 128)
    assert fbank.log_mel(torch.zeros(0, 4000)).shape == (0, 23, 128)
    silence = fbank.log_mel(torch.zeros(2, 400))
    assert torch.allclose(silence, torch.full((2, 1, 128), torch.finfo(torch.float32).eps).log())


@pytest.mark.parametrize("samples", [0, 399, 400, 559, 560, 6400])
def test_window_counts(samples):
    frames = fbank.frames_of(samples)
    assert fbank.log_mel(torch.zeros(1, samples)).shape[1] == frames
    assert frames == 0 or fbank.samples_of(frames) <= samples < fbank.samples_of(frames + 1)


def test_normalised_as_published():
    model, samples = tiny(), noise(1, 4000)
    assert torch.allclose(model.mel(samples), (fbank.log_mel(samples) - 15.41663) / (2 * 6.55582), atol=1e-6)


def test_without_torchaudio_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchaudio.compliance.kaldi", None)
    with pytest.raises(ConfigError, match=r"pip install 'soundflow\[audio\]'"):
        fbank.load_kaldi()
