"""A cache that keeps keys as they are before they are turned, over transformers' own layers: slow, and plainly right.

Every step turns all that is kept to the positions it has now. What a token's keys and values became when it was read
stays, also when what it saw has left: that is what an evicting cache has to equal.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Reference:
    """One stream. `still`: layers that know no positions."""

    def __init__(self, hf: Any, still: tuple[int, ...] = ()) -> None:
        self.hf, self.still = hf, still
        self.keys: list[Tensor] = [torch.empty(0)] * hf.config.num_hidden_layers  # [Hkv,T,Dh], not turned
        self.values = list(self.keys)

    @torch.no_grad()
    def read(self, ids: Tensor) -> Tensor:
        """[P] -> [P,V] logits behind each token."""
        model = self.hf.model
        x = model.embed_tokens(ids)
        for i, layer in enumerate(model.layers):
            x = x + self.attend(i, layer.self_attn, layer.input_layernorm(x))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        logits: Tensor = self.hf.lm_head(model.norm(x))
        return logits

    def attend(self, i: int, attention: Any, x: Tensor) -> Tensor:
        n, dim = len(x), attention.head_dim
        q, k, v = (getattr(attention, f"{c}_proj")(x).view(n, -1, dim).transpose(0, 1) for c in "qkv")
        if hasattr(attention, "q_norm"):
            q, k = attention.q_norm(q), attention.k_norm(k)
        if self.keys[i].numel():
            k, v = torch.cat([self.keys[i], k], 1), torch.cat([self.values[i], v], 1)
        self.keys[i], self.values[i] = k, v
        length = k.shape[1]
        if i not in self.still:
            cos, sin = (t[0] for t in self.hf.model.rotary_emb(x, torch.arange(length)[None]))
            q, k = turn(q, cos[-n:], sin[-n:]), turn(k, cos, sin)
        groups = q.shape[0] // k.shape[0]
        scores = q @ k.repeat_interleave(groups, 0).transpose(1, 2) * attention.scaling
        seen = torch.arange(length) <= torch.arange(length - n, length)[:, None]
        weights = scores.masked_fill(~seen, float("-inf")).softmax(-1)
        out: Tensor = attention.o_proj((weights @ v.repeat_interleave(groups, 0)).transpose(0, 1).reshape(n, -1))
        return out

    def evict(self, start: int, count: int) -> None:
        for kept in (self.keys, self.values):
            kept[:] = [torch.cat([t[:, :start], t[:, start + count :]], 1) for t in kept]


def turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin
