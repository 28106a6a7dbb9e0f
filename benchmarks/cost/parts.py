"""The decoder in several kinds of numbers, its caches and inputs, ready to be timed; and what a pass must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.cost.device import HOST, Device
from benchmarks.cost.timed import Work
from soundflow.decide.backbones.config import DecoderConfig
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.lalm import Lalm, LalmState
from soundflow.perceive.projector import Projector
from soundflow.tiers import nano
from soundflow.tiers.omni.lalm import OmniLalm
from soundflow.tiers.omni.layout import Tokens

PREFIX: Final = 32
"""Tokens of the prompt, about as many as the system text has."""
NANO_WIDTHS: Final = (521, nano.SOUND_WIDTH, nano.SPEECH_WIDTH)


@dataclass(frozen=True, slots=True)
class Variant:
    """A LALM in one kind of numbers.

    numbers: int8, bf16 or fp32. chunk: tokens of one chunk. layout: of the omni tier, None for the others. widths: of
    `Perception`'s tags, sound and speech.
    """

    numbers: str
    llama: Decoder
    chunk: int = 1
    layout: Tokens | None = None
    widths: tuple[int, int, int] = NANO_WIDTHS

    @property
    def config(self) -> DecoderConfig:
        return self.llama.config

    @property
    def cache_bytes(self) -> int:
        return self.llama.norm.dtype.itemsize

    def lalm(self, capacity: int) -> Lalm:
        """It with caches of `capacity` tokens; projector and decision rows are random, they are not what is timed."""
        if self.layout is not None:
            return OmniLalm(self.llama, self.layout, capacity)
        width, (tags, *encoders) = self.config.width, self.widths
        projector = Projector(torch.zeros(tags, width), *encoders)
        rows = torch.randn(2, 3, width, generator=torch.Generator().manual_seed(1))
        return Lalm(self.llama, projector, rows[0], rows[1], torch.zeros(3), capacity)

    def tokens(self, count: int, seed: int = 0) -> Tensor:
        """[count,D] embeddings to feed."""
        ids = torch.randint(self.config.vocab, (count,), generator=torch.Generator().manual_seed(seed))
        made: Tensor = self.llama.embed(ids)
        return made


def random(shape: DecoderConfig, dtype: torch.dtype, seed: int = 0, on: Device = HOST) -> Decoder:
    """A decoder of `shape` with small random weights, drawn on the device itself."""
    with torch.device("meta"):
        llama = Decoder(shape)
    llama = llama.to(dtype).to_empty(device=on.place)
    generator = torch.Generator(on.place).manual_seed(seed)
    if shape.tied:
        llama.head.weight = llama.embed.weight
    for parameter in llama.parameters():
        nn.init.normal_(parameter, std=0.02, generator=generator)
    llama.cos, llama.sin = shape.rope.tables(shape.limit, shape.head_dim, shape.rope_theta)
    llama.eval().requires_grad_(False)
    if on.gpu:
        llama.embed = llama.embed.to("cpu")  # inputs are put together there
        llama.to_device(on.place)
    return llama


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


def read_by(run: Callable[[], object]) -> float:
    """Bytes of the weights that `run` reads: of all modules that it calls. Weights that a module takes of another one
    without calling it are left out, so that this is a lower bound.
    """
    found: dict[int, int] = {}

    def note(module: nn.Module, inputs: Any, output: Any) -> None:
        found.update({id(p): p.nbytes for p in module.parameters(recurse=False)})

    handle = nn.modules.module.register_module_forward_hook(note)
    try:
        run()
    finally:
        handle.remove()
    return float(sum(found.values()))


def operations(run: Callable[[], object]) -> float:
    """Of the matrix products, convolutions and attention in `run`, as torch counts them."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:  # other kernels are not counted
        run()
    return float(counter.get_total_flops())


def sound_work(path: Path, windows: int, numbers: str) -> Work:
    """Of `windows` windows of YAMNet and the alert branch's share left out: counted by torch over one pass of the
    float32 network; its weights read once (a byte each in int8, which is below what is read: depthwise kernels stay).
    """
    from soundflow.perceive.yamnet import WINDOW_SAMPLES, YamNet

    net = YamNet(path)
    ops = operations(lambda: net(torch.zeros(1, WINDOW_SAMPLES)))
    held = sum(p.numel() for p in net.parameters())
    return Work(ops * windows, held * (1.0 if numbers == "int8" else 4.0))
