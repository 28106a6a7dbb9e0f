"""The audio tower of Qwen2.5-Omni (Xu et al. 2025, arXiv 2503.20215): Whisper's encoder, one token for 40 ms.

Two convolutions halve 100 mel frames a second, a bidirectional transformer reads a block of at most 2 s, pairs are
averaged, and a linear layer gives the width of the language model. Numeric parity with
`transformers.Qwen2_5OmniAudioEncoder` is tested; parameters have the checkpoint's names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from soundflow.errors import WeightsError

FRAMES_A_TOKEN: Final = 4
_NAMES: Final = {
    "mels": "num_mel_bins", "width": "d_model", "layers": "encoder_layers", "heads": "encoder_attention_heads",
    "hidden": "encoder_ffn_dim", "half_block": "n_window", "positions": "max_source_positions", "out": "output_dim",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """`half_block`: half of the mel frames that the tower was trained to see at once. `out`: width of a token."""

    mels: int
    width: int
    layers: int
    heads: int
    hidden: int
    half_block: int
    positions: int
    out: int

    @staticmethod
    def of_hub(raw: Mapping[str, Any], where: str) -> TowerConfig:
        """From the `audio_config` of a Hugging Face config.json. WeightsError names the key."""
        if raw.get("activation_function", "gelu") != "gelu":
            raise WeightsError(f"{where}: activation_function 'gelu' was expected, got {raw['activation_function']!r}")
        return TowerConfig.read({own: raw.get(theirs) for own, theirs in _NAMES.items()}, where, _NAMES)

    @staticmethod
    def read(raw: Mapping[str, Any], where: str, names: Mapping[str, str] | None = None) -> TowerConfig:
        """From our own keys; `names`: how messages call them. WeightsError where one is missing, unknown or wrong."""
        known = [f.name for f in fields(TowerConfig)]
        if unknown := sorted(set(raw) - set(known)):
            raise WeightsError(f"{where}: unknown key {unknown[0]!r}")
        for name in known:
            value = raw.get(name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                key = names[name] if names else name
                raise WeightsError(f"{where}: {key} was expected to be a whole number above 0, got {value!r}")
        made = TowerConfig(**raw)
        if made.width % made.heads or made.width % 2 or made.positions < made.half_block:
            raise WeightsError(
                f"{where}: a width that {made.heads} heads divide and {made.half_block} positions were expected, got"
                f" width {made.width} and {made.positions} positions"
            )
        return made

    def to_json(self) -> dict[str, int]:
        return asdict(self)


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        b, t, d = x.shape
        q, k, v = (p(x).view(b, t, self.heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        out: Tensor = self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, d))
        return out


class _Layer(nn.Module):
    def __init__(self, c: TowerConfig) -> None:
        super().__init__()
        self.self_attn_layer_norm = nn.LayerNorm(c.width)
        self.self_attn = _Attention(c.width, c.heads)
        self.final_layer_norm = nn.LayerNorm(c.width)
        self.fc1 = nn.Linear(c.width, c.hidden)
        self.fc2 = nn.Linear(c.hidden, c.width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        out: Tensor = x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))
        return out


class Tower(nn.Module):
    """Weights only; every block that it is given is read by itself."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        c = self.config = config
        self.conv1 = nn.Conv1d(c.mels, c.width, 3, padding=1)
        self.conv2 = nn.Conv1d(c.width, c.width, 3, stride=2, padding=1)
        self.layers = nn.ModuleList(_Layer(c) for _ in range(c.layers))
        self.ln_post = nn.LayerNorm(c.width)
        self.proj = nn.Linear(c.width, c.out)
        self.register_buffer("places", sinusoids(c.half_block, c.width), persistent=False)
        self.places: Tensor

    @torch.inference_mode()
    def forward(self, mel: Tensor) -> Tensor:
        """Read one block of every row.

        Args:
            mel: [B, T, mels] normalised log-mel, T a multiple of 4 and at most 2 * half_block.

        Returns:
            [B, T // 4, out] in the weights' dtype.
        """
        t = mel.shape[1]
        if t % FRAMES_A_TOKEN or not 0 < t <= 2 * self.config.half_block:
            raise ValueError(f"a multiple of 4 up to {2 * self.config.half_block} mel frames was expected, got {t}")
        x = F.gelu(self.conv1(mel.to(self.proj.weight).transpose(1, 2)))
        x = F.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.places[: x.shape[1]].to(x.dtype)
        for layer in self.layers:
            x = layer(x)
        x = (x[:, 0::2] + x[:, 1::2]) / 2
        out: Tensor = self.proj(self.ln_post(x))
        return out

    @staticmethod
    def load(path: Path, config: TowerConfig, dtype: torch.dtype) -> Tower:
        """Read a safetensors file with exactly the tower's tensors.

        Raises:
            WeightsError: not such a file, or a tensor is missing, unknown or of another shape.
        """
        with torch.device("meta"):
            tower = Tower(config)
        wanted = {name: tuple(p.shape) for name, p in tower.named_parameters()}
        try:
            with safe_open(path, framework="pt") as file:
                names = set(file.keys())
                for what, odd in (("missing", wanted.keys() - names), ("unknown", names - wanted.keys())):
                    if odd:
                        raise WeightsError(f"{path}: tensor {min(odd)!r} is {what} ({len(odd)} such)")
                state = {}
                for name, shape in wanted.items():
                    found = file.get_tensor(name)
                    if tuple(found.shape) != shape:
                        raise WeightsError(f"{path}: {name} {list(shape)} was expected, got {list(found.shape)}")
                    state[name] = found.to(dtype)
        except (OSError, SafetensorError) as error:
            raise WeightsError(f"{path}: a safetensors file was expected ({error})") from error
        tower.load_state_dict(state, assign=True)
        tower.places = sinusoids(config.half_block, config.width)
        return tower.eval().requires_grad_(False)


def sinusoids(positions: int, width: int) -> Tensor:
    """[positions, width] float32: sines, then cosines, of wavelengths from 2 pi to 20,000 pi (as in Whisper)."""
    step = math.log(10_000) / (width // 2 - 1)
    angles = torch.arange(positions)[:, None] * torch.exp(-step * torch.arange(width // 2).float())
    return torch.cat([angles.sin(), angles.cos()], dim=1)
