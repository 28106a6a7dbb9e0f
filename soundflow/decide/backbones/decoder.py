"""A decoder that a config describes, which writes into an explicit slotted cache: RMSNorm, grouped heads, RoPE, a gate.

Architecture: Touvron et al. 2023 (arXiv 2302.13971); grouped-query attention: Ainslie et al. 2023 (arXiv 2305.13245);
what the other families add stands in `config`. Numeric parity with the classes of `transformers` is tested for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundflow.decide import recorded
from soundflow.decide.backbones.config import DecoderConfig, check_capacity
from soundflow.decide.kv_cache import CacheState, rotate
from soundflow.decide.slab import Slabs

GATES: Final[Mapping[str, Callable[[Tensor], Tensor]]] = {
    "silu": F.silu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
}


class Block(nn.Module):
    """One decoder layer with fused q/k/v and gate/up projections."""

    def __init__(self, c: DecoderConfig, layer: int) -> None:
        super().__init__()
        self.c = c
        self.turns = layer not in c.still
        self.norm1 = nn.Parameter(torch.ones(c.width))
        self.qkv = nn.Linear(c.width, (c.heads + 2 * c.kv_heads) * c.head_dim, bias=c.qkv_bias)
        self.q_norm = nn.Parameter(torch.ones(c.head_dim)) if c.head_norms else None
        self.k_norm = nn.Parameter(torch.ones(c.head_dim)) if c.head_norms else None
        self.out = nn.Linear(c.heads * c.head_dim, c.width, bias=c.out_bias)
        self.norm2 = nn.Parameter(torch.ones(c.width))
        self.gate_up = nn.Linear(c.width, 2 * c.hidden, bias=c.mlp_bias)
        self.down = nn.Linear(c.hidden, c.width, bias=c.mlp_bias)
        self.gate = GATES[c.gate]
        biased = c.qkv_bias or c.out_bias or c.mlp_bias
        scaled = c.rope.query_scale != 1.0
        self.plain = self.turns and c.gate == "silu" and not (biased or c.head_norms or scaled)

    def heads(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [...,D], cos and sin [...,1,Dh] -> q [...,H,Dh] and k [...,Hkv,Dh], turned, and v [...,Hkv,Dh]."""
        c = self.c
        h = F.rms_norm(x, (c.width,), self.norm1, c.eps)
        fused = self.qkv(h).view(*x.shape[:-1], -1, c.head_dim)
        q, k, v = fused.split([c.heads, c.kv_heads, c.kv_heads], dim=-2)
        if self.q_norm is not None and self.k_norm is not None:
            q = F.rms_norm(q, (c.head_dim,), self.q_norm, c.eps)
            k = F.rms_norm(k, (c.head_dim,), self.k_norm, c.eps)
        if self.turns:
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            if c.rope.query_scale != 1.0:
                q = q * c.rope.query_scale
        return q, k, v

    def rest(self, x: Tensor, attended: Tensor) -> Tensor:
        """What follows attention: x [...,D] and [...,H*Dh] -> [...,D]."""
        x = x + self.out(attended)
        gate, up = self.gate_up(F.rms_norm(x, (self.c.width,), self.norm2, self.c.eps)).chunk(2, dim=-1)
        down: Tensor = self.down(self.gate(gate) * up)
        return x + down

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, slots: Tensor, mask: Tensor, cos: Tensor, sin: Tensor
    ) -> Tensor:
        """x [B,P,D]; keys/values [B,Hkv,C+1,Dh] are written at `slots` [B,P]; mask [B,1,P,m] additive; cos/sin
        [B,P,1,Dh].
        """
        c, (b, p, _) = self.c, x.shape
        q, k, v = (h.transpose(1, 2) for h in self.heads(x, cos, sin))
        if b == 1:
            keys[0].index_copy_(1, slots[0], k[0])
            values[0].index_copy_(1, slots[0], v[0])
        else:
            index = slots[:, None, :, None].expand(b, c.kv_heads, p, c.head_dim)
            keys.scatter_(2, index, k)
            values.scatter_(2, index, v)
        m = mask.shape[-1]
        a = F.scaled_dot_product_attention(q, keys[:, :, :m], values[:, :, :m], attn_mask=mask, enable_gqa=True)
        return self.rest(x, a.transpose(1, 2).reshape(b, p, -1))


