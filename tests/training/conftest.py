"""A tiny random Llama under the real tokenizer, and the labels of the sound encoder."""

from __future__ import annotations

import shutil

import pytest
import torch

from soundflow.perceive.sound import labels


@pytest.fixture(scope="session")
def folder(nano_parts, tmp_path_factory):
    from transformers import LlamaConfig, LlamaForCausalLM

    out = tmp_path_factory.mktemp("lm")
    shutil.copy(nano_parts / "lm" / "tokenizer.json", out)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49_152, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        head_dim=12, intermediate_size=32, max_position_embeddings=2048, tie_word_embeddings=True,
        initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(out)
    return out


@pytest.fixture(scope="session")
def names(nano_parts):
    return labels(nano_parts / "sound" / "yamnet.tflite")
