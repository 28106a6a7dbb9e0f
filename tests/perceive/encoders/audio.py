"""Audio and runs that the tests of encoders share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from soundflow.perceive.encoder import StreamEncoder

CHUNK = 6_400


def noise(batch: int, samples: int, seed: int = 0) -> Tensor:
    """[B, n] noise whose level changes, so that no two places sound alike."""
    made = torch.Generator().manual_seed(seed)
    level = 0.02 + 0.2 * torch.rand(batch, samples // 800 + 1, generator=made).repeat_interleave(800, dim=1)
    return (torch.randn(batch, samples, generator=made) * level[:, :samples]).clamp(-1, 1)


def run(encoder: StreamEncoder, audio: Tensor, state: Any = None) -> list[list[Tensor]]:
    """Frames [F, D] of each chunk and row; audio behind the last whole chunk is not heard."""
    state = encoder.init_state(len(audio)) if state is None else state
    size = encoder.chunk_samples
    heard = []
    for k in range(audio.shape[1] // size):
        out = encoder.step(audio[:, k * size : (k + 1) * size], state)
        heard.append([out.frames[row, : int(count)] for row, count in enumerate(out.counts)])
    return heard


def whole(encoder: StreamEncoder, audio: Tensor) -> Tensor:
    """[B, F, D] of all chunks; rows hear equally much."""
    return torch.stack([torch.cat(rows) for rows in zip(*run(encoder, audio), strict=True)])


def error(got: Tensor, wanted: Tensor) -> float:
    """The greatest relative error of a frame, by norm."""
    assert got.shape == wanted.shape
    return float(((got - wanted).norm(dim=-1) / wanted.norm(dim=-1)).max())
