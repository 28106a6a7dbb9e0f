"""Parts of a model that lie on the hub: fetched when somebody asks for it, found afterwards without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from soundflow.errors import ConfigError, WeightsError
from soundflow.tiers.base_config import Place
from soundflow.tiers.weights import home

WANTED: Final = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer.json"),
    *("tokenizer_config.json", "special_tokens_map.json", "preprocessor_config.json", "processor_config.json"),
    *("config.yaml", "class_labels_indices.csv", "BEATs*.pt", "*.onnx", "*.ort", "LICENSE*"),
)
"""What a part may be made of. Of files that torch saved, those of BEATs only, which are read without their pickle."""
_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")
_REVISION: Final = re.compile(r"[\w.-]+")


def find(place: Place, model: Path) -> Path:
    """Where a part of the model folder `model` lies on this machine.

    Raises:
        WeightsError: it is not there; of one of the hub, the message says how it is fetched.
    """
    if place.path:
        found = model / place.path
        if not found.exists():
            raise WeightsError(f"{found}: a part of {model} was expected, there is no such file or folder")
        return found
    found = folder_of(place)
    if not (found / "FETCHED").is_file():
        raise WeightsError(f"{place.hub}@{place.revision}: not fetched: run `soundflow models pull {model}`")
    return found


def folder_of(place: Place) -> Path:
    """Where a part of the hub lies once it was fetched. ConfigError for no name of the hub."""
    if not _NAME.fullmatch(place.hub) or ".." in place.hub or not _REVISION.fullmatch(place.revision):
        raise ConfigError(f"owner/name and a revision were expected, got {place.hub!r} and {place.revision!r}")
    return home() / "models" / "hub" / place.hub.replace("/", "--") / place.revision


def fetch(places: Iterable[Place], say: Callable[[str], None] = lambda _: None) -> int:
    """Download the parts that lie on the hub and are not here yet -> how many there were.

    Raises:
        WeightsError: one cannot be had; those before it stay.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    failures: tuple[type[Exception], ...] = (OSError, ValueError, *HfHubHTTPError.__bases__)
    count = 0
    for place in dict.fromkeys(p for p in places if p.hub):
        target = folder_of(place)
        if (target / "FETCHED").is_file():
            continue
        say(f"{place.hub}@{place.revision}")
        try:
            snapshot_download(place.hub, revision=place.revision, local_dir=target, allow_patterns=list(WANTED))
        except failures as error:
            raise WeightsError(f"{place.hub}@{place.revision}: cannot be fetched: {error}") from error
        (target / "FETCHED").write_text(f"{place.hub}@{place.revision}\n", encoding="utf-8")
        count += 1
    return count
