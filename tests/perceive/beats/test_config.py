"""What a checkpoint's `cfg` may hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from soundflow.errors import ConfigError
from soundflow.perceive.beats import BeatsConfig

PUBLISHED = {
    "encoder_layers": 12, "encoder_embed_dim": 768, "encoder_ffn_embed_dim": 3072, "encoder_attention_heads": 12,
    "activation_fn": "gelu", "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0,
    "encoder_layerdrop": 0.05, "dropout_input": 0.0, "layer_norm_first": False, "conv_bias": False, "conv_pos": 128,
    "conv_pos_groups": 16, "relative_position_embedding": True, "num_buckets": 320, "max_distance": 800,
    "gru_rel_pos": True, "deep_norm": True, "input_patch_size": 16, "layer_wise_gradient_decay_ratio": 0.6,
    "embed_dim": 512, "finetuned_model": True, "predictor_dropout": 0.0, "predictor_class": 527,
}  # fmt: skip


def test_the_cfg_of_the_published_fine_tuned_checkpoint_is_the_base():
    assert BeatsConfig.read(PUBLISHED, "m.pt") == BeatsConfig.base(527)
    assert BeatsConfig.base().finetuned_model is False


def test_values_are_read_again():
    config = replace(BeatsConfig.tiny(3), multi_label=False, fbank_mean=1.5)
    assert BeatsConfig.read(config.values(), "x") == config


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quant_n": 1024}, "quant_n"),
        ({"activation_fn": "glu"}, "activation_fn"),
        ({"encoder_layers": 0}, "encoder_layers: int of at least 1"),
        ({"encoder_layers": True}, "encoder_layers"),
        ({"encoder_layers": "12"}, "encoder_layers"),
        ({"deep_norm": "yes"}, "deep_norm"),
        ({"fbank_std": float("nan")}, "fbank_std"),
        ({"fbank_std": 0.0}, "fbank_std"),
        ({"encoder_attention_heads": 7}, "divisor of encoder_embed_dim 768"),
        ({"conv_pos_groups": 5}, "divisor of encoder_embed_dim 768"),
        ({"input_patch_size": 12}, "divisor of 128"),
        ({"layer_norm_first": True}, "deep_norm"),
        ({"num_buckets": 30}, "num_buckets"),
        ({"max_distance": 80}, "max_distance"),
        ({"num_mel_bins": 64}, "num_mel_bins 128 was expected, got 64"),
        ({"sample_frequency": 32_000}, "sample_frequency"),
    ],
)
def test_a_key_that_changes_the_computation_is_refused_by_file_and_name(change, said):
    with pytest.raises(ConfigError, match=r"m\.pt.*" + said):
        BeatsConfig.read({**PUBLISHED, **change}, "m.pt")


def test_a_cfg_that_is_no_mapping_is_refused():
    with pytest.raises(ConfigError, match=r"m\.pt.*mapping.*list"):
        BeatsConfig.read([], "m.pt")


def test_front_end_keys_with_the_only_value_there_is_are_read():
    cfg = {**PUBLISHED, "num_mel_bins": 128, "frame_shift": 10.0}
    assert BeatsConfig.read(cfg, "m.pt") == BeatsConfig.base(527)
