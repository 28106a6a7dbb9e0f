"""Mimi's encoder (Défossez et al. 2024), also inside Kyutai's speech-to-text: convolutions on 24 kHz audio and causal
attention over a sliding window, carried. 12.5 frames a second: the latents before quantisation.

Kyutai's speech-to-text itself is a language model over Mimi's codes and its own text, no encoder: of its folder the
codec is loaded.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

import torch
from torch import Tensor

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError
from soundflow.perceive.encoders.carried import attend, band, convolved, frequencies, kept
from soundflow.perceive.encoders.grid import OfModule, Streaming
from soundflow.perceive.encoders.raise_rate import REACH_SAMPLES, RaisedRate
from soundflow.perceive.rows import Slot

SMALL = {
    "hidden_size": 32,
    "num_filters": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "sliding_window": 8,
    "codebook_size": 16,
    "codebook_dim": 8,
    "vector_quantization_hidden_dimension": 8,
    "num_quantizers": 2,
    "upsample_groups": 32,
    "layer_scale_initial_scale": 0.5,
    "initializer_range": 0.15,
}
KEYS = ("", "codec_model.")
FRONT_END = {"sampling_rate": 24_000}
RENAMED = (("encoder_seanet.", "encoder."),)


def config_of(raw: dict[str, Any]) -> Any:
    """A `MimiEncoderConfig`, of Mimi's config or of the model's around it."""
    from transformers import MimiEncoderConfig

    return MimiEncoderConfig(**raw.get("codec_config", raw))


def module_of(config: Any) -> Any:
    """A `MimiEncoderModel` with random weights."""
    from transformers import MimiEncoderModel

    return MimiEncoderModel(config)


class Mimi(OfModule):
    """A `StreamModel` of one frame (80 ms) a unit."""

    name = "mimi"
    unit_frames = 1
    before_samples = REACH_SAMPLES
    lag_samples = REACH_SAMPLES
    late_frames = 0
    edge: Literal["zero", "mirror"] = "zero"

    def __init__(self, module: Any, window: int) -> None:
        config = module.config
        plain = config.use_causal_conv and config.pad_mode == "constant" and not config.use_conv_shortcut
        if not plain or module.downsample is None or config.audio_channels != 1:
            raise ConfigError(
                "mimi: config.json: expected use_causal_conv, pad_mode 'constant', no use_conv_shortcut, one channel "
                f"and a downsampling layer, got {config.use_causal_conv}, {config.pad_mode!r}, "
                f"{config.use_conv_shortcut}, {config.audio_channels} and frame_rate {config.frame_rate}"
            )
        self.module = module.eval()
        self.width: int = config.latent_dim
        self._raise = RaisedRate(config.sampling_rate, module.device)
        ratio = Fraction(SAMPLE_RATE_HZ, config.sampling_rate)
        frame = ratio * _stride(module.downsample) * _hop(module.encoder_seanet)
        if frame.denominator != 1 or frame.numerator % self._raise.down:
            raise ConfigError(f"mimi: config.json: a frame of {frame} samples at 16 kHz cannot be streamed")
        self.unit_samples = int(frame)
        self._convs = [module.encoder_seanet.get_submodule(name) for name in module.encoder_seanet._conv1d_layer_names]
        self._held = window - 1
        self._rope = frequencies(self.name, module.encoder_transformer.rotary_emb)
        heads = Slot((config.num_key_value_heads, self._held, config.head_dim), module.dtype)
        self.slots = {
            **{
                f"conv.{i}": Slot((conv.in_channels, _padding(conv)), module.dtype)
                for i, conv in enumerate(self._convs)
            },
            **{f"{part}.{i}": heads for i in range(config.num_hidden_layers) for part in "kv"},
            "down": Slot((self.width, _padding(module.downsample)), module.dtype),
        }
        behind, step = 0, 1
        for conv in self._convs:
            behind, step = behind + _padding(conv) * step, step * _stride(conv)
        behind += (config.num_hidden_layers * self._held + _padding(module.downsample)) * step
        self.left_samples = -(-behind * ratio.numerator // ratio.denominator) + REACH_SAMPLES

    def advance(self, audio: Tensor, first: Tensor, held: dict[str, Tensor]) -> Tensor:
        """See `StreamModel`. Ahead of the stream the convolutions find zeros, the last one the first frame again."""
        x = self._convolved(self._raise(audio)[:, None].to(self.dtype), held).transpose(1, 2)
        down = self.module.downsample
        mask = band(first * _stride(down), self._held, x.shape[1], self._held)
        for i, layer in enumerate(self.module.encoder_transformer.layers):
            y = layer.input_layernorm(x)
            x = x + layer.self_attn_layer_scale(attend(layer.self_attn, y, held, str(i), mask, y, self._rope))
            x = x + layer.mlp_layer_scale(layer.mlp(layer.post_attention_layernorm(x)))
        x = x.transpose(1, 2)
        held["down"] = torch.where((first == 0)[:, None, None], x[:, :, :1], held["down"])
        x, held["down"] = kept(held["down"], x, 2)
        return convolved(down.conv, x).transpose(1, 2)

    def _convolved(self, x: Tensor, held: dict[str, Tensor]) -> Tensor:
        """[R, 1, n] through the convolutions of transformers, which take what they carry from outside."""
        from transformers.models.mimi.modeling_mimi import MimiConv1dPaddingCache

        count = len(self._convs)
        cache = MimiConv1dPaddingCache(
            num_layers=count,
            per_layer_padding=[_padding(conv) for conv in self._convs],
            per_layer_padding_mode=["constant"] * count,
            per_layer_in_channels=[conv.in_channels for conv in self._convs],
        )
        cache.padding_cache = [held[f"conv.{i}"] for i in range(count)]
        out: Tensor = self.module.encoder_seanet(x, padding_cache=cache)
        held |= {f"conv.{i}": tail for i, tail in enumerate(cache.padding_cache)}
        return out


def _stride(conv: Any) -> int:
    """Of a `MimiConv1d`; its buffers say the same, but on the device."""
    stride: int = conv.conv.stride[0]
    return stride


def _padding(conv: Any) -> int:
    padding: int = (conv.conv.kernel_size[0] - 1) * conv.conv.dilation[0] + 1 - _stride(conv)
    return padding


def _hop(seanet: Any) -> int:
    hop = 1
    for name in seanet._conv1d_layer_names:
        hop *= _stride(seanet.get_submodule(name))
    return hop


def wrap(module: Any, chunk_samples: int, left_ms: float | None, look_ahead_ms: float | None) -> Streaming:
    """Streaming. `left_ms` shortens the attention's window; its own is the default and the most."""
    if look_ahead_ms:
        raise ConfigError(f"mimi: look_ahead_ms expected 0 (it is causal), got {look_ahead_ms}")
    window = module.config.sliding_window
    if left_ms is not None:
        frame_ms = 1_000 * _hop(module.encoder_seanet) / module.config.sampling_rate
        window = min(window, 1 + int(left_ms / frame_ms))
    return Streaming(Mimi(module, window), chunk_samples)
