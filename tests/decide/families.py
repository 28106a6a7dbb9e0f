"""Small random models of transformers' own classes, one or more for each family that we load."""

from __future__ import annotations

from typing import Any

import torch

SMALL = dict(
    vocab_size=97, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
    intermediate_size=48, max_position_embeddings=256, rms_norm_eps=1e-5, pad_token_id=0, bos_token_id=1,
    eos_token_id=2,
)  # fmt: skip
LLAMA3 = dict(
    rope_type="llama3", rope_theta=5e5, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
    original_max_position_embeddings=32,
)  # fmt: skip
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {"head_dim": 8, "tie_word_embeddings": False}),
    "llama-biased": ("Llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    "llama3": ("Llama", {"rope_parameters": LLAMA3, "num_key_value_heads": 1}),
    "linear": ("Llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}}),
    "dynamic": ("Llama", {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0}}),
    "qwen2": ("Qwen2", {"rope_theta": 1e6}),
    "yarn": (
        "Qwen2",
        {"rope_parameters": dict(rope_type="yarn", rope_theta=1e4, factor=8.0, original_max_position_embeddings=32)},
    ),
    "qwen3": ("Qwen3", {"head_dim": 16, "tie_word_embeddings": True, "rope_theta": 1e6}),
    "smollm3": ("SmolLM3", {"no_rope_layers": [1, 0, 1]}),
    "mistral": ("Mistral", {"sliding_window": 100, "head_dim": 12}),
    "gemma": ("Gemma", {"head_dim": 16}),
}


def make(name: str, **changes: Any) -> Any:
    """A model in eval mode. Its attention is sharp and its norms are uneven, so that any slip shows in the logits."""
    import transformers

    kind, options = FAMILIES[name]
    config = getattr(transformers, f"{kind}Config")(**{**SMALL, **options, **changes})
    return lively(getattr(transformers, f"{kind}ForCausalLM")(config))


def lively(model: Any, seed: int = 1) -> Any:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                spread = 2.0 if ("q_proj" in name or "k_proj" in name) else 1.0
                parameter.copy_(spread * noise * parameter.shape[-1] ** -0.5)
            else:
                parameter.copy_(parameter + 0.3 * noise)
    return model.eval()


def save(model: Any, folder: Any, **options: Any) -> Any:
    """`save_pretrained` without its progress bar -> the folder."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    model.save_pretrained(folder, **options)
    return folder
