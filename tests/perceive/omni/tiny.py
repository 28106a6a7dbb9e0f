"""A small random tower of the real class, and the reference with the same weights."""

from __future__ import annotations

import torch

from soundflow.perceive.omni.encoder import OmniEncoder
from soundflow.perceive.omni.tower import Tower, TowerConfig

CONFIG = TowerConfig(mels=128, width=32, layers=2, heads=4, hidden=48, half_block=100, positions=150, out=24)


def tower(seed: int = 0, config: TowerConfig = CONFIG) -> Tower:
    torch.manual_seed(seed)
    made = Tower(config)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made.eval().requires_grad_(False)


def encoder(**options) -> OmniEncoder:
    return OmniEncoder(tower(), **options)


def audio(batch: int, chunks: int, seed: int = 0) -> torch.Tensor:
    """[B, chunks * 6400] noise whose level changes from chunk to chunk, by 60 dB at most."""
    generator = torch.Generator().manual_seed(seed)
    level = 10 ** (-3 * torch.rand(batch, chunks, 1, generator=generator))
    return (0.3 * torch.randn(batch, chunks, 6400, generator=generator) * level).clamp(-1, 1).flatten(1)


def run(model: OmniEncoder, samples: torch.Tensor, state=None) -> torch.Tensor:
    """[B, n * chunk] -> [B, F, D], chunk by chunk."""
    state = model.init_state(len(samples)) if state is None else state
    return torch.cat([model.step(part, state).frames for part in samples.split(model.chunk_samples, 1)], 1)
