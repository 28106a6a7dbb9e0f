"""The omni tier: the tower and thinker of Qwen2.5-Omni in the layout of *Audio Interaction Model*."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from soundflow.clock import chunk_samples
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.policy import Calibration
from soundflow.errors import ConfigError, WeightsError
from soundflow.loop import Model
from soundflow.perceive.omni.encoder import OmniEncoder
from soundflow.perceive.omni.perceiver import OmniPerceiver
from soundflow.perceive.omni.tower import Tower
from soundflow.perceive.perceiver import Perceiver
from soundflow.tiers.omni.context import OmniContext
from soundflow.tiers.omni.lalm import OmniLalm
from soundflow.tiers.omni.settings import LM, TOKENIZER, TOWER, Settings


@dataclass(frozen=True)
class Omni:
    """The parts, weights only; any number of streams share them."""

    settings: Settings
    encoder: OmniEncoder
    lalm: OmniLalm
    context: OmniContext
    calibration: Calibration

    def model(self, beside: Perceiver | None = None) -> Model:
        """For `soundflow.loop.Stream`. `beside`: gives tags, sounds, words and voice activity; a stream without it has
        none. ConfigError where it has not as many tags as `load` was told.
        """
        perceiver = OmniPerceiver(self.encoder, beside)
        if len(perceiver.labels) != self.lalm.projector.sizes[0]:
            raise ConfigError(f"{self.lalm.projector.sizes[0]} tags were expected, got {len(perceiver.labels)}")
        size = self.encoder.chunk_samples
        return Model("omni", size, perceiver, self.lalm, self.context, self.calibration)  # type: ignore[arg-type]


def load(
    folder: Path,
    dtype: torch.dtype = torch.bfloat16,
    device: torch.device | None = None,
    chunk_ms: int | None = None,
    tags: int = 0,
) -> Omni:
    """Put a converted folder (`soundflow.tiers.omni.convert`) together.

    Args:
        dtype: of both models. float16 is not one: its range is too small for the tower.
        device: of both models; None is the CPU.
        chunk_ms: refused where it is not the length that the layout was trained for.
        tags: width of `Perception.tags`, where a perceiver beside the tower gives some.

    Raises:
        WeightsError: a file is missing or not what config.json says.
        ConfigError: a wrong key of config.json or calibration.json (which may be missing), or a wrong chunk length.
    """
    settings = Settings.read(folder)
    if chunk_ms is not None and chunk_ms != settings.chunk_ms:
        raise ConfigError(f"--chunk-ms {settings.chunk_ms} was expected: {folder} was trained for it; got {chunk_ms}")
    if dtype not in (torch.bfloat16, torch.float32):
        raise ConfigError(f"bfloat16 or float32 was expected, got {dtype}")
    tower = Tower.load(folder / TOWER, settings.tower, dtype)
    llama = Decoder.load(folder / LM, dtype)
    if (llama.config.vocab, llama.config.width) != (settings.vocab, settings.tower.out):
        raise WeightsError(
            f"{folder / LM}: {settings.vocab} tokens of width {settings.tower.out} were expected, got"
            f" {llama.config.vocab} of {llama.config.width}"
        )
    lalm = OmniLalm(llama, settings.tokens, settings.context_tokens, tags)
    context = OmniContext.read(folder / TOKENIZER, settings.tokens, settings.system, lalm.text_limit)
    if device is not None and device.type != "cpu":
        tower.to(device)
        llama.to_device(device)
    size = chunk_samples(settings.chunk_ms)
    encoder = OmniEncoder(tower, size, settings.left_chunks, settings.memory_chunks)
    fitted = folder / "calibration.json"
    return Omni(settings, encoder, lalm, context, Calibration.load(fitted) if fitted.exists() else Calibration())
