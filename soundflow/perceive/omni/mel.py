"""Log-mel frames of Whisper (Radford et al. 2022, arXiv 2212.04356), made causal.

The published front end is not causal twice over. (1) A frame is centred on its hop, so that the last one of a chunk
reads 40 samples of the next: here every frame lies `DELAY_SAMPLES` earlier, which is the published front end of the
stream 2.5 ms late. (2) Each value is raised to 8 (80 dB) below the loudest value of the whole clip: here below the
loudest of a bounded past (`soundflow.perceive.omni.encoder`), the clip as it has been heard so far.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from soundflow.perceive.mel import HALF_WINDOW, HOP_SAMPLES, WINDOW_SAMPLES, MelPower, log_power

DELAY_SAMPLES: Final = HALF_WINDOW - HOP_SAMPLES
LEFT_SAMPLES: Final = WINDOW_SAMPLES - HOP_SAMPLES
"""Samples before a chunk that its first frame reads."""


class LogMel:
    """PCM -> log10 of mel power, before `whisper_scale`. Holds no state."""

    def __init__(self, mels: int, device: torch.device) -> None:
        self._power = MelPower(mels, WINDOW_SAMPLES, periodic=True, device=device)

    def __call__(self, samples: Tensor) -> Tensor:
        """[B, LEFT_SAMPLES + N] float32 -> [B, N // 160, mels]: the frames that end in the last N samples."""
        return log_power(self._power(samples))
