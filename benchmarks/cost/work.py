"""Operations and bytes of a pass of the decoder, out of its shape. A multiply-add is two operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.cost.timed import Work
from soundflow.decide.backbones.config import DecoderConfig

WEIGHT_BYTES: Final = {"int8": 1, "bf16": 2, "fp32": 4}
CACHE_BYTES: Final = {"int8": 2, "bf16": 2, "fp32": 4}
"""Of a key or value: the eight-bit model keeps its cache in bfloat16 where the processor has it."""


def weights(c: DecoderConfig) -> int:
    """Numbers in the matrices of all blocks. The head is not read for a decision, which has three rows of its own."""
    attention = c.width * (c.heads + 2 * c.kv_heads) * c.head_dim + c.heads * c.head_dim * c.width
    return c.layers * (attention + 3 * c.width * c.hidden)


def token_bytes(c: DecoderConfig, each: int) -> int:
    """Of one token's keys and values in all layers: 2 L Hkv Dh numbers of `each` bytes."""
    return 2 * c.layers * c.kv_heads * c.head_dim * each


def step(c: DecoderConfig, rows: Sequence[tuple[int, int]], weight_bytes: float, cache_bytes: int) -> Work:
    """One pass over `rows` of (tokens already in the cache, new tokens).

    Operations: 2 N a new token (N: `weights`), and for a token that looks at k positions 4 k H Dh a layer (scores and
    mix). Bytes: every weight once, whatever the batch, and every row's cache once. Activations, norms and rotations are
    left out, so that both are lower bounds.
    """
    new = sum(n for _, n in rows)
    seen = sum(held * n + n * (n + 1) // 2 for held, n in rows)
    ops = 2.0 * weights(c) * new + 4.0 * seen * c.heads * c.head_dim * c.layers
    cache = sum(held + n for held, n in rows) * token_bytes(c, cache_bytes)
    return Work(ops, weights(c) * weight_bytes + cache)
