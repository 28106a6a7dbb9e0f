"""Moonshine-Streaming's encoder (as transformers has it): causal convolutions on raw audio and attention over sliding
windows, some with a little look-ahead, all carried. 50 frames a second, no positions."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import ConfigError
from soundflow.perceive.encoders.carried import attend, band, convolved, kept
from soundflow.perceive.encoders.grid import OfModule, Streaming
from soundflow.perceive.rows import Slot

_STRIDE = 4
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "sliding_windows": [[6, 3], [6, 0], [5, 2]],
    "initializer_range": 0.15,
}
KEYS = ("model.encoder.", "encoder.", "")
FRONT_END = {"sampling_rate": 16_000, "do_normalize": False}  # raw audio, as published


def config_of(raw: dict[str, Any]) -> Any:
    """A `MoonshineStreamingEncoderConfig`, of the whole model's config or the encoder's own."""
    from transformers.models.moonshine_streaming import MoonshineStreamingEncoderConfig

    return MoonshineStreamingEncoderConfig(**raw.get("encoder_config", raw))


def module_of(config: Any) -> Any:
    """A `MoonshineStreamingEncoder` with random weights."""
    from transformers.models.moonshine_streaming.modeling_moonshine_streaming import MoonshineStreamingEncoder

    return MoonshineStreamingEncoder(config)


class MoonshineStreaming(OfModule):
    """A `StreamModel` of one frame a unit.

    A layer of window (l, r) sees l - 1 frames before and r - 1 after each, so that its frames come r - 1 frames late:
    the residual stream of those that wait is carried, too. What a layer computes of before the stream is zeros to the
    convolutions, unseen by attention, and never comes out.
    """

    name = "moonshine_streaming"
    unit_frames = 1
    edge: Literal["zero", "mirror"] = "zero"

    def __init__(self, module: Any, windows: list[tuple[int, int]]) -> None:
        self.module = module.eval()
        config, embedder = module.config, module.embedder
        if len(windows) != len(module.layers):
            raise ConfigError(
                f"{self.name}: config.json: sliding_windows expected one for each of {len(module.layers)} layers, "
                f"got {len(windows)}"
            )
        self.width: int = config.hidden_size
        self.unit_samples = _STRIDE * embedder.frame_len
        self.lag_samples = embedder.frame_len - self.unit_samples
        self.before_samples = -self.lag_samples
        self._sides = [(left - 1, max(0, right - 1)) for left, right in windows]
        self.late_frames = sum(right for _, right in self._sides)
        self.slots: dict[str, Slot] = {
            "audio5": Slot((config.hidden_size, embedder.conv1.left_pad - 1), module.dtype),
            "conv": Slot((embedder.conv2.in_channels, embedder.conv2.left_pad - 1), module.dtype),
        }
        for i, (left, right) in enumerate(self._sides):
            heads = Slot((config.num_key_value_heads, left + right, config.head_dim), module.dtype)
            self.slots |= {f"k.{i}": heads, f"v.{i}": heads, f"x.{i}": Slot((right, self.width), module.dtype)}
        convolutions = embedder.conv1.left_pad + 2 * embedder.conv2.left_pad
        attention = sum(left for left, _ in self._sides)
        self.left_samples = convolutions * embedder.frame_len + attention * self.unit_samples

    def advance(self, audio: Tensor, first: Tensor, held: dict[str, Tensor]) -> Tensor:
        """See `StreamModel`."""
        m, embedder = self.module, self.module.embedder
        x = embedder.comp(embedder.cmvn(audio.to(self.dtype).reshape(len(audio), -1, embedder.frame_len)))
        x = F.silu(embedder.linear(x)).transpose(1, 2)
        x, held["audio5"] = kept(held["audio5"], x, 2)
        x = F.silu(convolved(embedder.conv1, x))
        began = 2 * first[:, None] - 1 + torch.arange(x.shape[2], device=x.device) >= 0
        x, held["conv"] = kept(held["conv"], x * began[:, None], 2)
        x = convolved(embedder.conv2, x).transpose(1, 2)
        for i, (layer, (left, right)) in enumerate(zip(m.layers, self._sides, strict=True)):
            new = x.shape[1]
            waiting, held[f"x.{i}"] = kept(held[f"x.{i}"], x, 1)
            mask = band(first, left + right, new, left, right)
            norm = layer.input_layernorm
            y = waiting[:, :new]
            y = y + attend(layer.self_attn, norm(x), held, str(i), mask, norm(y))
            x = y + layer.mlp(layer.post_attention_layernorm(y))
            first = first - right
        frames: Tensor = m.final_norm(x)
        return frames


def wrap(module: Any, chunk_samples: int, left_ms: float | None, look_ahead_ms: float | None) -> Streaming:
    """Streaming. `left_ms` shortens each layer's window; its own is the default and the most. The look-ahead is what
    the layers were trained with."""
    windows = [(int(left), int(right)) for left, right in module.config.sliding_windows]
    if left_ms is not None:
        most = 1 + round(left_ms * 16) // (_STRIDE * module.embedder.frame_len)
        windows = [(min(left, most), right) for left, right in windows]
    model = MoonshineStreaming(module, windows)
    has_ms = model.late_frames * model.unit_samples / 16
    if look_ahead_ms not in (None, has_ms):
        raise ConfigError(f"moonshine_streaming: look_ahead_ms expected {has_ms:g}, got {look_ahead_ms}")
    return Streaming(model, chunk_samples)
