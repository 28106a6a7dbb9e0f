"""The audio encoder of Voxtral Realtime (Mistral AI 2026, as transformers has it): causal convolutions and causal
attention over a sliding window, carried. 50 frames a second, of a log-mel with a fixed ceiling, which is causal as
published."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import ConfigError
from soundflow.perceive.encoders.carried import attend, band, convolved, frequencies, kept
from soundflow.perceive.encoders.grid import OfModule, Streaming
from soundflow.perceive.mel import HALF_WINDOW, HOP_SAMPLES, MelPower, log_power, whisper_scale
from soundflow.perceive.rows import Slot

LOUDEST = 1.5
FRAME_SAMPLES = 2 * HOP_SAMPLES
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "head_dim": 8,
    "num_mel_bins": 20,
    "sliding_window": 12,
    "initializer_range": 0.15,
}
KEYS = ("audio_tower.", "model.audio_tower.", "")
FRONT_END = {"sampling_rate": 16_000, "hop_length": 160, "n_fft": 400, "win_length": 400, "global_log_mel_max": LOUDEST}


def config_of(raw: dict[str, Any]) -> Any:
    """A `VoxtralRealtimeEncoderConfig`, of the whole model's config or the encoder's own."""
    from transformers import VoxtralRealtimeEncoderConfig

    return VoxtralRealtimeEncoderConfig(**raw.get("audio_config", raw))


def module_of(config: Any) -> Any:
    """A `VoxtralRealtimeEncoder` with random weights."""
    from transformers import VoxtralRealtimeEncoder

    return VoxtralRealtimeEncoder(config)


class VoxtralRealtime(OfModule):
    """A `StreamModel` of one frame (20 ms) a unit."""

    name = "voxtral_realtime"
    unit_samples = FRAME_SAMPLES
    unit_frames = 1
    before_samples = HALF_WINDOW
    lag_samples = HALF_WINDOW - HOP_SAMPLES
    late_frames = 0
    edge: Literal["zero", "mirror"] = "mirror"

    def __init__(self, module: Any, window: int) -> None:
        self.module = module.eval()
        config = module.config
        self.width: int = config.hidden_size
        self._held = window - 1
        heads = Slot((config.num_key_value_heads, self._held, config.head_dim), module.dtype)
        self.slots = {
            "mel": Slot((config.num_mel_bins, module.embedder.conv1.left_pad), module.dtype),
            "conv": Slot((config.hidden_size, module.embedder.conv2.left_pad), module.dtype),
            **{f"{part}.{i}": heads for i in range(config.num_hidden_layers) for part in "kv"},
        }
        self.left_samples = 3 * HOP_SAMPLES + HALF_WINDOW + config.num_hidden_layers * self._held * FRAME_SAMPLES
        self._rope = frequencies(self.name, module.rotary_emb)
        self._power = MelPower(config.num_mel_bins, 400, True, module.device)

    def advance(self, audio: Tensor, first: Tensor, held: dict[str, Tensor]) -> Tensor:
        """See `StreamModel`."""
        m = self.module
        mel = whisper_scale(log_power(self._power(audio)), LOUDEST).transpose(1, 2).to(self.dtype)
        x, held["mel"] = kept(held["mel"], mel, 2)
        x, held["conv"] = kept(held["conv"], F.gelu(convolved(m.embedder.conv1, x)), 2)
        x = F.gelu(convolved(m.embedder.conv2, x)).transpose(1, 2)
        mask = band(first, self._held, x.shape[1], self._held)
        for i, layer in enumerate(m.layers):
            y = layer.self_attn_layer_norm(x)
            x = x + attend(layer.self_attn, y, held, str(i), mask, y, self._rope)
            x = x + layer.mlp(layer.final_layer_norm(x))
        frames: Tensor = m.norm(x)
        return frames


def wrap(module: Any, chunk_samples: int, left_ms: float | None, look_ahead_ms: float | None) -> Streaming:
    """Streaming. `left_ms` shortens the attention's window; its own is the default and the most."""
    if look_ahead_ms:
        raise ConfigError(f"voxtral_realtime: look_ahead_ms expected 0 (it is causal), got {look_ahead_ms}")
    window = module.config.sliding_window
    if left_ms is not None:
        window = min(window, 1 + round(left_ms * 16) // FRAME_SAMPLES)
    return Streaming(VoxtralRealtime(module, window), chunk_samples)
