"""Tones in files, and a look at what a preparation wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf


def tone(path: Path, hz: float = 440.0, seconds: float = 0.4, rate: int = 16_000, channels: int = 1) -> Path:
    """A tone at `path`, in the format of its suffix (.wav, .flac, .ogg, .opus, .mp3)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    formats = {".ogg": ("OGG", "VORBIS"), ".opus": ("OGG", "OPUS"), ".mp3": ("MP3", "MPEG_LAYER_III")}
    form, subtype = formats.get(path.suffix, (None, None))
    sf.write(str(path), np.repeat(wave[:, None], channels, axis=1), rate, subtype=subtype, format=form)
    return path


def text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def quarantine(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "quarantine.jsonl").read_text(encoding="utf-8").splitlines()]


def dialogues(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()]
