"""What a run trains and how it lays out streams, by the tier of the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import torch

from soundflow.decide.context import Context
from soundflow.errors import ConfigError
from soundflow.perceive.tags import TagCalibration
from soundflow.tiers.base_config import TIERS
from soundflow.tiers.kit import Kit
from soundflow.tiers.omni.context import OmniContext
from soundflow.types import Tool
from training.adapters import AdapterConfig, TrainableLalm
from training.heard_by import reads_words
from training.omni import OmniBuilder, TrainableOmni
from training.sequence import SequenceBuilder
from training.stages import RunConfig


def model_of(adapter: Path) -> Path | None:
    """The model that an adapter is of, by the recipe or the model's own config.json beside it; None is nano."""
    try:
        raw = json.loads((adapter / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{adapter / 'config.json'}: a recipe was expected ({error})") from error
    if raw.get("tier") in TIERS:
        return adapter
    return Path(raw["model"]) if raw.get("model") else None


def trainable(kit: Kit, config: AdapterConfig, dtype: torch.dtype) -> TrainableLalm:
    """The model of a kit, as it was before any training. WeightsError where its language model cannot be read."""
    if kit.tier == "omni":
        return TrainableOmni(kit.lm, cast(OmniContext, kit.context()).tokens, config, dtype)
    return TrainableLalm(kit.lm, kit.labels, config, dtype, (kit.sound_width, kit.speech_width))


def builder(
    kit: Kit | None,
    context: Context,
    tool_sets: Mapping[str, Sequence[Tool]],
    labels: Sequence[str],
    replies: float = 0.6,
    tags: TagCalibration | None = None,
) -> SequenceBuilder | OmniBuilder:
    """Lays out samples as the tier of `kit` (None: nano) streams them; the other arguments as of `SequenceBuilder`."""
    if kit and kit.tier == "omni":
        return OmniBuilder(cast(OmniContext, context), tool_sets)
    return SequenceBuilder(context, tool_sets, labels, replies, tags, kit is None or reads_words(kit))


def check(kit: Kit, config: RunConfig) -> None:
    """ConfigError where a recipe asks of a tier what it has not."""
    if kit.tier != "omni":
        return
    for stage in config.stages:
        if stage.tag_streams:
            raise ConfigError(f"{config.model}: stage {stage.name!r}: tag_streams: 0 was expected: omni hears no tags")
        if "lora" not in stage.trainable:
            raise ConfigError(
                f"{config.model}: stage {stage.name!r}: trainable: lora was expected: omni trains nothing else"
            )
