"""The omni tier: the tower and thinker of Qwen2.5-Omni in the layout of *Audio Interaction Model*."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch

from soundflow import int8
from soundflow.clock import chunk_samples
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.policy import Calibration
from soundflow.errors import ConfigError, WeightsError
from soundflow.loop import Model
from soundflow.perceive.omni.encoder import OmniEncoder
from soundflow.perceive.omni.perceiver import OmniPerceiver
from soundflow.perceive.omni.tower import Tower
from soundflow.perceive.perceiver import Perceiver
from soundflow.tiers import room
from soundflow.tiers.omni.context import OmniContext
from soundflow.tiers.omni.lalm import OmniLalm
from soundflow.tiers.omni.settings import CONFIG, LM, TOKENIZER, TOWER, Settings


def hearing(folder: Path, dtype: torch.dtype = torch.bfloat16, device: torch.device | None = None) -> Perceiver:
    """The perceiver of a folder (`soundflow.tiers.omni.convert` writes one): the tower alone, which names no sounds and
    finds no words. Arguments and errors as of `around`."""
    return cast(Perceiver, OmniPerceiver(_encoder(folder, Settings.read(folder), dtype, device)))


def around(
    folder: Path,
    perceiver: Perceiver,
    dtype: torch.dtype = torch.bfloat16,
    device: torch.device | None = None,
    eight_bit: bool = False,
) -> Model:
    """The model of a folder around a perceiver that somebody made (`hearing` makes one): the tower is not loaded.

    Args:
        dtype: of both models. float16 is not one: its range is too small for the tower.
        device: of both models; None is the CPU.
        eight_bit: the language model's matrices in int8, where this machine's CPU multiplies them.

    Raises:
        WeightsError: a file is missing or not what config.json says.
        ConfigError: a wrong key of config.json or calibration.json (which may be missing).
    """
    settings = Settings.read(folder)
    lalm, context, calibration = _deciding(folder, settings, dtype, device)
    if eight_bit and lalm.llama.device.type == "cpu" and int8.available():
        lalm.llama.to_int8()
    return Model("omni", chunk_samples(settings.chunk_ms), perceiver, lalm, context, calibration)


def _encoder(folder: Path, settings: Settings, dtype: torch.dtype, device: torch.device | None) -> OmniEncoder:
    if dtype not in (torch.bfloat16, torch.float32):
        raise ConfigError(f"bfloat16 or float32 was expected, got {dtype}")
    tower = Tower.load(folder / TOWER, settings.tower, dtype)
    if device is not None and device.type != "cpu":
        tower.to(device)
    return OmniEncoder(tower, chunk_samples(settings.chunk_ms), settings.left_chunks, settings.memory_chunks)


def _deciding(
    folder: Path, settings: Settings, dtype: torch.dtype, device: torch.device | None
) -> tuple[OmniLalm, OmniContext, Calibration]:
    if dtype not in (torch.bfloat16, torch.float32):
        raise ConfigError(f"bfloat16 or float32 was expected, got {dtype}")
    llama = Decoder.load(folder / LM, dtype)
    if (llama.config.vocab, llama.config.width) != (settings.vocab, settings.tower.out):
        raise WeightsError(
            f"{folder / LM}: {settings.vocab} tokens of width {settings.tower.out} were expected, got"
            f" {llama.config.vocab} of {llama.config.width}"
        )
    lalm = OmniLalm(llama, settings.tokens, settings.context_tokens)
    context = OmniContext.read(folder / TOKENIZER, settings.tokens, settings.system, lalm.text_limit)
    room.check(lalm, context, folder / LM, f"{folder / CONFIG}: context_tokens")
    if device is not None and device.type != "cpu":
        llama.to_device(device)
    fitted = folder / "calibration.json"
    return lalm, context, Calibration.load(fitted) if fitted.exists() else Calibration()
