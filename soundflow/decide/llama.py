"""A Llama-family decoder that writes into an explicit slotted cache: RMSNorm, grouped heads, RoPE, SwiGLU.

Architecture: Touvron et al. 2023 (arXiv 2302.13971); grouped-query attention: Ainslie et al. 2023 (arXiv 2305.13245).
Numeric parity with `transformers.LlamaForCausalLM` is tested.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from soundflow.decide.kv_cache import CacheState, rope_tables, rotate
from soundflow.decide.slab import Slabs
from soundflow.errors import WeightsError
from soundflow.int8 import Int8Linear


@dataclass(frozen=True, slots=True)
class LlamaConfig:
    vocab: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    rope_theta: float
    max_positions: int
    eps: float

    @staticmethod
    def read(folder: Path) -> LlamaConfig:
        """From a Hugging Face `config.json` of model type llama; WeightsError for another type or rope scaling."""
        path = folder / "config.json"
        try:
            raw = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path}: a readable config.json was expected ({error})") from error
        if raw.get("model_type") != "llama":
            raise WeightsError(f"{path}: model_type 'llama' was expected, got {raw.get('model_type')!r}")
        rope = raw.get("rope_parameters") or {}
        if rope.get("rope_type", "default") != "default":
            raise WeightsError(f"{path}: rope_type 'default' was expected, got {rope.get('rope_type')!r}")
        heads = raw["num_attention_heads"]
        return LlamaConfig(
            vocab=raw["vocab_size"],
            width=raw["hidden_size"],
            layers=raw["num_hidden_layers"],
            heads=heads,
            kv_heads=raw.get("num_key_value_heads", heads),
            head_dim=raw.get("head_dim") or raw["hidden_size"] // heads,
            hidden=raw["intermediate_size"],
            rope_theta=rope.get("rope_theta", raw.get("rope_theta", 10_000.0)),
            max_positions=raw["max_position_embeddings"],
            eps=raw["rms_norm_eps"],
        )


class Block(nn.Module):
    """One decoder layer with fused q/k/v and gate/up projections."""

    def __init__(self, c: LlamaConfig) -> None:
        super().__init__()
        self.c = c
        self.norm1 = nn.Parameter(torch.ones(c.width))
        self.qkv = nn.Linear(c.width, (c.heads + 2 * c.kv_heads) * c.head_dim, bias=False)
        self.out = nn.Linear(c.heads * c.head_dim, c.width, bias=False)
        self.norm2 = nn.Parameter(torch.ones(c.width))
        self.gate_up = nn.Linear(c.width, 2 * c.hidden, bias=False)
        self.down = nn.Linear(c.hidden, c.width, bias=False)

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, slots: Tensor, mask: Tensor, cos: Tensor, sin: Tensor
    ) -> Tensor:
        """x [B,P,D]; keys/values [B,Hkv,C+1,Dh] are written at `slots` [B,P]; mask [B,1,P,m] additive; cos/sin
        [B,P,Dh].
        """
        c, (b, p, _) = self.c, x.shape
        h = F.rms_norm(x, (c.width,), self.norm1, c.eps)
        q, k, v = self.qkv(h).view(b, p, -1, c.head_dim).split([c.heads, c.kv_heads, c.kv_heads], dim=2)
        q, k = rotate(q.transpose(1, 2), cos, sin), rotate(k.transpose(1, 2), cos, sin)
        if b == 1:
            keys[0].index_copy_(1, slots[0], k[0])
            values[0].index_copy_(1, slots[0], v[0].transpose(0, 1))
        else:
            index = slots[:, None, :, None].expand(b, c.kv_heads, p, c.head_dim)
            keys.scatter_(2, index, k)
            values.scatter_(2, index, v.transpose(1, 2))
        m = mask.shape[-1]
        a = F.scaled_dot_product_attention(q, keys[:, :, :m], values[:, :, :m], attn_mask=mask, enable_gqa=True)
        x = x + self.out(a.transpose(1, 2).reshape(b, p, -1))
        gate, up = self.gate_up(F.rms_norm(x, (c.width,), self.norm2, c.eps)).chunk(2, dim=-1)
        down: Tensor = self.down(F.silu(gate) * up)
        return x + down


class Llama(nn.Module):
    """Token embeddings, blocks and final norm. The head is the embedding matrix where the checkpoint ties them."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.Parameter(torch.ones(config.width))
        self.head = nn.Linear(config.width, config.vocab, bias=False)
        cos, sin = rope_tables(config.max_positions, config.head_dim, config.rope_theta)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.cos: Tensor
        self.sin: Tensor
        self.slabs: Slabs | None = None

    @staticmethod
    def load(folder: Path, dtype: torch.dtype, deltas: Mapping[str, Tensor] | None = None) -> Llama:
        """Read a Hugging Face Llama folder (config.json + model.safetensors).

        Args:
            deltas: merged adapter updates by Hugging Face parameter name, added in float32 before the cast to `dtype`.

        Raises:
            WeightsError: a tensor is missing or has another shape; the message names it.
        """
        config = LlamaConfig.read(folder)
        path = folder / "model.safetensors"
        if not path.exists():
            raise WeightsError(f"{path} is missing: run `soundflow models pull nano`")
        with torch.device("meta"):
            model = Llama(config)
        left = dict(deltas or {})
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())

            def get(name: str) -> Tensor:
                if name not in names:
                    raise WeightsError(f"{path}: tensor {name!r} was expected and is not there")
                tensor: Tensor = file.get_tensor(name).float()
                if name in left:
                    tensor += left.pop(name)
                return tensor.to(dtype)

            state = {"embed.weight": get("model.embed_tokens.weight"), "norm": get("model.norm.weight")}
            state["head.weight"] = get("lm_head.weight") if "lm_head.weight" in names else state["embed.weight"]
            for i in range(config.layers):
                hf, own = f"model.layers.{i}.", f"blocks.{i}."
                attention, mlp = hf + "self_attn.", hf + "mlp."
                state[own + "qkv.weight"] = torch.cat([get(f"{attention}{n}_proj.weight") for n in "qkv"])
                state[own + "out.weight"] = get(attention + "o_proj.weight")
                state[own + "gate_up.weight"] = torch.cat([get(f"{mlp}{n}_proj.weight") for n in ("gate", "up")])
                state[own + "down.weight"] = get(mlp + "down_proj.weight")
                state[own + "norm1"] = get(hf + "input_layernorm.weight")
                state[own + "norm2"] = get(hf + "post_attention_layernorm.weight")
        if left:
            raise WeightsError(f"the adapter changes tensors that {path} does not have: {sorted(left)[:3]}")
        try:
            model.load_state_dict(state, assign=True)
        except RuntimeError as error:
            raise WeightsError(f"{path}: shapes do not fit its config.json ({error})") from error
        model.cos, model.sin = rope_tables(config.max_positions, config.head_dim, config.rope_theta)
        return model.eval().requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Of all but the embeddings, which stay on the host: what is fed is put together there."""
        return self.norm.device

    def to_device(self, device: torch.device) -> Llama:
        """Move everything but the embeddings there; on a GPU caches lie in slabs (`soundflow.decide.slab`)."""
        embed = self.embed
        head = nn.Linear(self.config.width, self.config.vocab, bias=False, device="meta")
        head.weight = nn.Parameter(self.head.weight.detach().to(device), requires_grad=False)
        self.embed, self.head = nn.Embedding(1, 1), nn.Linear(1, 1)  # the head may be the embeddings' own tensor
        self.to(device)
        self.embed, self.head = embed, head
        self.slabs = Slabs() if device.type != "cpu" else None
        return self

    def to_int8(self) -> None:
        """Multiply by the matrices of every block in eight bits from now on; embeddings, norms and the head stay."""
        for block in self.blocks:
            for name in ("qkv", "out", "gate_up", "down"):
                setattr(block, name, Int8Linear(cast(nn.Linear, getattr(block, name)).weight))

    def init_state(self, batch: int, capacity: int) -> CacheState:
        c = self.config
        if capacity > c.max_positions:
            raise WeightsError(f"a cache of at most {c.max_positions} positions was expected, got {capacity}")
        return CacheState(
            c.layers, batch, c.kv_heads, capacity, c.head_dim, self.norm.dtype, device=self.device, slabs=self.slabs
        )

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
        at = positions.clamp(max=self.config.max_positions - 1)
        at, slots, mask = (t.to(self.device) for t in (at, slots, mask))
        cos, sin = self.cos[at].to(x.dtype)[:, None], self.sin[at].to(x.dtype)[:, None]
        for i, block in enumerate(self.blocks):
            x = block(x, state.keys[i], state.values[i], slots, mask, cos, sin)
        state.lengths += counts
        out: Tensor = F.rms_norm(x, (self.config.width,), self.norm, self.config.eps)
        return out
