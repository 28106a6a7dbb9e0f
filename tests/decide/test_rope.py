"""Frequencies of each kind of RoPE against transformers' own, over more options than the families' models have."""

from __future__ import annotations

import pytest
import torch

from soundflow.decide.backbones.rope import Rope
from soundflow.decide.kv_cache import rope_tables, rotate

YARN = {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0, "original_max_position_embeddings": 64}
SCALINGS = {
    "default": {"rope_type": "default", "rope_theta": 5e5},
    "linear": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.5},
    "dynamic": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.5},
    "llama3": {
        "rope_type": "llama3", "rope_theta": 5e5, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 128,
    },
    "yarn": YARN,
    "yarn, no rounding": {**YARN, "truncate": False},
    "yarn, betas": {**YARN, "beta_fast": 8.0, "beta_slow": 0.5},
    "yarn, attention factor": {**YARN, "attention_factor": 0.7},
    "yarn, scales": {**YARN, "mscale": 0.8, "mscale_all_dim": 1.3},
    "yarn, shrunk": {**YARN, "factor": 0.5},
    "yarn, all within": {**YARN, "beta_fast": 1.0, "beta_slow": 1.0},
}  # fmt: skip


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("head_dim", [16, 64, 128])
def test_frequencies_and_scale_are_those_of_transformers(name, head_dim):
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    given = SCALINGS[name]
    config = LlamaConfig(
        hidden_size=4 * head_dim, num_attention_heads=4, max_position_embeddings=256, rope_parameters=dict(given)
    )
    theirs = LlamaRotaryEmbedding(config)
    rope = Rope.read(given, "config.json", 256, frozenset())
    assert torch.allclose(rope.inverse(head_dim, given["rope_theta"]).float(), theirs.inv_freq, rtol=1e-5)
    assert rope.query_scale == pytest.approx(theirs.attention_scaling**2)
    cos, sin = rope.tables(256, head_dim, given["rope_theta"])
    expected = theirs(torch.zeros(1), torch.arange(256)[None])
    for own, other in zip((cos, sin), expected, strict=True):
        assert torch.allclose(own * theirs.attention_scaling, other[0], atol=1e-4)


@pytest.mark.parametrize("name", SCALINGS)
def test_a_key_turned_back_is_a_key_that_was_turned_less(name):
    """What eviction rests on: turning by p and back by n is turning by p - n, for every kind."""
    rope = Rope.read(SCALINGS[name], "config.json", 256, frozenset())
    cos, sin = rope.tables(256, 16, SCALINGS[name]["rope_theta"])
    key = torch.randn(5, 16, generator=torch.Generator().manual_seed(1))
    back = rotate(rotate(key, cos[200], sin[200]), cos[77], -sin[77])
    assert torch.allclose(back, rotate(key, cos[123], sin[123]), atol=1e-5)
    assert torch.allclose(back.norm(dim=-1), key.norm(dim=-1), atol=1e-5)


def test_the_plain_kind_is_nano_s_to_the_bit():
    for own, first in zip(Rope().tables(300, 64, 1e5), rope_tables(300, 64, 1e5), strict=True):
        assert torch.equal(own, first)
