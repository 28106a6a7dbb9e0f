"""The encoder of NVIDIA's cache-aware streaming FastConformer (Noroozi et al. 2023), as Nemotron ASR Streaming has it
(and Nemotron 3.5 ASR before its language prompt): causal convolutions and attention in chunks, carried. 12.5 frames a
second of an unnormalised log-mel.

A frame sees all of its chunk of 1 + look-ahead frames and some chunks before it: a chunk's frames come together.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import ConfigError
from soundflow.perceive.encoders.carried import kept
from soundflow.perceive.encoders.grid import OfModule, Streaming
from soundflow.perceive.mel import HALF_WINDOW, HOP_SAMPLES, MelPower
from soundflow.perceive.rows import Slot

PREEMPHASIS = 0.97
_FFT_SAMPLES = 512
_LEAST_POWER = 2.0**-24
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "conv_kernel_size": 5,
    "subsampling_conv_channels": 16,
    "num_mel_bins": 20,
    "sliding_window": 7,
    "default_num_lookahead_tokens": 1,
    "initializer_range": 0.15,
}
KEYS = ("encoder.", "model.encoder.", "")
FRONT_END = {"sampling_rate": 16_000, "hop_length": 160, "n_fft": 512, "win_length": 400, "preemphasis": PREEMPHASIS}


def config_of(raw: dict[str, Any]) -> Any:
    """A `NemotronAsrStreamingEncoderConfig`, of the whole model's config or the encoder's own."""
    from transformers import NemotronAsrStreamingEncoderConfig

    return NemotronAsrStreamingEncoderConfig(**raw.get("encoder_config", raw))


def module_of(config: Any) -> Any:
    """A `NemotronAsrStreamingEncoder` with random weights."""
    from transformers import NemotronAsrStreamingEncoder

    return NemotronAsrStreamingEncoder(config)


class _Keys:
    """What transformers' attention hands its new keys and values to: gives them with those that are held."""

    def __init__(self, held: dict[str, Tensor]) -> None:
        self._held = held

    def update(self, keys: Tensor, values: Tensor, layer: int) -> tuple[Tensor, Tensor]:
        keys, self._held[f"k.{layer}"] = kept(self._held[f"k.{layer}"], keys, 2)
        values, self._held[f"v.{layer}"] = kept(self._held[f"v.{layer}"], values, 2)
        return keys, values


class _Tails:
    """What transformers' causal convolutions ask for their left context."""

    def __init__(self, held: dict[str, Tensor]) -> None:
        self._held = held

    def update(self, x: Tensor, name: str, conv: Any) -> Tensor:
        x, self._held[name] = kept(self._held[name], x, 2)
        return x


