"""Log-mel front ends, frame by frame: a frame sees 25 ms of audio and nothing else."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

HOP_SAMPLES: Final = 160
WINDOW_SAMPLES: Final = 400
HALF_WINDOW: Final = WINDOW_SAMPLES // 2
LEAST: Final = 1e-10
RANGE: Final = 8.0
"""80 dB."""


class MelPower:
    """Mel power spectra of frames [160 t, 160 t + 400) of what it is given.

    Filters after Slaney's Auditory Toolbox (1998), 0 to 8 kHz, each of unit area. `periodic`: of the Hann window.
    """

    def __init__(self, mels: int, fft_samples: int, periodic: bool, device: torch.device) -> None:
        from transformers.audio_utils import mel_filter_bank

        filters = mel_filter_bank(
            num_frequency_bins=fft_samples // 2 + 1,
            num_mel_filters=mels,
            min_frequency=0.0,
            max_frequency=8_000.0,
            sampling_rate=16_000,
            norm="slaney",
            mel_scale="slaney",
        )
        self._fft = fft_samples
        self._filters = torch.from_numpy(filters).to(device, torch.float32)
        self._window = torch.hann_window(WINDOW_SAMPLES, periodic=periodic, dtype=torch.float32).to(device)

    def __call__(self, audio: Tensor) -> Tensor:
        """[R, n] float32 -> [R, (n - 400) // 160 + 1, M]."""
        frames = audio.unfold(-1, WINDOW_SAMPLES, HOP_SAMPLES) * self._window
        spectrum = torch.fft.rfft(frames, n=self._fft)
        power: Tensor = (spectrum.real.square() + spectrum.imag.square()) @ self._filters
        return power


def log_power(power: Tensor) -> Tensor:
    """log10, of no less than 1e-10."""
    return power.clamp(min=LEAST).log10()


def whisper_scale(logs: Tensor, loudest: Tensor | float | None = None) -> Tensor:
    """log10 of power, no more than 8 below the loudest, then (x + 4) / 4 (Radford et al. 2022, as its code has it).

    Args:
        logs: [R, n, M].
        loudest: log10 of the loudest power, for all or [R]; None takes it of each row of `logs`.
    """
    if loudest is None:
        loudest = logs.amax(dim=(1, 2))
    floor = torch.as_tensor(loudest, dtype=logs.dtype, device=logs.device) - RANGE
    return (logs.maximum(floor.reshape(-1, 1, 1)) + 4.0) / 4.0