class Decoder(nn.Module):
    """Token embeddings, blocks and final norm. The head is the embedding matrix where the checkpoint ties them."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab, config.width)
        self.blocks = nn.ModuleList(Block(config, i) for i in range(config.layers))
        self.norm = nn.Parameter(torch.ones(config.width))
        self.head = nn.Linear(config.width, config.vocab, bias=False)
        cos, sin = config.rope.tables(config.limit, config.head_dim, config.rope_theta)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.cos: Tensor
        self.sin: Tensor
        self.slabs: Slabs | None = None

    @staticmethod
    def load(folder: Path, dtype: torch.dtype, deltas: Mapping[str, Tensor] | None = None, prefix: str = "") -> Decoder:
        """Read a Hugging Face folder: config.json and model.safetensors, or shards with their index.

        Args:
            deltas: merged adapter updates by Hugging Face parameter name, added in float32 before the cast to `dtype`.
            prefix: of the decoder's tensors in a file that holds more; the thinker of Qwen2.5-Omni ("thinker.") is
                found without it. Its multimodal positions are plain RoPE for audio and text, whose three ids are equal
                (Xu et al. 2025, arXiv 2503.20215, section 2.2).

        Raises:
            WeightsError: an unknown model type or option, or a tensor that is missing, of another shape or not known;
                the message names it.
        """
        from soundflow.decide.backbones.load import read

        config = DecoderConfig.read(folder)
        with torch.device("meta"):
            model = Decoder(config)
        model.load_state_dict(read(folder, config, dtype, deltas or {}, prefix), assign=True)
        model.cos, model.sin = config.rope.tables(config.limit, config.head_dim, config.rope_theta)
        return model.eval().requires_grad_(False)

    @staticmethod
    def random(config: DecoderConfig, seed: int, dtype: torch.dtype = torch.float32) -> Decoder:
        """Weights of a seed, such that every part of it matters: for tests and for measuring cost."""
        generator = torch.Generator().manual_seed(seed)
        model = Decoder(config)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                noise = torch.randn(parameter.shape, generator=generator)
                if parameter.dim() == 2:
                    parameter.copy_(noise if name.startswith("embed") else noise * parameter.shape[1] ** -0.5)
                else:
                    parameter.copy_(0.2 * noise + (0.0 if name.endswith("bias") else 1.0))
            if config.tied:
                model.head.weight = model.embed.weight
        return model.to(dtype).eval().requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Of all but the embeddings, which stay on the host: what is fed is put together there."""
        return self.norm.device

    def to_device(self, device: torch.device) -> Decoder:
        """Move everything but the embeddings there; on a GPU caches lie in slabs (`soundflow.decide.slab`), passes over
        which are recorded (`soundflow.decide.recorded`).
        """
        embed = self.embed
        head = nn.Linear(self.config.width, self.config.vocab, bias=False, device="meta")
        head.weight = nn.Parameter(self.head.weight.detach().to(device), requires_grad=False)
        self.embed, self.head = nn.Embedding(1, 1), nn.Linear(1, 1)  # the head may be the embeddings' own tensor
        self.to(device)
        self.embed, self.head = embed, head
        self.slabs = None
        if device.type != "cpu":
            self.slabs = Slabs(recorded.cuda() if device.type == "cuda" else None)
        return self

    def to_int8(self) -> None:
        """Multiply by the matrices of every block in eight bits from now on; embeddings, norms and the head stay."""
        from soundflow.decide.backbones.quantise import quantise

        quantise(self, "int8")

    def init_state(self, batch: int, capacity: int) -> CacheState:
        """An empty cache of `capacity` tokens a row; WeightsError where the model knows fewer positions."""
        c = self.config
        check_capacity(c, capacity)
        return CacheState(
            c.layers, batch, c.kv_heads, capacity, c.head_dim, self.norm.dtype, device=self.device, slabs=self.slabs,
            limit=c.limit,
        )  # fmt: skip

    def evict(self, row: int, count: int, state: CacheState) -> None:
        """Drop the `count` oldest tokens behind the prefix of a row and move the rest to lower positions."""
        state.evict(row, count, self.cos, self.sin, self.config.still)

    @torch.inference_mode()
    def forward(self, x: Tensor, counts: Tensor, state: CacheState) -> Tensor:
        """Append tokens to each row of the cache.

        Args:
            x: [B,P,D] input embeddings, right-padded, of any device.
            counts: [B] int64, valid tokens of each row; a row with 0 does not change.
            state: updated in place.

        Returns:
            [B,P,D] final normalised hidden states on the model's device; positions past `counts` are meaningless.
        """
        b, p, _ = x.shape
        x, offsets = x.to(self.device), torch.arange(p)
        positions = state.lengths[:, None] + offsets
        valid = offsets < counts[:, None]
        slots = torch.where(valid, positions, state.capacity)
        m = int((state.lengths + counts).max())
        seen = torch.arange(m) <= positions[:, :, None]
        mask = torch.zeros(b, 1, p, m, dtype=x.dtype).masked_fill_(~seen[:, None], float("-inf"))
        at = positions.clamp(max=len(self.cos) - 1)
        at, slots, mask = (t.to(self.device) for t in (at, slots, mask))
        cos, sin = self.cos[at].to(x.dtype)[:, :, None], self.sin[at].to(x.dtype)[:, :, None]
        for i, block in enumerate(self.blocks):
            x = block(x, state.keys[i], state.values[i], slots, mask, cos, sin)
        state.lengths += counts
        out: Tensor = F.rms_norm(x, (self.config.width,), self.norm, self.config.eps)
        return out
