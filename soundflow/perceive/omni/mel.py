"""Log-mel frames of Whisper (Radford et al. 2022, arXiv 2212.04356), made causal.

The published front end is not causal twice over. (1) A frame is centred on its hop, so that the last one of a chunk
reads 40 samples of the next: here every frame lies `DELAY_SAMPLES` earlier, which is the published front end of the
stream 2.5 ms late. (2) Each value is raised to 8 (80 dB) below the loudest value of the whole clip: here below the
loudest of a bounded past (`soundflow.perceive.omni.encoder`), the clip as it has been heard so far.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundflow import SAMPLE_RATE_HZ

FFT_SAMPLES: Final = 400
HOP_SAMPLES: Final = 160
DELAY_SAMPLES: Final = FFT_SAMPLES // 2 - HOP_SAMPLES
LEFT_SAMPLES: Final = FFT_SAMPLES - HOP_SAMPLES
"""Samples before a chunk that its first frame reads."""
LEAST: Final = 1e-10
RANGE: Final = 8.0
_BREAK_HZ, _BREAK_MEL = 1000.0, 15.0
Hertz = NDArray[np.float64]
_LOG_STEP: Final = np.log(6.4) / 27.0


def mel_of(hz: Hertz) -> Hertz:
    """Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz, then 27 mels for each factor of 6.4."""
    log = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz * _BREAK_MEL / _BREAK_HZ, log)


def hz_of(mel: Hertz) -> Hertz:
    """Inverse of `mel_of`."""
    log = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _BREAK_HZ / _BREAK_MEL, log)


def filters(mels: int) -> Tensor:
    """[FFT/2 + 1, mels] triangles over 0 to 8 kHz, each of the same area."""
    bins = np.linspace(0.0, SAMPLE_RATE_HZ / 2, FFT_SAMPLES // 2 + 1)
    edges = hz_of(np.linspace(0.0, float(mel_of(np.array(SAMPLE_RATE_HZ / 2))), mels + 2))
    slopes = edges[None, :] - bins[:, None]
    widths = np.diff(edges)
    rising, falling = -slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (edges[2:] - edges[:-2])
    return torch.from_numpy(triangles.astype(np.float32))


class LogMel(nn.Module):
    """PCM -> log10 of mel power, before `normalise`. Holds no state."""

    def __init__(self, mels: int) -> None:
        super().__init__()
        self.register_buffer("filters", filters(mels), persistent=False)
        self.register_buffer("window", torch.hann_window(FFT_SAMPLES), persistent=False)
        self.filters: Tensor
        self.window: Tensor

    @torch.inference_mode()
    def forward(self, samples: Tensor) -> Tensor:
        """[B, LEFT_SAMPLES + N] float32 -> [B, N // 160, mels]: the frames that end in the last N samples."""
        framed = samples.unfold(-1, FFT_SAMPLES, HOP_SAMPLES) * self.window
        power = torch.fft.rfft(framed).abs().square()
        found: Tensor = (power @ self.filters).clamp(min=LEAST).log10()
        return found


def normalise(log_mel: Tensor, ceiling: Tensor) -> Tensor:
    """Whisper's range: [B, T, mels] against the loudest value [B] -> about [-1, 1]."""
    return (torch.maximum(log_mel, ceiling[:, None, None] - RANGE) + 4.0) / 4.0