class Nemotron(OfModule):
    """A `StreamModel` whose unit is one chunk of the attention."""

    name = "nemotron_asr_streaming"
    late_frames = 0
    edge: Literal["zero", "mirror"] = "zero"

    def __init__(self, module: Any, look_ahead_frames: int, left_frames: int) -> None:
        self.module = module.eval()
        config = module.config
        kernel, stride = config.subsampling_conv_kernel_size, config.subsampling_conv_stride
        if (kernel, stride) != (3, 2):
            raise ConfigError(
                f"{self.name}: config.json: subsampling expected kernel 3 and stride 2, got {kernel}, {stride}"
            )
        self.width: int = config.hidden_size
        self.unit_frames = look_ahead_frames + 1
        self._held = left_frames // self.unit_frames * self.unit_frames
        if self._held + self.unit_frames > config.max_position_embeddings:
            raise ConfigError(
                f"{self.name}: left context and look-ahead expected at most {config.max_position_embeddings} frames, "
                f"got {self._held} + {self.unit_frames}"
            )
        self._factor = config.subsampling_factor
        hop = self._factor * HOP_SAMPLES
        self.unit_samples = self.unit_frames * hop
        self.lag_samples = HALF_WINDOW - hop
        self.before_samples = hop - HOP_SAMPLES + HALF_WINDOW + 1
        conv, dtype = module.layers[0].conv.depthwise_conv, module.dtype
        heads = Slot((config.num_key_value_heads, self._held, config.hidden_size // config.num_attention_heads), dtype)
        self.slots = {"mel": Slot((1, 1, config.num_mel_bins), dtype)}
        bins = config.num_mel_bins
        for i in range(1, len(module.subsampling.layers) + 1):
            bins = bins // stride + 1
            self.slots[f"sub.{i}"] = Slot((config.subsampling_conv_channels, 1, bins), dtype)
        for i, layer in enumerate(module.layers):
            tail = Slot((self.width, conv.left_pad), dtype)
            self.slots |= {f"k.{i}": heads, f"v.{i}": heads, layer.conv.depthwise_conv.cache_key: tail}
        mels = 2 * (self._factor - 1)
        back = conv.left_pad + self._held + self.unit_frames - 1
        self.left_samples = mels * HOP_SAMPLES + HALF_WINDOW + 1 + len(module.layers) * back * hop
        self._power = MelPower(config.num_mel_bins, _FFT_SAMPLES, False, module.device)

    def advance(self, audio: Tensor, first: Tensor, held: dict[str, Tensor]) -> Tensor:
        """See `StreamModel`. Chunk by chunk, as a chunk sees itself whole."""
        first = first * self.unit_frames
        x = self._subsampled(audio, first, held) * self.module.input_scale
        parts = []
        for part in x.split(self.unit_frames, dim=1):
            parts.append(self._chunk(part, first, held))
            first = first + self.unit_frames
        return torch.cat(parts, dim=1)

    def _subsampled(self, audio: Tensor, first: Tensor, held: dict[str, Tensor]) -> Tensor:
        """[R, n] audio -> [R, f, D]; whatever lies ahead of the stream is zeros in each layer."""
        audio = audio[:, 1:] - PREEMPHASIS * audio[:, :-1]
        x = (self._power(audio) + _LEAST_POWER).log().to(self.dtype)[:, None]
        sub, scale = self.module.subsampling, self._factor
        x = _since_beginning(x, scale * first - scale + 1)
        for i, layer in enumerate([sub.conv_in, *sub.layers]):
            conv = layer if i == 0 else layer.depthwise_conv
            name = f"sub.{i}" if i else "mel"
            x, held[name] = kept(held[name], x, 2)
            x = F.conv2d(F.pad(x, conv.freq_pad), conv.weight, conv.bias, conv.stride, groups=conv.groups)
            x = sub.act_fn(x if i == 0 else layer.pointwise_conv(x))
            scale //= 2
            x = _since_beginning(x, scale * first - scale + 1)
        frames: Tensor = sub.linear(x.transpose(1, 2).flatten(2))
        return frames

    def _chunk(self, x: Tensor, first: Tensor, held: dict[str, Tensor]) -> Tensor:
        keys = torch.arange(-self._held, x.shape[1], device=x.device)
        there = first[:, None] + keys >= 0
        mask = there[:, None, None].expand(-1, 1, x.shape[1], -1)
        distances = self.module.encode_positions(x, cached_frames=self._held)
        for layer in self.module.layers:
            x = layer(
                x,
                attention_mask=mask,
                position_embeddings=distances,
                past_key_values=_Keys(held),
                padding_cache=_Tails(held),
            )
        return x


def _since_beginning(x: Tensor, first: Tensor) -> Tensor:
    """[R, C, n, M] with zeros where the index, `first` [R] of the first, is below 0."""
    began = first[:, None] + torch.arange(x.shape[2], device=x.device) >= 0
    return x * began[:, None, :, None]


def wrap(module: Any, chunk_samples: int, left_ms: float | None, look_ahead_ms: float | None) -> Streaming:
    """Streaming. `look_ahead_ms` (of the checkpoint's config unless told otherwise) sets the chunk of the attention:
    take one that the checkpoint was trained with. `left_ms` shortens its left context; its own is the most."""
    config = module.config
    frame_ms = config.subsampling_factor * 10
    ahead, left = config.default_num_lookahead_tokens, config.sliding_window - 1
    if look_ahead_ms is not None:
        if look_ahead_ms < 0 or look_ahead_ms % frame_ms:
            raise ConfigError(
                f"nemotron_asr_streaming: look_ahead_ms expected a multiple of {frame_ms}, got {look_ahead_ms}"
            )
        ahead = round(look_ahead_ms / frame_ms)
    if left_ms is not None:
        left = min(left, int(left_ms / frame_ms))
    return Streaming(Nemotron(module, ahead, left), chunk_samples)
