"""What training and serving have to know of a model before they load its language model: the kit of a tier."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from soundflow.clock import chunk_samples
from soundflow.decide.context import Context
from soundflow.perceive.perceiver import Perceiver
from soundflow.tiers import base_config, checkpoint, nano

if TYPE_CHECKING:
    from soundflow.perceive.own import OwnSounds


@dataclass(frozen=True)
class Kit:
    """Plain values, so that it can go to other processes, which make perceivers of their own from it.

    lm: the Hugging Face folder of the language model. labels: of `Perception.tags`. sound_width, speech_width: of
    `Perception.sound` and `.speech`. folder: of the model, None for nano as it ships. adapter: folder of the trained
    files (adapter.safetensors and what stands beside it), None where nothing was trained yet. branch: the alert branch
    that nano's sound encoder runs with.
    """

    tier: str
    chunk_ms: int
    lm: Path
    labels: tuple[str, ...]
    sound_width: int
    speech_width: int
    folder: Path | None = None
    adapter: Path | None = None
    branch: Path | None = None

    def hearing(self, executor: Executor | None = None, device: str = "cpu") -> Perceiver:
        """A new perceiver. `executor` recognises words beside the step; without one in it, with the same result.

        WeightsError, ConfigError: a part is missing, or not what it should be.
        """
        if self.tier == "nano":
            saved = checkpoint.load(self.adapter or nano.ADAPTER)
            parts, own, named = nano.parts(self.branch), self.own, nano.heads(self.adapter or nano.ADAPTER)
            made = Perceiver(parts, chunk_samples(saved.chunk_ms), saved.tags, executor, own, named)
            if (on := nano.device_of(device)).type != "cpu":
                made.to_device(on)
            return made
        assert self.folder is not None
        if self.tier == "base":
            from soundflow.tiers import base

            return base.hearing(self.folder, executor, device)
        from soundflow.tiers.omni import load

        return load.hearing(self.folder, torch.float32, nano.device_of(device))

    def context(self) -> Context:
        """Text and tokens of the language model. WeightsError where its tokenizer is missing or none of ours."""
        if self.tier == "omni":
            from soundflow.tiers.omni.context import OmniContext
            from soundflow.tiers.omni.settings import TOKENIZER, Settings

            assert self.folder is not None
            settings = Settings.read(self.folder)
            most = settings.context_tokens // 8
            return OmniContext.read(self.folder / TOKENIZER, settings.tokens, settings.system, most)
        return Context.load(self.lm / "tokenizer.json")

    @property
    def own(self) -> OwnSounds:
        """Sounds that a user taught; nano's sound encoder only knows some."""
        from soundflow.perceive.own import OwnSounds

        return OwnSounds.load(self.adapter or nano.ADAPTER) if self.tier == "nano" else OwnSounds()

    @property
    def headed(self) -> frozenset[str]:
        """Labels with a head of their own; nano's only."""
        return nano.headed(self.adapter or nano.ADAPTER) if self.tier == "nano" else frozenset()


def kit(model: Path | None = None) -> Kit:
    """The kit of a model folder; None is nano as it ships. The language model is not loaded.

    WeightsError, ConfigError: as of `soundflow.tiers.pretrained.from_pretrained`.
    """
    if model is None:
        return _nano(None)
    raw = base_config.head(model)
    made: dict[str, Any] = {"nano": _nano, "base": _base, "omni": _omni}
    found: Kit = made[raw["tier"]](model)
    return found


def _nano(folder: Path | None) -> Kit:
    from soundflow.perceive.sound import labels
    from soundflow.tiers import weights

    trained = folder if folder is not None and has_adapter(folder) else nano.ADAPTER
    saved = checkpoint.load(trained)
    names = labels(nano.parts().sound)
    widths = nano.SOUND_WIDTH, nano.SPEECH_WIDTH
    return Kit("nano", saved.chunk_ms, weights.part("lm"), names, *widths, folder, trained, checkpoint.branch(trained))


def _base(folder: Path) -> Kit:
    from soundflow.tiers import base, hub

    config = base_config.BaseConfig.read(folder)
    sound, speech = base.outline(folder, config)
    trained = folder if has_adapter(folder) else None
    widths = sound.width, speech.width
    return Kit("base", config.chunk_ms, hub.find(config.lm, folder), sound.labels, *widths, folder, trained)


def _omni(folder: Path) -> Kit:
    from soundflow.tiers.omni.settings import LM, Settings

    settings = Settings.read(folder)
    width = settings.tokens.audio * settings.tower.out
    trained = folder if has_adapter(folder) else None
    return Kit("omni", settings.chunk_ms, folder / LM, (), 0, width, folder, trained)


def has_adapter(folder: Path) -> bool:
    """Whether something was trained there."""
    return (folder / "adapter.json").is_file()
