"""A language model by folder or by its name on the hub, and how it is to be held: one setting for any family.

    Backbone("Qwen/Qwen2.5-0.5B-Instruct", quantise="4bit").fetch()     # once, with a network
    decoder = Backbone("Qwen/Qwen2.5-0.5B-Instruct", quantise="4bit").load()

Nothing is fetched but by `fetch`, and nothing that could run code: weights are safetensors, the rest is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import torch
from torch import Tensor

from soundflow.decide.backbones.config import DecoderConfig
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.backbones.quantise import Quantised, quantise
from soundflow.decide.context import Context
from soundflow.errors import ConfigError, WeightsError

Dtype = Literal["float32", "bfloat16", "float16"]
WANTED: Final = ("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json")
TEXT: Final = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
UNWANTED: Final = ("*/*", "consolidated*")
"""Other formats of the same weights, in folders of their own or under Mistral's own name."""
HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")


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
            WeightsError: no such model, one that asks for an account, or no network; the message says which.
        """
        return self._snapshot(offline=False)

    def folder(self) -> Path:
        """Where it lies on this machine; asks nobody. WeightsError where it was not fetched."""
        return self._snapshot(offline=True)

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

    def _snapshot(self, offline: bool) -> Path:
        if self._is_folder:
            return Path(self.name)
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

        # Its client raises the errors of whichever HTTP library it was built on; they share the bases of its own error.
        failures: tuple[type[Exception], ...] = (OSError, ValueError, *HfHubHTTPError.__bases__)
        try:
            found = snapshot_download(
                self.name, revision=self.revision, allow_patterns=[*WANTED, *TEXT], ignore_patterns=list(UNWANTED),
                local_files_only=offline,
            )  # fmt: skip
        except LocalEntryNotFoundError as error:
            cause = "is no folder and was not fetched (`Backbone.fetch`)" if offline else f"cannot be fetched: {error}"
            raise WeightsError(f"{self.name} {cause}") from error
        except GatedRepoError as error:
            raise WeightsError(f"{self.name} asks for an account with access to it (HF_TOKEN): {error}") from error
        except HfHubHTTPError as error:
            raise WeightsError(f"{self.name}: a model of the hub was expected: {error}") from error
        except failures as error:
            raise WeightsError(f"{self.name} cannot be fetched: {type(error).__name__}: {error}") from error
        return Path(found)
