"""Kaldi's log-mel filterbank as BEATs was trained on it, through torchaudio, for a batch in one call."""

from __future__ import annotations

import importlib
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import ConfigError
from soundflow.perceive.beats.config import MEL_BINS

WINDOW_SAMPLES: Final = 400
HOP_SAMPLES: Final = 160
_PCM_SCALE: Final = 2.0**15
_BLUR: Final = 2
"""Windows that would straddle two rows laid one behind the other: the window is 2.5 hops."""


def frames_of(samples: int) -> int:
    """Whole windows in so many samples."""
    return max(0, (samples - WINDOW_SAMPLES) // HOP_SAMPLES + 1)


def samples_of(frames: int) -> int:
    """Samples that so many windows span, at least 1."""
    return (frames - 1) * HOP_SAMPLES + WINDOW_SAMPLES


def load_kaldi() -> Any:
    """`torchaudio.compliance.kaldi`. ConfigError where torchaudio is missing or cannot be imported."""
    try:
        return importlib.import_module("torchaudio.compliance.kaldi")
    except (ImportError, OSError) as error:
        raise ConfigError(
            "BEATs needs torchaudio, which could not be imported: pip install 'soundflow[audio]' (beside a CPU torch "
            f"remove torchaudio/lib/*.so after it, as `make setup` does): {error}"
        ) from error


def log_mel(samples: Tensor) -> Tensor:
    """Log-mel energies of whole 25 ms windows every 10 ms: Povey window, pre-emphasis 0.97, no dither.

    Each window is computed from its own samples alone, so that a part of a stream gives a part of its windows.

    Args:
        samples: [B, N] float in [-1, 1]. They are scaled to the range of 16-bit PCM.

    Returns:
        [B, (N - 400) // 160 + 1, 128] float32, not normalised.
    """
    kaldi = load_kaldi()
    rows, frames = len(samples), frames_of(samples.shape[1])
    if not rows or not frames:
        return samples.new_zeros(rows, frames, MEL_BINS, dtype=torch.float32)
    stride = (frames + _BLUR) * HOP_SAMPLES
    used = samples[:, : samples_of(frames)].float() * _PCM_SCALE
    line = F.pad(used, (0, stride - used.shape[1])).reshape(1, -1)
    mel: Tensor = kaldi.fbank(
        line,
        num_mel_bins=MEL_BINS,
        sample_frequency=16_000,
        frame_length=25,
        frame_shift=10,
        dither=0.0,
    )
    return F.pad(mel, (0, 0, 0, _BLUR)).view(rows, frames + _BLUR, MEL_BINS)[:, :frames]
