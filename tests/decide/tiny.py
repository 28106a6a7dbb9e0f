"""A tiny random Llama and LALM of the real classes, seeded."""

from __future__ import annotations

import torch

from soundflow.decide.backbones.config import DecoderConfig
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.kv_cache import rope_tables
from soundflow.decide.lalm import Lalm
from soundflow.perceive.projector import Projector

CONFIG = DecoderConfig(
    vocab=97, width=32, layers=3, heads=4, kv_heads=2, head_dim=8, hidden=48, rope_theta=1e4,
    max_positions=2048, eps=1e-5,
)  # fmt: skip


def llama(seed: int = 0) -> Decoder:
    torch.manual_seed(seed)
    model = Decoder(CONFIG)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.25)
    model.cos, model.sin = rope_tables(CONFIG.max_positions, CONFIG.head_dim, CONFIG.rope_theta)
    return model.eval().requires_grad_(False)


def lalm(capacity: int = 64, seed: int = 0) -> Lalm:
    base = llama(seed)
    projector = Projector(torch.randn(521, CONFIG.width), 1024, 288)
    rows = torch.randn(2, 3, CONFIG.width)
    return Lalm(base, projector, rows[0], rows[1], torch.zeros(3), capacity)
