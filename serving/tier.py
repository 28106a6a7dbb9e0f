"""The model that a server runs, nano with an adapter or a model folder, wherever it is made: in this process, in one
that hears, or in an actor on another machine."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from serving.config import Config
from serving.ears import FarPerceiver
from serving.handle import EngineInfo
from soundflow import SAMPLE_RATE_HZ, __version__
from soundflow.clock import chunk_samples
from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.perceiver import Perceiver
from soundflow.row import Model


@dataclass(frozen=True, slots=True)
class Tier:
    """Plain values, which go to other processes. adapter: folder of nano's, None is the one that ships. folder: of a
    whole model, in place of nano; with an absolute path, as other processes have other working directories.
    """

    adapter: Path | None = None
    folder: Path | None = None
    eight_bit: bool = False
    device: str = "cpu"

    @staticmethod
    def of(config: Config, adapter: Path | None) -> Tier:
        """ConfigError for an adapter beside a model folder, which has its own."""
        if config.model is None:
            return Tier(adapter and adapter.absolute(), None, config.eight_bit, config.device)
        if adapter is not None:
            raise ConfigError(f"adapter: none was expected beside a model folder, got {adapter}")
        return Tier(None, config.model.expanduser().absolute(), config.eight_bit, config.device)

    def load(self, word_threads: int = 1, perceiver: FarPerceiver | None = None) -> Model:
        """Put the model together (seconds).

        Args:
            word_threads: recognitions at once.
            perceiver: hears in place of the model's own, of which nothing is loaded then.

        Raises:
            WeightsError, ConfigError: as of `soundflow.tiers.nano.load` and `pretrained.from_pretrained`; what is
                missing on this machine is named.
        """
        from soundflow.tiers import nano
        from soundflow.tiers.pretrained import from_pretrained

        heard: Any = perceiver  # of which the model wants labels and calls only
        how: Any = {"eight_bit": self.eight_bit, "device": self.device, "word_threads": word_threads}
        if self.folder is None:
            return nano.load(adapter=self.adapter, perceiver=heard, **how)
        return from_pretrained(self._there(), perceiver=heard, **how)

    def hearing(self, word_threads: int = 1) -> Perceiver:
        """The perceiver that `load` would make; errors as there."""
        from soundflow.tiers import nano, pretrained

        how: Any = {"eight_bit": self.eight_bit, "device": self.device, "word_threads": word_threads}
        if self.folder is None:
            return nano.hearing(self.adapter, **how)
        return pretrained.hearing(self._there(), **how)

    def ears(self, word_threads: int = 1) -> FarPerceiver | None:
        """For a process that hears, which is not started yet. None where this one has to: the encoders of a larger
        tier on a GPU lie there beside its language model, and another process would hold a CUDA context of its own.

        Raises:
            WeightsError, ConfigError: as of `load`.
        """
        from soundflow.tiers import kit, nano

        make = partial(self.hearing, word_threads)
        if self.folder is None:
            return FarPerceiver(make, *nano.heard(self.adapter))
        found = kit.kit(self._there())
        if found.tier != "nano" and nano.device_of(self.device).type != "cpu":
            return None
        return FarPerceiver(make, found.labels, found.own, chunk_samples(found.chunk_ms), found.headed)

    def _there(self) -> Path:
        assert self.folder is not None
        if not self.folder.is_dir():
            raise WeightsError(f"{self.folder}: a model folder was expected on {socket.gethostname()}")
        return self.folder


def info_of(model: Model, voice: str = "", rate_hz: int = 0) -> EngineInfo:
    """What an engine of this model says of itself."""
    chunk_ms = 1000 * model.chunk_samples / SAMPLE_RATE_HZ
    return EngineInfo(model.tier, __version__, chunk_ms, tuple(model.perceiver.labels), voice, rate_hz)


def check_same(new: EngineInfo, old: EngineInfo) -> None:
    """ConfigError where open sessions of a server of the model `old` cannot go on with `new`."""
    for what in ("tier", "chunk_ms", "labels"):
        if getattr(new, what) != getattr(old, what):
            raise ConfigError(f"model: its {what} changed, which a running server cannot follow: restart it")
