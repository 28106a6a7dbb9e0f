"""A decoder's matrices in eight or four bits. Embeddings, norms, biases and the head stay as they are."""

from __future__ import annotations

from typing import Final, Literal, cast, get_args

from torch import Tensor, nn

from soundflow import int8
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.backbones.four_bit import FourBitLinear
from soundflow.errors import ConfigError
from soundflow.int8 import Int8Linear

Quantised = Literal["int8", "4bit"]
MATRICES: Final = ("qkv", "out", "gate_up", "down")


class Biased(nn.Module):
    """A quantised product and what is added to it. [..., in] -> [..., out]."""

    def __init__(self, product: nn.Module, bias: Tensor) -> None:
        """`bias` [out]."""
        super().__init__()
        self.product = product
        self.bias = nn.Parameter(bias.detach(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        product: Tensor = self.product(x)
        return product + self.bias


def quantise(decoder: Decoder, kind: Quantised) -> None:
    """Multiply by the matrices of every block in fewer bits from now on, where the decoder lies.

    int8 (`soundflow.int8`) computes in eight bits and is a CPU's; 4bit (`four_bit`) keeps weights in four and computes
    in the decoder's dtype.

    Raises:
        ConfigError: another kind; one that this machine or device does not have; a decoder quantised before.
    """
    if kind not in get_args(Quantised):
        raise ConfigError(f"quantise: one of {', '.join(get_args(Quantised))} was expected, got {kind!r}")
    if kind == "int8" and (decoder.device.type != "cpu" or not int8.available()):
        raise ConfigError(f"quantise: int8 wants a CPU that multiplies it, got {decoder.device}; 4bit runs anywhere")
    if not all(isinstance(getattr(block, name), nn.Linear) for block in decoder.blocks for name in MATRICES):
        raise ConfigError(f"quantise: a decoder whose matrices are floats was expected, to make them {kind}")
    for block in decoder.blocks:
        for name in MATRICES:
            linear = cast(nn.Linear, getattr(block, name))
            product = Int8Linear(linear.weight) if kind == "int8" else FourBitLinear(linear.weight)
            setattr(block, name, product if linear.bias is None else Biased(product, linear.bias))
