"""A whole model out of a folder, and into one: weights, adapter, calibration and card, without absolute paths.

DIR/config.json              format, tier (nano, base, omni), and what the tier's own settings say:
                             `soundflow.tiers.base_config`, `soundflow.tiers.omni.settings`; nano has format, tier and
                             chunk_ms only, as its parts are those of `soundflow models pull nano`
DIR/adapter.safetensors, adapter.json, calibration.json, tags.json, ...      what training made
                             (`soundflow.tiers.checkpoint`); without them the model decides as training begins
DIR/README.md                the card (`soundflow.tiers.card`)
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from soundflow.errors import ConfigError, WeightsError
from soundflow.row import Model
from soundflow.tiers import base_config, card, checkpoint, hub, nano
from soundflow.tiers.base_config import BaseConfig, Place

TRAINED: Final = (
    *("adapter.safetensors", "adapter.json", "calibration.json", "tags.json", "alert.safetensors"),
    *("own_sounds.safetensors", "own_sounds.json"),
)
LM_FILES: Final = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer.json"),
    *("tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "LICENSE*"),
)
SPEECH_FILES: Final = ("*.safetensors", "config.json", "preprocessor_config.json", "processor_config.json", "LICENSE*")
WORDS_FILES: Final = ("*.ort", "*.onnx", "*.json", "*.bin", "LICENSE*")


def from_pretrained(
    folder: Path | str,
    *,
    dtype: torch.dtype | None = None,
    device: str = "cpu",
    chunk_ms: int | None = None,
    threads: int = 1,
) -> Model:
    """Put the model of a folder together, whatever its tier.

    Args:
        dtype: of the language model; None is bfloat16 where the processor or GPU has it.
        device: cpu, cuda, cuda:N; auto is a GPU where there is one.
        chunk_ms: refused where it is not the length that the model has.
        threads: of torch.

    Raises:
        WeightsError: a file is missing, or not what it should be.
        ConfigError: a wrong key of config.json, a wrong length of chunk, or a GPU that is not there.
    """
    folder = Path(folder)
    raw = base_config.head(folder)
    kept = _nano_chunk_ms(folder) if raw["tier"] == "nano" else raw.get("chunk_ms", 400)
    if chunk_ms is not None and chunk_ms != kept:
        raise ConfigError(f"--chunk-ms {kept} was expected: {folder} is made for it; got {chunk_ms}")
    torch.set_num_threads(threads)
    if raw["tier"] == "nano":
        return nano.load(adapter=_adapter(folder), threads=threads, dtype=dtype, device=device)
    if raw["tier"] == "base":
        from soundflow.tiers import base

        return base.load(folder, dtype, device)
    return _omni(folder, dtype, device)


def save_pretrained(source: Path | str, to: Path | str, copy_parts: bool = True, note: str = "") -> Path:
    """Write the model of the folder `source` into the folder `to`, which then needs nothing outside itself.

    Args:
        copy_parts: False leaves parts of the hub where they are, by their names; parts with a path are copied anyway.
        note: for the card.

    Returns:
        `to`, which is there whole or not at all.

    Raises:
        ConfigError: something is in `to` already, or a wrong key of config.json.
        WeightsError: a part is missing, or not what it should be.
    """
    source, to = Path(source), Path(to)
    tier = base_config.head(source)["tier"]
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(f"{to}: an empty folder was expected")
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as made:
        half = Path(made) / to.name
        half.mkdir()
        {"nano": _save_nano, "base": _save_base, "omni": _save_omni}[tier](source, half, copy_parts)
        _copy(source, half, TRAINED)
        card.write(half, note)
        if to.exists():
            to.rmdir()
        half.rename(to)
    return to


def fetch_parts(folder: Path) -> int:
    """Download what the folder names on the hub and is not here yet -> how many parts. Errors as of `hub.fetch`."""
    if base_config.head(folder)["tier"] != "base":
        return 0
    return hub.fetch(BaseConfig.read(folder).places.values())


def _adapter(folder: Path) -> Path | None:
    return folder if (folder / "adapter.json").is_file() else None


def _nano_chunk_ms(folder: Path) -> int:
    raw = base_config.head(folder)
    if unknown := sorted(set(raw) - {"format", "tier", "chunk_ms"}):
        raise ConfigError(f"{folder / base_config.CONFIG}: unknown key {unknown[0]!r}")
    trained = checkpoint.load(_adapter(folder) or nano.ADAPTER).chunk_ms
    if raw.get("chunk_ms", trained) != trained:
        where = folder / base_config.CONFIG
        raise ConfigError(f"{where}: chunk_ms {trained} was expected, as of the adapter; got {raw['chunk_ms']!r}")
    return trained


def _omni(folder: Path, dtype: torch.dtype | None, device: str) -> Model:
    from soundflow.tiers.omni import load

    on = nano.device_of(device)
    default = checkpoint.host_dtype() if on.type == "cpu" else torch.bfloat16
    if _adapter(folder):
        raise ConfigError(f"{folder / 'adapter.json'}: none was expected: `soundflow train export` merges it into lm")
    return load.load(folder, dtype or default, on).model()


def _save_nano(source: Path, to: Path, copy_parts: bool) -> None:
    raw = {"format": base_config.FORMAT, "tier": "nano", "chunk_ms": _nano_chunk_ms(source)}
    base_config.write(to, raw)
    if _adapter(source) is None:
        _copy(nano.ADAPTER, to, TRAINED)


def _save_base(source: Path, to: Path, copy_parts: bool) -> None:
    from soundflow.tiers import base

    config = BaseConfig.read(source)
    base.trained(source, config)
    for name, place in config.places.items():
        if place.hub and not copy_parts:
            continue
        found, kept = hub.find(place, source), Place(path=name)
        (to / name).mkdir()
        if name == "sound":
            base.sound_model(source, config).save(to / name / "beats.safetensors")
        elif name == "vad":
            shutil.copyfile(base.vad_file(source, place), to / name / "silero_vad.onnx")
        else:
            wanted = {"lm": LM_FILES, "speech": SPEECH_FILES, "words": WORDS_FILES}[name]
            if not _copy(found, to / name, wanted):
                raise WeightsError(f"{found}: one of {', '.join(wanted)} was expected")
        config = replace(config, **{name: kept})  # type: ignore[arg-type]
    config.save(to)


def _save_omni(source: Path, to: Path, copy_parts: bool) -> None:
    from soundflow.tiers.omni.settings import LM, TOKENIZER, TOWER, Settings

    Settings.read(source).save(to)
    (to / LM).mkdir()
    for name, folder in ((TOWER, source), (TOKENIZER, source)):
        if not _copy(folder, to, (name,)):
            raise WeightsError(f"{folder / name}: a part of an omni folder was expected")
    if not _copy(source / LM, to / LM, LM_FILES):
        raise WeightsError(f"{source / LM}: a Hugging Face folder was expected")


def _copy(source: Path, to: Path, patterns: tuple[str, ...]) -> int:
    """Copy files by name, what links point to and not the links -> how many."""
    found = {path for pattern in patterns for path in source.glob(pattern) if path.is_file()}
    for path in sorted(found):
        shutil.copyfile(path, to / path.name)
    return len(found)
