"""Attention of the packed pass in one call a layer, which runs without the interpreter's lock.

A pass is some two thousand small operations. Called one by one from Python each gives the lock up and asks for it
again, and beside other threads it waits for it each time. `scripted_int8` holds the rest of a layer.
"""

# ruff: noqa: UP006, UP035, UP045
# mypy: ignore-errors
# The compiler of scripts reads the annotations, in the words it knows.
import warnings
from collections.abc import Callable
from typing import Any, List, Optional

import torch
from torch import Tensor


def script(function: Callable[..., Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch means to give scripts up for compilers, which this machine may not have
        return torch.jit.script(function)


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


attend = script(_attend)
