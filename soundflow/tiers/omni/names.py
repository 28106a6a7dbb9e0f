"""What tensors are called in the two layouts that we convert, and in the folder that we write.

`hub`: a Hugging Face folder of Qwen2.5-Omni, whole (`thinker.audio_tower.*`, `thinker.model.*`,
`thinker.lm_head.weight`, and the talker, vocoder and vision tower that we leave out) or its thinker alone.
`release`: what the code of *Audio Interaction Model* (xzf-thu/Audio-Interaction) loads: a language model by LitGPT's
names, and the tower in a file of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch

from soundflow.decide.backbones.config import DecoderConfig
from soundflow.perceive.omni.tower import Tower, TowerConfig

HUB_LEFT_OUT: Final = ("talker.", "token2wav.", "thinker.visual.", "visual.")
TOWER_LEFT_OUT: Final = ("audio_bos_eos_token.",)
"""Marks around a whole clip, which a stream does not have."""
Shapes = dict[str, tuple[int, ...]]


def tower_shapes(config: TowerConfig) -> Shapes:
    """Every tensor of our tower file."""
    with torch.device("meta"):
        return {name: tuple(p.shape) for name, p in Tower(config).named_parameters()}


def text_shapes(c: DecoderConfig, tied: bool) -> Shapes:
    """Every tensor of a Qwen2 folder."""
    wide, narrow = c.heads * c.head_dim, c.kv_heads * c.head_dim
    shapes: Shapes = {"model.embed_tokens.weight": (c.vocab, c.width), "model.norm.weight": (c.width,)}
    if not tied:
        shapes["lm_head.weight"] = (c.vocab, c.width)
    for i in range(c.layers):
        at = f"model.layers.{i}."
        for name, rows in (("q", wide), ("k", narrow), ("v", narrow)):
            shapes[f"{at}self_attn.{name}_proj.weight"] = (rows, c.width)
            shapes[f"{at}self_attn.{name}_proj.bias"] = (rows,)
        shapes[f"{at}self_attn.o_proj.weight"] = (c.width, wide)
        shapes[f"{at}mlp.gate_proj.weight"] = shapes[f"{at}mlp.up_proj.weight"] = (c.hidden, c.width)
        shapes[f"{at}mlp.down_proj.weight"] = (c.width, c.hidden)
        shapes[f"{at}input_layernorm.weight"] = shapes[f"{at}post_attention_layernorm.weight"] = (c.width,)
    return shapes


def group(name: str) -> str:
    """The part of a model that a tensor belongs to, for messages."""
    kept = [part for part in name.split(".") if not part.isdigit()]
    return ".".join(kept[:-1] or kept)


_RELEASE: Final = {
    "input_layernorm": "norm_1",
    "post_attention_layernorm": "norm_2",
    "self_attn.o_proj": "attn.proj",
    "mlp.gate_proj": "mlp.fc_1",
    "mlp.up_proj": "mlp.fc_2",
    "mlp.down_proj": "mlp.proj",
}
_RELEASE_ONCE: Final = {
    "model.embed_tokens.weight": "transformer.wte.weight",
    "model.norm.weight": "transformer.ln_f.weight",
    "lm_head.weight": "lm_head.weight",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a tensor lies: all of `name`, or its rows from `first` on where it has `of` rows."""

    name: str
    first: int = 0
    of: int | None = None


def release_source(name: str, c: DecoderConfig) -> Source:
    """Of a language model's tensor in the release, where queries, keys and values are one matrix, in this order."""
    if name in _RELEASE_ONCE:
        return Source(_RELEASE_ONCE[name])
    layer, inner = name.removeprefix("model.layers.").split(".", 1)
    module, kind = inner.rsplit(".", 1)
    at = f"transformer.h.{layer}."
    if module in _RELEASE:
        return Source(f"{at}{_RELEASE[module]}.{kind}")
    wide, narrow = c.heads * c.head_dim, c.kv_heads * c.head_dim
    first = {"q_proj": 0, "k_proj": wide, "v_proj": wide + narrow}[module.removeprefix("self_attn.")]
    return Source(f"{at}attn.qkv.{kind}", first, wide + 2 * narrow)


def qwen2_config(c: DecoderConfig, tied: bool) -> Mapping[str, object]:
    """A config.json of the language model alone; positions are plain RoPE, as those of text and audio are the same in
    all of the thinker's sections."""
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": c.vocab,
        "hidden_size": c.width,
        "intermediate_size": c.hidden,
        "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads,
        "num_key_value_heads": c.kv_heads,
        "head_dim": c.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": c.max_positions,
        "rms_norm_eps": c.eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": c.rope_theta},
        "rope_theta": c.rope_theta,
        "tie_word_embeddings": tied,
    }
