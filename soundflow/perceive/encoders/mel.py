"""Log-mel front ends, frame by frame: a frame sees 25 ms of audio and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

HOP_SAMPLES = 160
WINDOW_SAMPLES = 400
HALF_WINDOW = WINDOW_SAMPLES // 2


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


def whisper_scale(power: Tensor, loudest: Tensor | float | None = None) -> Tensor:
    """log10 of power, no more than 8 below the loudest, then (x + 4) / 4 (Radford et al. 2022, as its code has it).

    Args:
        power: [R, n, M].
        loudest: log10 of the loudest power; None takes it of each row of `power`.
    """
    logs = power.clamp(min=1e-10).log10()
    if loudest is None:
        loudest = logs.amax(dim=(1, 2), keepdim=True)
    floor = loudest - 8.0
    logs = logs.clamp(min=floor) if isinstance(floor, float) else logs.maximum(floor)
    return (logs + 4.0) / 4.0
