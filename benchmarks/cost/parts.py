"""The parts that a step consists of, ready to be timed: the decoder in three kinds of numbers, and the encoders.

The decoder is the shipped one (its adapter merged in), or a random one of the same shape: a product takes as long
whatever its numbers are. The encoders are the shipped ones, at any chunk length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from benchmarks.cost.timed import Work
from soundflow.decide.backbones.config import DecoderConfig
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.kv_cache import rope_tables
from soundflow.decide.lalm import Lalm, LalmState
from soundflow.errors import ConfigError
from soundflow.int8 import available
from soundflow.perceive.projector import Projector
from soundflow.tiers import checkpoint, nano, weights

NANO: Final = DecoderConfig(
    vocab=49_152, width=576, layers=30, heads=9, kv_heads=3, head_dim=64, hidden=1536, rope_theta=1e5,
    max_positions=8192, eps=1e-5,
)  # fmt: skip
"""The shape of SmolLM2-135M, for random weights."""
PREFIX: Final = 32
"""Tokens of the prompt, about as many as the system text has."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A LALM in one kind of numbers. `numbers`: int8, bf16 or fp32."""

    numbers: str
    llama: Decoder

    @property
    def config(self) -> DecoderConfig:
        return self.llama.config

    @property
    def cache_bytes(self) -> int:
        return self.llama.norm.dtype.itemsize

    def lalm(self, capacity: int) -> Lalm:
        """It with caches of `capacity` tokens; projector and decision rows are random, they are not what is timed."""
        width = self.config.width
        projector = Projector(torch.zeros(521, width), nano.SOUND_WIDTH, nano.SPEECH_WIDTH)
        rows = torch.randn(2, 3, width, generator=torch.Generator().manual_seed(1))
        return Lalm(self.llama, projector, rows[0], rows[1], torch.zeros(3), capacity)

    def tokens(self, count: int, seed: int = 0) -> Tensor:
        """[count,D] embeddings to feed."""
        ids = torch.randint(self.config.vocab, (count,), generator=torch.Generator().manual_seed(seed))
        made: Tensor = self.llama.embed(ids)
        return made


def decoders(names: Sequence[str], adapter: Path | None, shape: DecoderConfig | None = None) -> list[Variant]:
    """The decoders by kind of numbers; int8 is left out where this processor cannot multiply it.

    Args:
        shape: random weights of this shape; None is the shipped weights with `adapter` (None: its own).

    Raises:
        ConfigError: an unknown kind. WeightsError: the tier was not pulled.
    """
    for name in names:
        if name not in ("int8", "bf16", "fp32"):
            raise ConfigError(f"--numbers: expected some of int8, bf16, fp32, got {name!r}")
    made = []
    for name in names:
        if name == "int8" and not available():
            continue
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}.get(name, checkpoint.host_dtype())
        llama = random(shape, dtype) if shape else _shipped(adapter, dtype)
        if name == "int8":
            llama.to_int8()
        made.append(Variant(name, llama))
    return made


def random(shape: DecoderConfig, dtype: torch.dtype, seed: int = 0) -> Decoder:
    """A decoder of `shape` with small random weights."""
    with torch.device("meta"):
        llama = Decoder(shape)
    llama.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    for parameter in llama.parameters():
        nn.init.normal_(parameter, std=0.02, generator=generator)
    llama.cos, llama.sin = rope_tables(shape.max_positions, shape.head_dim, shape.rope_theta)
    cos, sin = llama.cos, llama.sin
    llama.to(dtype)
    llama.cos, llama.sin = cos, sin
    return llama.eval().requires_grad_(False)


def _shipped(adapter: Path | None, dtype: torch.dtype) -> Decoder:
    return Decoder.load(weights.part("lm"), dtype, checkpoint.load(adapter or nano.ADAPTER).deltas)


def filled(lalm: Lalm, tokens: int, seed: int = 0) -> LalmState:
    """A one-row state that holds `tokens` tokens of noise: what is read costs the same whatever it says."""
    state = lalm.init_state(1)
    generator = torch.Generator().manual_seed(seed)
    for half in (state.cache.keys, state.cache.values):
        half[:, :, :, :tokens] = torch.randn(half[:, :, :, :tokens].shape, generator=generator).to(half.dtype)
    state.cache.lengths[0] = tokens
    return state


def rewind(state: LalmState, tokens: int) -> None:
    """Let `state` hold `tokens` tokens again."""
    state.cache.lengths[0] = tokens
    state.spans[0].clear()


def sound_work(path: Path, windows: int, numbers: str) -> Work:
    """Of `windows` windows of YAMNet and the alert branch's share left out: counted by torch over one pass of the
    float32 network; its weights read once (a byte each in int8, which is below what is read: depthwise kernels stay).
    """
    from torch.utils.flop_counter import FlopCounterMode

    from soundflow.perceive.yamnet import WINDOW_SAMPLES, YamNet

    net = YamNet(path)
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, WINDOW_SAMPLES))
    held = sum(p.numel() for p in net.parameters())
    return Work(float(counter.get_total_flops()) * windows, held * (1.0 if numbers == "int8" else 4.0))
