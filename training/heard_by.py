"""Which model heard a cache of features: a small JSON beside them, so that no other is trained on them by mistake.

A cache without one is nano's. A model is known by what its config.json says of hearing, and by sizes and samples of the
bytes of its parts; where they lie does not matter, nor what language model stands behind them. A part that is written
again in another format is another one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from soundflow.errors import ConfigError, DataError, WeightsError
from soundflow.tiers import base_config, hub
from soundflow.tiers.kit import Kit

FILE: Final = "heard_by.json"
FORMAT: Final = 1
NANO: Final = {"format": FORMAT, "tier": "nano", "digest": ""}
STRETCH, STRETCHES = 1 << 12, 8
"""Bytes of a stretch of a file or tensor, and stretches that are read: a part of gigabytes is known in a moment."""
WEIGHTS: Final = (".safetensors", ".pt", ".pth", ".onnx", ".ort")
LONGEST: Final = 100_000_000
"""Bytes of a safetensors header, by its format."""
OMNI: Final = ("tower", "chunk_ms", "left_chunks", "memory_chunks")
BASE: Final = ("chunk_ms", "speech", "sound")
WHERE: Final = ("path", "hub", "revision", "file", "labels")
"""Keys of config.json that say how a model hears, and those of a part that only say where it lies."""


def reads_words(kit: Kit) -> bool:
    """Whether a words channel prints what is said into the stream."""
    if kit.tier != "base" or kit.folder is None:
        return kit.tier == "nano"
    return base_config.BaseConfig.read(kit.folder).words is not None


def check(cache: Path, model: Path | None) -> None:
    """ConfigError where `cache` holds what another model than `model` (None: nano) heard."""
    if not cache.is_dir() or (not (cache / FILE).exists() and not any(cache.glob("*.npz"))):
        return
    found, wanted = read(cache), identity(model)
    if found != wanted:
        names = [f"{x['tier']} {str(x['digest'])[:8]}".strip() for x in (wanted, found)]
        raise ConfigError(
            f"{cache}: features heard by {model or 'nano'} ({names[0]}) were expected, these were heard by {names[1]}:"
            " cache them again with `soundflow train features DATA OUT" + (f" --model {model}`" if model else "`")
        )


def mark(cache: Path, model: Path | None) -> None:
    """Say of an empty cache whose it is; nano's needs no word."""
    if (said := identity(model)) != NANO:
        (cache / FILE).write_text(json.dumps(said) + "\n", encoding="utf-8")


def read(cache: Path) -> dict[str, Any]:
    """Who heard a cache. DataError where its file says nothing that can be read."""
    path = cache / FILE
    if not path.exists():
        return dict(NANO)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found.keys() != NANO.keys() or found["format"] != FORMAT:
            raise ValueError(f"got {found!r}")
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: format {FORMAT}, tier and digest were expected ({error})") from error
    return found


def identity(model: Path | None) -> dict[str, Any]:
    """What `read` gives of a cache that this model heard. WeightsError, ConfigError: no model lies there."""
    raw = base_config.head(model) if model is not None else {"tier": "nano"}
    tier = str(raw["tier"])
    if model is None or tier == "nano":
        return dict(NANO)
    if tier == "base":
        config = base_config.BaseConfig.read(model)
        says = {key: value for key, value in config.to_json().items() if key in BASE}
        for section in ("speech", "sound"):
            says[section] = {k: v for k, v in says[section].items() if k not in WHERE}
        parts = [(name, hub.find(place, model)) for name, place in sorted(config.places.items()) if name != "lm"]
    else:
        says, parts = {key: raw.get(key) for key in OMNI}, [("tower", model / "tower.safetensors")]
    return {"format": FORMAT, "tier": tier, "digest": digest(says, parts)}


def digest(says: dict[str, Any], parts: Iterable[tuple[str, Path]]) -> str:
    """Of settings, and of the weights and config.json of each part, whatever their names."""
    total = hashlib.sha256(json.dumps(says, sort_keys=True).encode())
    for name, part in parts:
        files = (
            [part] if part.is_file() else [p for p in part.iterdir() if p.suffix in WEIGHTS or p.name == "config.json"]
        )
        total.update(f"{name} {sorted(_of_file(file) for file in files)}\n".encode())
    return total.hexdigest()


def _of_file(file: Path) -> str:
    whole = file.suffix != ".safetensors"
    found = hashlib.sha256()
    for stretch in _stretches(file, 0, file.stat().st_size) if whole else _tensors(file):
        found.update(stretch)
    return found.hexdigest()


def _tensors(file: Path) -> Iterator[bytes]:
    """Some bytes of every tensor, in the order of their names, and all that is said of them: files that were written
    twice may differ in the order of both. WeightsError where it is no safetensors file.
    """
    try:
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(size, LONGEST)))
        for name, entry in sorted(header.items()):
            first, last = entry.pop("data_offsets", (0, 0))
            yield f"{name} {json.dumps(entry, sort_keys=True)}\n".encode()
            yield from _stretches(file, 8 + size + first, last - first)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise WeightsError(f"{file}: a safetensors file was expected ({error})") from error


def _stretches(file: Path, first: int, size: int) -> Iterator[bytes]:
    """Some of `size` bytes from `first` on, and how many there are; a few are read whole."""
    yield f"{size}\n".encode()
    with file.open("rb") as stream:
        for number in range(STRETCHES if size > STRETCH * STRETCHES else 1):
            stream.seek(first + (size - STRETCH) * number // (STRETCHES - 1) if number else first)
            yield stream.read(STRETCH if size > STRETCH * STRETCHES else size)
