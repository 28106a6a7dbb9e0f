"""A whole model out of a folder, and into one: weights, adapter, calibration and card, without absolute paths.

DIR/config.json              format, tier (nano, base, omni), and what the tier's own settings say:
                             `soundflow.tiers.base_config`, `soundflow.tiers.omni.settings`; nano has format, tier and
                             chunk_ms only, as its parts are those of `soundflow models pull nano`
DIR/adapter.safetensors, adapter.json, calibration.json, tags.json, ...      what training made
                             (`soundflow.tiers.checkpoint`); without them the model decides as training begins
DIR/TRAINING.md, recipe.json, gate.json                                      how it was made (`soundflow train export`)
DIR/README.md                the card (`soundflow.tiers.card`)
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch

from soundflow import download
from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.perceiver import Perceiver
from soundflow.row import Model
from soundflow.tiers import base_config, card, checkpoint, hub, nano
from soundflow.tiers.base_config import BaseConfig, Place

TRAINED: Final = (
    *("adapter.safetensors", "adapter.json", "calibration.json", "tags.json", "alert.safetensors"),
    *("named.safetensors", "own_sounds.safetensors", "own_sounds.json", *card.TOLD),
)


def from_pretrained(
    folder: Path | str,
    *,
    dtype: torch.dtype | None = None,
    device: str = "cpu",
    chunk_ms: int | None = None,
    threads: int = 1,
    eight_bit: bool = False,
    word_threads: int = 1,
    perceiver: Perceiver | None = None,
) -> Model:
    """Put the model of a folder together, whatever its tier.

    Args:
        dtype: of the language model; None is bfloat16 where the processor or GPU has it.
        device: cpu, cuda, cuda:N; auto is a GPU where there is one.
        chunk_ms: refused where it is not the length that the model has.
        threads: of torch.
        eight_bit: the language model's matrices in int8, where this machine's CPU multiplies them and config.json does
            not say how it is quantised; of nano the sound encoder's, too.
        word_threads: recognitions at once.
        perceiver: one that somebody made (`hearing` makes one): the encoders are not loaded then.

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
        return nano.load(None, _adapter(folder), threads, dtype, eight_bit, word_threads, device, perceiver)
    if raw["tier"] == "base":
        from soundflow.tiers import base

        return base.load(folder, dtype, device, eight_bit, word_threads, perceiver)
    return _omni(folder, dtype, device, eight_bit, perceiver)


def hearing(
    folder: Path | str,
    *,
    dtype: torch.dtype | None = None,
    device: str = "cpu",
    eight_bit: bool = False,
    word_threads: int = 1,
) -> Perceiver:
    """The perceiver of a folder by itself, as `from_pretrained` makes it of the same arguments; errors as there."""
    folder = Path(folder)
    tier = base_config.head(folder)["tier"]
    if tier == "nano":
        return nano.hearing(_adapter(folder), eight_bit, word_threads, device)
    if tier == "base":
        from soundflow.tiers import base

        return base.hearing(folder, base.words_worker(BaseConfig.read(folder), word_threads), device)
    from soundflow.tiers.omni import load

    on = nano.device_of(device)
    return load.hearing(folder, dtype or _omni_dtype(on), on)


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
    return hub.fetch(BaseConfig.read(folder).places)


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


def _omni(folder: Path, dtype: torch.dtype | None, device: str, eight_bit: bool, perceiver: Perceiver | None) -> Model:
    from soundflow.tiers.omni import load

    if _adapter(folder):
        raise ConfigError(f"{folder / 'adapter.json'}: none was expected: `soundflow train export` merges it into lm")
    on = nano.device_of(device)
    dtype = dtype or _omni_dtype(on)
    return load.around(folder, perceiver or load.hearing(folder, dtype, on), dtype, on, eight_bit)


def _omni_dtype(on: torch.device) -> torch.dtype:
    return checkpoint.host_dtype() if on.type == "cpu" else torch.bfloat16


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
            if name == "sound" and config.sound_labels:
                table = source / config.sound_labels
                if not table.is_file():
                    raise WeightsError(f"{table}: AudioSet's table of names was expected, as config.json says")
                shutil.copyfile(table, to / base.NAMES)
                config = replace(config, sound_labels=base.NAMES)
            continue
        found, kept = hub.find(place, source), Place(path=name)
        (to / name).mkdir()
        if name == "sound":
            base.sound_model(source, config).save(to / name / "beats.safetensors")
            config = replace(config, sound_labels="")  # it holds the names itself now
        elif name == "vad":
            shutil.copyfile(base.vad_file(source, place), to / name / "silero_vad.onnx")
        else:
            wanted = hub.wanted(name, place)
            if not _copy(found, to / name, wanted):
                raise WeightsError(f"{found}: one of {', '.join(wanted.taken)} was expected")
        config = replace(config, **{name: kept})  # type: ignore[arg-type]
    config.save(to)


def _save_omni(source: Path, to: Path, copy_parts: bool) -> None:
    from soundflow.tiers.omni.settings import LM, TOKENIZER, TOWER, Settings

    Settings.read(source).save(to)
    (to / LM).mkdir()
    for name, folder in ((TOWER, source), (TOKENIZER, source)):
        if not _copy(folder, to, (name,)):
            raise WeightsError(f"{folder / name}: a part of an omni folder was expected")
    if not _copy(source / LM, to / LM, download.LM):
        raise WeightsError(f"{source / LM}: a Hugging Face folder was expected")


def _copy(source: Path, to: Path, wanted: Container[str]) -> int:
    """Copy the files whose names are wanted, what links point to and not the links -> how many."""
    found = [path for path in source.glob("*") if path.name in wanted and path.is_file()]
    for path in found:
        shutil.copyfile(path, to / path.name)
    return len(found)
