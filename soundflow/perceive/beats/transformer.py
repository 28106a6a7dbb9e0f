"""The encoder of BEATs over patch tokens: a convolution marks positions, attention has a gated relative position bias.

Chen et al. 2022 (arXiv 2212.09058); buckets: Raffel et al. 2020 (T5, arXiv 1910.10683); the gate: Chi et al. 2022
(XLM-E, arXiv 2106.16138); scaled residuals: Wang et al. 2022 (DeepNet, arXiv 2203.00555). Modules and parameters have
the names of the published checkpoints. There is no dropout: this is for use, and for training what stands behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundflow.perceive.beats.config import BeatsConfig

_tanh_gelu = partial(F.gelu, approximate="tanh")
_ACTIVATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "gelu": F.gelu,
    "gelu_accurate": _tanh_gelu,
    "gelu_fast": _tanh_gelu,
    "relu": F.relu,
    "tanh": torch.tanh,
}


class PositionConv(nn.Module):
    """Grouped convolution over tokens, [B, D, T] -> [B, D, T], weight-normalised (Salimans and Kingma 2016, arXiv
    1602.07868) for each place of the kernel: weight[:, :, k] = weight_g[k] * weight_v[:, :, k] / |weight_v[:, :, k]|.
    """

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight_g = nn.Parameter(torch.empty(1, 1, kernel))
        self.weight_v = nn.Parameter(torch.empty(width, width // groups, kernel))
        self.bias = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        kernel, tokens = self.weight_v.shape[-1], x.shape[-1]
        norm = self.weight_v.norm(dim=(0, 1), keepdim=True)
        weight = self.weight_v * (self.weight_g / norm)
        return F.conv1d(x, weight, self.bias, padding=kernel // 2, groups=self.groups)[..., :tokens]


def buckets(tokens: int, count: int, max_distance: int, device: torch.device) -> Tensor:
    """[2 * tokens - 1] int64: the bucket of each offset, key minus query, from -(tokens - 1) on.

    Half of the buckets are for keys behind the query. Of each half, the first half holds one distance a bucket, the
    rest grow by a constant factor up to `max_distance`; what is farther shares the last.
    """
    offsets = torch.arange(1 - tokens, tokens, device=device)
    half = count // 2
    exact = half // 2
    distance = offsets.abs()
    far = torch.log(distance.clamp(min=exact).float() / exact) / math.log(max_distance / exact) * (half - exact)
    far = (exact + far.long()).clamp(max=half - 1)
    return torch.where(distance < exact, distance, far) + (offsets > 0).long() * half


class Attention(nn.Module):
    """Self-attention with a relative position bias [H, T, T] that each query may scale for itself."""

    def __init__(self, c: BeatsConfig, owns_bias: bool) -> None:
        super().__init__()
        width, self.heads = c.encoder_embed_dim, c.encoder_attention_heads
        self.k_proj, self.v_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.q_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)
        if owns_bias:
            self.relative_attention_bias = nn.Embedding(c.num_buckets, self.heads)
        self.gated = c.gru_rel_pos
        if self.gated:
            self.grep_linear = nn.Linear(width // self.heads, 8)
            self.grep_a = nn.Parameter(torch.empty(1, self.heads, 1, 1))

    def forward(self, x: Tensor, bias: Tensor | None, padding: Tensor | None) -> Tensor:
        """x [B, T, D]; bias [H, T, T]; padding [B, 1, 1, T], 0 or -inf of each key."""
        b, t, d = x.shape
        q, k, v = (self._heads(made(x)) for made in (self.q_proj, self.k_proj, self.v_proj))
        mask = padding
        if bias is not None:
            scaled = bias[None]
            if self.gated:
                a, c = self.grep_linear(q).view(b, self.heads, t, 2, 4).sum(-1).sigmoid().chunk(2, dim=-1)
                scaled = (a * (c * self.grep_a - 1.0) + 2.0) * bias
            mask = scaled if padding is None else scaled + padding
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        out: Tensor = self.out_proj(seen.transpose(1, 2).reshape(b, t, d))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class Layer(nn.Module):
    """Attention and a feed-forward part, each with its norm before it or, as published, behind the scaled residual."""

    def __init__(self, c: BeatsConfig, owns_bias: bool) -> None:
        super().__init__()
        width = c.encoder_embed_dim
        self.norm_first, self.scale = c.layer_norm_first, c.residual_scale
        self.activation = _ACTIVATIONS[c.activation_fn]
        self.self_attn = Attention(c, owns_bias)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, c.encoder_ffn_embed_dim)
        self.fc2 = nn.Linear(c.encoder_ffn_embed_dim, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, bias: Tensor | None, padding: Tensor | None) -> Tensor:
        if self.norm_first:
            x = x + self.self_attn(self.self_attn_layer_norm(x), bias, padding)
            return x + self._feed(self.final_layer_norm(x))
        x = self.self_attn_layer_norm(x * self.scale + self.self_attn(x, bias, padding))
        out: Tensor = self.final_layer_norm(x * self.scale + self._feed(x))
        return out

    def _feed(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(self.activation(self.fc1(x)))
        return out


class Transformer(nn.Module):
    """Tokens [B, T, D] -> [B, T, D], each seeing all that are valid. Only the first layer holds the bias' table."""

    def __init__(self, c: BeatsConfig) -> None:
        super().__init__()
        self.c = c
        self.pos_conv = nn.Sequential(PositionConv(c.encoder_embed_dim, c.conv_pos, c.conv_pos_groups), nn.GELU())
        self.layers = nn.ModuleList(
            Layer(c, owns_bias=c.relative_position_embedding and i == 0) for i in range(c.encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(c.encoder_embed_dim)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """`valid` [B, T] bool, None for all; what comes out at the other tokens means nothing."""
        padding = None
        if valid is not None:
            x = x * valid[..., None]
            padding = torch.zeros_like(valid, dtype=x.dtype).masked_fill(~valid, float("-inf"))[:, None, None]
        x = x + self.pos_conv(x.transpose(1, 2)).transpose(1, 2)
        if not self.c.layer_norm_first:
            x = self.layer_norm(x)
        bias = self._bias(x.shape[1]) if self.c.relative_position_embedding else None
        for layer in self.layers:
            x = layer(x, bias, padding)
        if self.c.layer_norm_first:
            x = self.layer_norm(x)
        return x

    def _bias(self, tokens: int) -> Tensor:
        """[H, T, T]: of query i and key j, by j - i."""
        table = self.get_submodule("layers.0.self_attn.relative_attention_bias")
        by_offset: Tensor = table(buckets(tokens, self.c.num_buckets, self.c.max_distance, self.device))
        places = torch.arange(tokens, device=self.device)
        return by_offset.T[:, places[None] - places[:, None] + tokens - 1]

    @property
    def device(self) -> torch.device:
        return self.layer_norm.weight.device
