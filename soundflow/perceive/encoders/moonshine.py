"""Moonshine's encoder (Jeffries et al. 2024) over a bounded window of the open stream, as `perceive.speech` runs the
ONNX one: raw audio, 41.7 frames a second."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from soundflow.errors import ConfigError
from soundflow.perceive.encoders.grid import OfModule, Windowed
from soundflow.perceive.moonshine import FIELD_SAMPLES, HOP_SAMPLES

LEFT_FRAMES = 50
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "encoder_num_hidden_layers": 2,
    "encoder_num_attention_heads": 4,
    "initializer_range": 0.15,
}
KEYS = ("model.encoder.", "encoder.")
FRONT_END = {"sampling_rate": 16_000, "do_normalize": False}  # raw audio, as published


def config_of(raw: dict[str, Any]) -> Any:
    """A `MoonshineConfig`."""
    from transformers import MoonshineConfig

    return MoonshineConfig(**raw)


def module_of(config: Any) -> Any:
    """A `MoonshineEncoder` with random weights."""
    from transformers.models.moonshine.modeling_moonshine import MoonshineEncoder

    return MoonshineEncoder(config)


class Moonshine(OfModule):
    """A `WindowModel`: [R, n] audio -> [R, (n - 895) // 384 + 1, D]."""

    name = "moonshine"
    hop_samples = HOP_SAMPLES
    field_samples = FIELD_SAMPLES
    before_samples = 0
    max_frames: int | None = None

    def __init__(self, module: Any) -> None:
        self.module = module.eval()
        self.width: int = module.config.hidden_size

    def encode(self, audio: Tensor) -> Tensor:
        """See `WindowModel`."""
        frames: Tensor = self.module(audio.to(self.dtype)).last_hidden_state
        return frames


def wrap(module: Any, chunk_samples: int, left_ms: float | None, look_ahead_ms: float | None) -> Windowed:
    """Windowed, with 50 frames (1.2 s) of left context unless told otherwise."""
    if look_ahead_ms:
        raise ConfigError(f"moonshine: look_ahead_ms expected 0 (its windows end with the chunk), got {look_ahead_ms}")
    left = LEFT_FRAMES if left_ms is None else -(-round(left_ms * 16) // HOP_SAMPLES)
    return Windowed(Moonshine(module), chunk_samples, left)
