"""The packed pass in three calls a layer, each of which runs without the interpreter's lock.

A pass is some two thousand small operations. Called one by one from Python each gives the lock up and asks for it
again, and beside other threads it waits for it each time. The operations and their results are those of
`soundflow.decide.packed`, to the bit.
"""

# ruff: noqa: UP006, UP035, UP045
# mypy: ignore-errors
# The compiler of scripts reads the annotations, in the words it knows.
import warnings
from collections.abc import Callable
from typing import Any, List, Optional, Tuple

import torch
from torch import Tensor

from soundflow.int8 import LEVELS, SMALLEST

STEP: float = 1.0 / LEVELS
LEAST: float = SMALLEST
Packed = torch.classes.quantized.LinearPackedParamsBase


def _script(function: Callable[..., Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch means to give scripts up for compilers, which this machine may not have
        return torch.jit.script(function)


def _int8(x: Tensor, packed: Packed, step: float = STEP, least: float = LEAST) -> Tensor:
    rows = x.float()
    largest = torch.clamp_min(torch.amax(torch.abs(rows), [1], True), least)
    product = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(rows / largest, step, 128, packed)
    return (product * largest).to(x.dtype)


int8 = _script(_int8)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a = x.chunk(2, -1)
    return x * cos + torch.cat([-a[1], a[0]], -1) * sin


rotate = _script(_rotate)


def _before(
    x: Tensor, norm: Tensor, eps: float, qkv: Packed, cos: Tensor, sin: Tensor, heads: int, kv_heads: int, dim: int
) -> Tuple[Tensor, Tensor, Tensor]:
    h = int8(torch.rms_norm(x, [x.shape[1]], norm, eps), qkv)
    q, k, v = h.view(x.shape[0], -1, dim).split_with_sizes([heads, kv_heads, kv_heads], 1)
    return rotate(q, cos, sin), rotate(k, cos, sin), v


def _attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    counts: List[int],
    new_keys: List[Tensor],
    new_values: List[Tensor],
    seen_keys: List[Tensor],
    seen_values: List[Tensor],
    masks: List[Optional[Tensor]],
) -> Tensor:
    kv_heads, dim = k.shape[1], k.shape[2]
    groups = q.shape[1] // kv_heads
    queries = q.view(q.shape[0], kv_heads, groups, dim).split_with_sizes(counts, 0)
    keys = k.transpose(0, 1).split_with_sizes(counts, 1)
    values = v.transpose(0, 1).split_with_sizes(counts, 1)
    found: List[Tensor] = []
    for i in range(len(counts)):
        new_keys[i].copy_(keys[i])
        new_values[i].copy_(values[i])
        mask = masks[i]
        if mask is None:
            one = torch.ops.aten.scaled_dot_product_attention(queries[i], seen_keys[i], seen_values[i])
            found.append(one.view(1, -1))
        else:
            grouped = queries[i].permute(1, 2, 0, 3).reshape(1, kv_heads, groups * counts[i], dim)
            out = torch.ops.aten.scaled_dot_product_attention(grouped, seen_keys[i], seen_values[i], mask)
            found.append(out.view(kv_heads * groups, counts[i], dim).transpose(0, 1).reshape(counts[i], -1))
    return torch.cat(found)


def _after(x: Tensor, heads: Tensor, norm: Tensor, eps: float, out: Packed, gate_up: Packed, down: Packed) -> Tensor:
    x = x + int8(heads, out)
    gate, up = int8(torch.rms_norm(x, [x.shape[1]], norm, eps), gate_up).chunk(2, -1)
    return x + int8(torch.ops.aten.silu(gate) * up, down)


before, attend, after = _script(_before), _script(_attend), _script(_after)
