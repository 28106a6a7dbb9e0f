"""16 kHz to another rate inside an encoder: one convolution with fixed filters, so that it carries nothing but audio.

Windowed-sinc interpolation (Smith & Gossett 1984): output m lies at input time m * 16000 / rate.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError

REACH_SAMPLES = 24
_KAISER_BETA = 9.0
_PASS = 0.94


class RaisedRate:
    """Filters for one rate. Each output sees `REACH_SAMPLES` input samples before and after it."""

    def __init__(self, rate_hz: int, device: torch.device) -> None:
        if rate_hz < SAMPLE_RATE_HZ:
            raise ConfigError(f"sampling_rate: expected at least {SAMPLE_RATE_HZ}, got {rate_hz}")
        shared = math.gcd(rate_hz, SAMPLE_RATE_HZ)
        self.up, self.down = rate_hz // shared, SAMPLE_RATE_HZ // shared
        taps = torch.arange(-REACH_SAMPLES, REACH_SAMPLES + self.down, dtype=torch.float64)
        times = torch.arange(self.up, dtype=torch.float64)[:, None] * self.down / self.up
        away = (times - taps) / REACH_SAMPLES
        bell = torch.i0(_KAISER_BETA * (1 - away.square()).clamp(min=0).sqrt()) * (away.abs() <= 1)
        filters = torch.sinc(_PASS * away * REACH_SAMPLES) * bell
        filters = filters / filters.sum(dim=1, keepdim=True)
        self._filters = filters[:, None].to(device, torch.float32)

    def __call__(self, audio: Tensor) -> Tensor:
        """[R, REACH + n + REACH] -> [R, n * up / down]; n a multiple of `down`."""
        return F.conv1d(audio[:, None], self._filters, stride=self.down).transpose(1, 2).flatten(1)
