"""A layer of the packed pass in eight bits, before and after its attention, in one call each (see `scripted`).

Imported only where `soundflow.int8` is available: the compiler wants the quantised operations to be there. The results
are those of `Int8Linear` and the plain layer, to the bit.
"""

# ruff: noqa: UP006, UP035
# mypy: ignore-errors
# The compiler of scripts reads the annotations, in the words it knows.
from typing import Tuple

import torch
from torch import Tensor

from soundflow.decide.scripted import script
from soundflow.int8 import LEVELS, SMALLEST

STEP: float = 1.0 / LEVELS
LEAST: float = SMALLEST
Packed = torch.classes.quantized.LinearPackedParamsBase


def _int8(x: Tensor, packed: Packed, step: float = STEP, least: float = LEAST) -> Tensor:
    rows = x.float()
    largest = torch.clamp_min(torch.amax(torch.abs(rows), [1], True), least)
    product = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(rows / largest, step, 128, packed)
    return (product * largest).to(x.dtype)


int8 = script(_int8)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a = x.chunk(2, -1)
    return x * cos + torch.cat([-a[1], a[0]], -1) * sin


rotate = script(_rotate)


def _before(
    x: Tensor, norm: Tensor, eps: float, qkv: Packed, cos: Tensor, sin: Tensor, heads: int, kv_heads: int, dim: int
) -> Tuple[Tensor, Tensor, Tensor]:
    h = int8(torch.rms_norm(x, [x.shape[1]], norm, eps), qkv)
    q, k, v = h.view(x.shape[0], -1, dim).split_with_sizes([heads, kv_heads, kv_heads], 1)
    return rotate(q, cos, sin), rotate(k, cos, sin), v


def _after(x: Tensor, heads: Tensor, norm: Tensor, eps: float, out: Packed, gate_up: Packed, down: Packed) -> Tensor:
    x = x + int8(heads, out)
    gate, up = int8(torch.rms_norm(x, [x.shape[1]], norm, eps), gate_up).chunk(2, -1)
    return x + int8(torch.ops.aten.silu(gate) * up, down)


before, after = script(_before), script(_after)
