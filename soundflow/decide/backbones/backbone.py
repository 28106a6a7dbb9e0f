"""A language model by folder or by its name on the hub, and how it is to be held: one setting for any family.

    Backbone("Qwen/Qwen2.5-0.5B-Instruct", quantise="4bit").fetch()     # once, with a network
    decoder = Backbone("Qwen/Qwen2.5-0.5B-Instruct", quantise="4bit").load()

Nothing is fetched but by `fetch`, and nothing that could run code: weights are safetensors, the rest is text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from soundflow.decide.backbones.config import DecoderConfig
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.backbones.quantise import Quantised, quantise
from soundflow.decide.context import Context
from soundflow.download import HUB_NAME, LM, cached, download
from soundflow.errors import ConfigError, WeightsError

Dtype = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Backbone:
    """name: a folder, or `owner/name` on the hub. revision: of the hub's model; a commit pins it. device: as torch
    names it. quantise: matrices in eight or four bits (`quantise`), of what `dtype` made.
    """

    name: str
    dtype: Dtype = "bfloat16"
    quantise: Quantised | None = None
    device: str = "cpu"
    revision: str | None = None

    def __post_init__(self) -> None:
        """ConfigError names a wrong setting."""
        if self.dtype not in get_args(Dtype):
            raise ConfigError(f"dtype: one of {', '.join(get_args(Dtype))} was expected, got {self.dtype!r}")
        if self.quantise is not None and self.quantise not in get_args(Quantised):
            raise ConfigError(f"quantise: one of {', '.join(get_args(Quantised))} was expected, got {self.quantise!r}")
        try:
            torch.device(self.device)
        except RuntimeError as error:
            raise ConfigError(f"device: a device of torch was expected, got {self.device!r}") from error
        if not self._is_folder and not HUB_NAME.fullmatch(self.name):
            raise ConfigError(f"name: a folder or owner/name on the hub was expected, got {self.name!r}")

    @property
    def _is_folder(self) -> bool:
        return bool(self.name) and Path(self.name).is_dir()

    def fetch(self) -> Path:
        """Download what is missing of a model of the hub, into its own cache -> the folder. A folder stays as it is.

        Raises:
            WeightsError: as of `soundflow.download.download`.
        """
        return Path(self.name) if self._is_folder else download(self.name, self.revision, LM)

    def folder(self) -> Path:
        """Where it lies on this machine; asks nobody. WeightsError where it was not fetched."""
        found = Path(self.name) if self._is_folder else cached(self.name, self.revision, LM)
        if found is None:
            raise WeightsError(f"{self.name} is no folder and was not fetched (`Backbone.fetch`)")
        return found

    def config(self) -> DecoderConfig:
        """WeightsError where its family or an option is not one of ours."""
        return DecoderConfig.read(self.folder())

    def context(self) -> Context:
        """Its tokenizer, with the control tokens of its family."""
        return Context.load(self.folder() / "tokenizer.json")

    def load(self, deltas: Mapping[str, Tensor] | None = None, prefix: str = "") -> Decoder:
        """The decoder on its device; arguments and errors as of `Decoder.load`, ConfigError of `quantise`."""
        decoder = Decoder.load(self.folder(), getattr(torch, self.dtype), deltas, prefix)
        if self.device != "cpu":
            decoder.to_device(torch.device(self.device))
        if self.quantise is not None:
            quantise(decoder, self.quantise)
        return decoder
