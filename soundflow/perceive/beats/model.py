"""BEATs: 16 kHz audio -> log-mel patches of 160 ms by 16 bands -> tokens -> frames and, where there is a head, classes.

Chen et al. 2022 (arXiv 2212.09058), as published at https://github.com/microsoft/unilm/tree/master/beats; OpenBEATs
(Bharadwaj et al. 2025, arXiv 2507.14129) is of the same architecture. Numeric parity with a reference is tested.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from torch import Tensor, nn

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.beats.config import BeatsConfig
from soundflow.perceive.beats.fbank import HOP_SAMPLES, WINDOW_SAMPLES, log_mel
from soundflow.perceive.beats.transformer import PositionConv, Transformer
from soundflow.perceive.beats.weights import fill, read_checkpoint, write_safetensors


class Beats(nn.Module):
    """Weights and what they compute of a whole window; `stream.BeatsEncoder` makes an encoder of streams of it.

    A token is one patch, a *frame* the mean of the tokens of one time step (8 patches, low bands to high).
    """

    def __init__(self, config: BeatsConfig, labels: tuple[str, ...] = ()) -> None:
        """Weights are not set: use `load` or `random`. Without labels the classes are named by their numbers.

        Raises:
            ConfigError: there are labels, but not one for each class of the head.
        """
        super().__init__()
        c = self.config = config
        classes = c.predictor_class if c.finetuned_model else 0
        if labels and len(labels) != classes:
            raise ConfigError(f"BEATs: {classes} labels, one a class of the head, were expected, got {len(labels)}")
        self.labels = labels or tuple(str(i) for i in range(classes))
        size = c.input_patch_size
        self.patch_embedding = nn.Conv2d(1, c.embed_dim, size, size, bias=c.conv_bias)
        self.layer_norm = nn.LayerNorm(c.embed_dim)
        self.post_extract_proj = (
            nn.Linear(c.embed_dim, c.encoder_embed_dim) if c.embed_dim != c.encoder_embed_dim else None
        )
        self.encoder = Transformer(c)
        self.predictor = nn.Linear(c.encoder_embed_dim, classes) if classes else None

    @staticmethod
    def load(path: Path, base: BeatsConfig | None = None) -> Beats:
        """Read a checkpoint in float32, for inference.

        Args:
            path: a published `.pt` ({"cfg", "model"} and, of fine-tuned ones, "label_dict"), an OpenBEATs one of the
                same form or of ESPnet's (bare weights with their `config.yaml` beside them), or what `save` wrote.
            base: the architecture, where the file does not hold it (ESPnet's fine-tuned ones, bare safetensors).

        Raises:
            WeightsError: no such file, not readable without running code, or tensors that are missing, left over or of
                another shape; the message names them.
            ConfigError: the architecture is missing, or is one that is not computed here.
        """
        config, tensors, labels = read_checkpoint(path, base)
        with torch.device("meta"):
            model = Beats(config, labels)
        fill(model, tensors, path)
        return model.eval().requires_grad_(False)

    @staticmethod
    def outline(path: Path) -> Beats:
        """What `load` makes of a checkpoint, on the meta device: architecture and labels without weights. Errors as of
        `load`, but for tensors, which are not looked at."""
        config, _, labels = read_checkpoint(path, None)
        with torch.device("meta"):
            return Beats(config, labels)

    @staticmethod
    def random(config: BeatsConfig, seed: int, labels: tuple[str, ...] = ()) -> Beats:
        """Random weights, the same for the same seed, that let every part have its say. For inference."""
        with torch.device("meta"):
            model = Beats(config, labels).to_empty(device="cpu")
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(False)
            if parameter.dim() > 1:
                fan_in = 1 if "relative_attention_bias" in name or "grep_a" in name else parameter[0].numel()
                parameter.normal_(0.0, 1.0 / math.sqrt(fan_in), generator=generator)
            elif name.endswith("norm.weight"):
                parameter.fill_(1.0)
            else:
                parameter.normal_(0.0, 0.1, generator=generator)
        position = model.encoder.pos_conv[0]
        assert isinstance(position, PositionConv)
        position.weight_g.copy_(position.weight_v.norm(dim=(0, 1), keepdim=True))
        return model.eval()

    def save(self, path: Path) -> None:
        """Write weights, architecture and labels as one safetensors file, atomically."""
        names = {"beats": json.dumps(self.config.values()), "labels": json.dumps(self.labels)}
        write_safetensors(path, self.state_dict(), names)

    @property
    def device(self) -> torch.device:
        return self.layer_norm.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.layer_norm.weight.dtype

    @property
    def hop_samples(self) -> int:
        """Between frames."""
        return self.config.input_patch_size * HOP_SAMPLES

    @property
    def field_samples(self) -> int:
        """That one time step of patches is computed from."""
        return self.hop_samples - HOP_SAMPLES + WINDOW_SAMPLES

    def mel(self, samples: Tensor) -> Tensor:
        """Samples [B, N] in [-1, 1] -> normalised log-mel [B, M, 128] float32, M = (N - 400) // 160 + 1."""
        return (log_mel(samples) - self.config.fbank_mean) / (2 * self.config.fbank_std)

    def forward(self, mel: Tensor, valid: Tensor | None = None) -> Tensor:
        """The tokens of one window.

        Args:
            mel: [B, M, 128] normalised; a rest of less than a patch is dropped, as published.
            valid: [B, S] bool, the time steps that count (S = M // 16), None for all. A window with some that do not,
                at either end, gives what it gives without them.

        Returns:
            [B, S * 8, D] in the dtype of the weights, time by time, low bands first.
        """
        x = self.patch_embedding(mel.to(self.dtype)[:, None]).flatten(2).transpose(1, 2)
        x = self.layer_norm(x)
        if self.post_extract_proj is not None:
            x = self.post_extract_proj(x)
        out: Tensor = self.encoder(x, None if valid is None else valid.repeat_interleave(self.config.bands, dim=1))
        return out

    def frames(self, tokens: Tensor) -> Tensor:
        """Tokens [B, S * 8, D] -> frames [B, S, D]."""
        rows, count, width = tokens.shape
        return tokens.reshape(rows, count // self.config.bands, self.config.bands, width).mean(2)

    def logits(self, frames: Tensor) -> Tensor:
        """[..., D] -> [..., L]; the head is linear, so that the mean over tokens may be taken before it or behind it.

        Raises:
            ConfigError: the checkpoint was not fine-tuned to name sounds.
        """
        if self.predictor is None:
            raise ConfigError("BEATs: these weights have no head: a fine-tuned checkpoint was expected")
        out: Tensor = self.predictor(frames.to(self.dtype))
        return out

    def probabilities(self, logits: Tensor) -> Tensor:
        """[..., L] -> [..., L] float32 in [0, 1]."""
        return logits.float().sigmoid() if self.config.multi_label else logits.float().softmax(-1)

    def classify(self, samples: Tensor) -> Tensor:
        """Class probabilities [B, L] of clips [B, N], as published: of the mean of the logits over all tokens.

        Raises:
            AudioFormatError: shorter than one patch, or another shape.
        """
        if samples.dim() != 2 or samples.shape[1] < self.field_samples:
            raise AudioFormatError(
                f"beats: expected clips [B, N] of at least {self.field_samples} samples, got {list(samples.shape)}"
            )
        return self.probabilities(self.logits(self.frames(self(self.mel(samples)))).mean(1))
