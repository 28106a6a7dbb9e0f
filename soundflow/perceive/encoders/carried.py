"""Convolutions and attention over carried windows, for encoders that compute each frame once.

Keys are kept as projected, without their rotation, and rotated by their place in the window: only distances matter to
RoPE (Su et al. 2021), so that positions stay small however old the stream is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import ConfigError


def kept(held: Tensor, new: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """What is held with what is new behind it, and the newest part of that, as long as what was held."""
    joined = torch.cat([held, new.to(held.dtype)], dim=dim)
    length = held.shape[dim]
    return joined, joined.narrow(dim, joined.shape[dim] - length, length)


def band(first: Tensor, held: int, new: int, left: int, right: int = 0) -> Tensor:
    """Which keys each query sees.

    Queries lag `right` behind the new keys, so that all they may see has come. A query sees `left` keys before its own
    and `right` after it, none of before the stream; and its own always, so that no query sees nothing.

    Args:
        first: [R] int64, index in its stream of the first new key.
        held, new: keys from before, and new ones.

    Returns:
        [R, 1, new, held + new] bool
    """
    keys = torch.arange(-held, new, device=first.device)
    queries = torch.arange(new, device=first.device) - right
    distance = queries[:, None] - keys
    near = (distance <= left) & (distance >= -right)
    there = first[:, None] + keys >= 0
    return ((near & there[:, None]) | (distance == 0))[:, None]


def rotated(x: Tensor, frequencies: Tensor, start: int) -> Tensor:
    """[R, H, n, d] rotated by positions start, start + 1, ...; halves of d paired, angles in float32."""
    positions = torch.arange(start, start + x.shape[2], device=x.device, dtype=torch.float32)
    angles = positions[:, None] * frequencies.to(x.device, torch.float32)
    cos, sin = (torch.cat([f(angles), f(angles)], dim=-1).to(x.dtype) for f in (torch.cos, torch.sin))
    one, two = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-two, one], dim=-1) * sin


def frequencies(name: str, rotary: Any) -> Tensor:
    """Inverse frequencies [d / 2] of a transformers rotary module.

    Raises:
        ConfigError: not plain RoPE.
    """
    if rotary.rope_type != "default":
        raise ConfigError(f"{name}: config.json: rope_type expected 'default', got {rotary.rope_type!r}")
    inverse: Tensor = rotary.inv_freq
    return inverse


def attend(
    layer: Any, x: Tensor, held: dict[str, Tensor], name: str, mask: Tensor, queries: Tensor, rope: Tensor | None = None
) -> Tensor:
    """Self-attention of one layer over the carried window.

    Args:
        layer: a transformers attention module with q_proj, k_proj, v_proj, o_proj.
        x: [R, n, D] what the new keys are of.
        held: `k.name` and `v.name` [R, Hkv, C, d] are replaced by what is kept of both.
        mask: [R, 1, n, C + n] of `band`.
        queries: [R, n, D] what the queries are of; `x` itself without a look-ahead.
        rope: inverse frequencies [d / 2]; only without a look-ahead.
    """
    q, k, v = (
        project(of).unflatten(-1, (-1, layer.head_dim)).transpose(1, 2)
        for project, of in ((layer.q_proj, queries), (layer.k_proj, x), (layer.v_proj, x))
    )
    keys, held[f"k.{name}"] = kept(held[f"k.{name}"], k, 2)
    values, held[f"v.{name}"] = kept(held[f"v.{name}"], v, 2)
    if rope is not None:
        q, keys = rotated(q, rope, keys.shape[2] - k.shape[2]), rotated(keys, rope, 0)
    y = F.scaled_dot_product_attention(
        q, keys, values, attn_mask=mask, scale=layer.scaling, enable_gqa=q.shape[1] != keys.shape[1]
    )
    out: Tensor = layer.o_proj(y.transpose(1, 2).flatten(2))
    return out


def convolved(conv: Any, x: Tensor) -> Tensor:
    """A causal convolution of [R, C, n] whose left context is in `x` already."""
    return F.conv1d(x, conv.weight, conv.bias, conv.stride, 0, conv.dilation, conv.groups)
