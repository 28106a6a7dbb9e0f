"""An encoder's weights out of a Hugging Face folder: config.json and safetensors, nothing else is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open

from soundflow.errors import ConfigError, WeightsError
from soundflow.jsonfile import read_object

WHAT: Final = "a Hugging Face config"
_UNSAID: Final[Mapping[str, Mapping[str, object]]] = {"Wav2Vec2FeatureExtractor": {"do_normalize": True}}
"""By transformers' feature extractor: what it does where its file does not say."""


def require_front_end(folder: Path, expected: Mapping[str, object]) -> None:
    """Refuse a folder whose feature extractor is not the one that we compute.

    Raises:
        ConfigError: names file, key, what we compute and what came.
    """
    for path, inside in (
        (folder / "preprocessor_config.json", ""),
        (folder / "processor_config.json", "feature_extractor"),
    ):
        if not path.is_file():
            continue
        raw = read_object(path, WHAT, ConfigError)
        came = raw.get(inside, {}) if inside else raw
        if not isinstance(came, dict):
            raise ConfigError(f"{path}: {inside}: a JSON object was expected, got {came!r}")
        came = {**_UNSAID.get(str(came.get("feature_extractor_type")), {}), **came}
        for key, value in expected.items():
            if key in came and came[key] != value:
                raise ConfigError(f"{path}: {key}: expected {value!r}, got {came[key]!r}")


def fill(module: torch.nn.Module, folder: Path, prefixes: Sequence[str], renamed: Sequence[tuple[str, str]]) -> None:
    """Copy a folder's weights into an encoder.

    Args:
        module: as built from the folder's config; its dtype stays.
        prefixes: what may stand before an encoder's keys in files, in this order.
        renamed: (beginning of our key, beginning of the file's key).

    Raises:
        WeightsError: no safetensors; a file that is damaged; a key that is missing, of another shape, not finite, or of
            the encoder but unknown to the config.
    """
    with ExitStack() as stack:
        where: dict[str, tuple[Path, Any]] = {}
        for path in _files(folder):
            opened = _opened(path, stack)
            where |= {key: (path, opened) for key in opened.keys()}  # noqa: SIM118 (a safetensors file, no dict)
        names = {key: _named(key, renamed) for key in module.state_dict()}
        found = {p: sum(p + name in where for name in names.values()) for p in prefixes}
        prefix = max(prefixes, key=found.__getitem__)
        if not found[prefix]:
            some = prefix + next(iter(names.values()))
            raise WeightsError(f"{folder}: expected keys as {some}, got {min(where, default='none')}")
        with torch.no_grad():
            for key, value in module.state_dict().items():
                _copy(value, prefix + names[key], where, folder)
        parts = tuple({prefix + name.split(".")[0] + "." for name in names.values()})
        known = {prefix + name for name in names.values()}
        for key, (path, _) in where.items():
            if key.startswith(parts) and key not in known and not key.endswith("inv_freq"):
                raise WeightsError(f"{path}: {key}: expected no such part of the encoder by config.json, got it")


def _named(key: str, renamed: Sequence[tuple[str, str]]) -> str:
    for ours, theirs in renamed:
        if key.startswith(ours):
            return theirs + key[len(ours) :]
    return key


def _copy(target: torch.Tensor, key: str, where: dict[str, tuple[Path, Any]], folder: Path) -> None:
    if key not in where:
        raise WeightsError(f"{folder}: expected the key {key} {tuple(target.shape)}, got none")
    path, opened = where[key]
    shape = tuple(opened.get_slice(key).get_shape())
    if shape != tuple(target.shape):
        raise WeightsError(f"{path}: {key}: expected {tuple(target.shape)}, got {shape}")
    came = opened.get_tensor(key)
    if not came.isfinite().all():
        raise WeightsError(f"{path}: {key}: expected finite weights, got NaN or infinity")
    target.copy_(came)


def _files(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        there = sorted(path.name for path in folder.glob("*"))[:8]
        raise WeightsError(f"{folder}: expected *.safetensors, got {', '.join(there) or 'nothing'}")
    return paths


def _opened(path: Path, stack: ExitStack) -> Any:
    try:
        return stack.enter_context(safe_open(path, framework="pt"))
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: expected a safetensors file, got {error}") from error
