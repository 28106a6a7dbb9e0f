"""Whisper's encoder (Radford et al. 2022) over a bounded window of the open stream.

Published, the features of 30 s are clamped at 80 dB below the loudest of those 30 s, also of those that are still to
come, and shorter audio is padded to 30 s. Here the loudest of the *window* is taken, so that the features of a window
are what `WhisperFeatureExtractor` gives for that audio alone; nothing is padded, and positions count from the window's
first frame. A window holds two mel frames a frame; as published, the last convolution finds zeros behind it.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import ConfigError
from soundflow.perceive.encoders.grid import OfModule, Windowed
from soundflow.perceive.mel import HALF_WINDOW, HOP_SAMPLES, MelPower, log_power, whisper_scale

FRAME_SAMPLES = 2 * HOP_SAMPLES
LEFT_MS = 4_000
SMALL = {
    "d_model": 32,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "num_mel_bins": 20,
    "max_source_positions": 300,
    "init_std": 0.15,
}
KEYS = ("model.encoder.", "encoder.")
FRONT_END = {"sampling_rate": 16_000, "hop_length": 160, "n_fft": 400}


def config_of(raw: dict[str, Any]) -> Any:
    """A `WhisperConfig`."""
    from transformers import WhisperConfig

    return WhisperConfig(**raw)


def module_of(config: Any) -> Any:
    """A `WhisperEncoder` with random weights."""
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    return WhisperEncoder(config)


class Whisper(OfModule):
    """A `WindowModel`: [R, 200 + n] audio -> [R, (n - 360) // 320 + 1, D]."""

    name = "whisper"
    hop_samples = FRAME_SAMPLES
    field_samples = HOP_SAMPLES + HALF_WINDOW
    before_samples = HALF_WINDOW

    def __init__(self, module: Any) -> None:
        self.module = module.eval()
        self.width: int = module.config.d_model
        self.max_frames: int | None = module.config.max_source_positions
        self._power = MelPower(module.config.num_mel_bins, 400, True, module.device)

    def features(self, audio: Tensor) -> Tensor:
        """[R, 200 + n] -> [R, M, 2 f] log-mel, f whole frames."""
        power = self._power(audio)
        return whisper_scale(log_power(power[:, : power.shape[1] // 2 * 2])).transpose(1, 2)

    def encode(self, audio: Tensor) -> Tensor:
        """See `WindowModel`."""
        m = self.module
        x = F.gelu(m.conv1(self.features(audio).to(self.dtype)))
        x = F.gelu(m.conv2(x)).transpose(1, 2)
        x = x + m.embed_positions.weight[: x.shape[1]]
        for layer in m.layers:
            x = layer(x, None)
        frames: Tensor = m.layer_norm(x)
        return frames


def wrap(module: Any, chunk_samples: int, left_ms: float | None, look_ahead_ms: float | None) -> Windowed:
    """Windowed, with 4 s of left context unless told otherwise: no more than the positions that it was trained on."""
    if look_ahead_ms:
        raise ConfigError(f"whisper: look_ahead_ms expected 0 (its windows end with the chunk), got {look_ahead_ms}")
    left = -(-round((LEFT_MS if left_ms is None else left_ms) * 16) // FRAME_SAMPLES)
    return Windowed(Whisper(module), chunk_samples, left)
