"""Small random BEATs, streams through them, noise, and the check that torchaudio can be imported here."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from soundflow.errors import ConfigError
from soundflow.perceive.beats import Beats, BeatsConfig, BeatsEncoder, BeatsWindow
from soundflow.perceive.beats.fbank import load_kaldi
from soundflow.perceive.encoder import Encoded
from soundflow.perceive.rows import RowState

CHUNK, CLASSES = 6400, 5
WINDOW = BeatsWindow(left_ms=1600)


def need_torchaudio() -> None:
    """Skip the module where torchaudio is not there, or its compiled part does not fit this torch."""
    try:
        load_kaldi()
    except ConfigError as error:
        pytest.skip(str(error), allow_module_level=True)


def tiny(classes: int = 0, seed: int = 0) -> Beats:
    return Beats.random(BeatsConfig.tiny(classes), seed)


def noise(rows: int, samples: int, seed: int = 0) -> Tensor:
    """[rows, samples] of noise whose level rises and falls, so that no two windows are alike."""
    generator = torch.Generator().manual_seed(seed)
    level = 0.02 + 0.2 * torch.rand(rows, samples // 1000 + 1, generator=generator).repeat_interleave(1000, 1)
    return torch.randn(rows, samples, generator=generator).clamp(-3, 3) * level[:, :samples]


def relative(got: Tensor, expected: Tensor) -> float:
    """Greatest difference over the greatest value."""
    return float((got - expected).abs().max() / expected.abs().max())


def encoder(chunk: int = CHUNK, window: BeatsWindow = WINDOW, classes: int = CLASSES) -> BeatsEncoder:
    return BeatsEncoder(tiny(classes), chunk, window)


def run(made: BeatsEncoder, samples: Tensor, state: RowState | None = None) -> list[Encoded]:
    """All whole chunks of [B, N]."""
    state = state or made.init_state(len(samples))
    return [
        made.step(chunk, state)
        for chunk in samples.split(made.chunk_samples, 1)
        if chunk.shape[1] == made.chunk_samples
    ]


def joined(steps: list[Encoded], row: int = 0, what: str = "frames") -> Tensor:
    """What one row got, [F, .]."""
    return torch.cat([getattr(step, what)[row, : int(step.counts[row])] for step in steps])
