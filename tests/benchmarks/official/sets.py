"""Tiny sets in the published layouts: tones to answer, hiss to leave alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import soundfile

from soundflow.types import FloatArray
from tests.benchmarks.fakes import beeps, hiss

CLIPS = (
    ("aa", "Equipment", "Alarms", "RESPOND"),
    ("ab", "Equipment", "Alarms", "RESPOND"),
    ("ba", "Equipment", "Fans", "IGNORE"),
    ("ca", "Human", "Cries", "RESPOND"),
    ("da", "Human", "Crowds", "IGNORE"),
    ("db", "Human", "Crowds", "IGNORE"),
)


def line(name: str, macro: str, meso: str, decision: str, root: str = "proactive-sound-effect") -> dict[str, str]:
    path = f"./{root}/{macro}/{meso}/{decision}/{name}.wav"
    return {"id": name, "path": path, "description": f"{meso} {name}", "decision": decision}


def write_json_lines(path: Path, rows: Sequence[Mapping[str, Any] | str]) -> Path:
    text = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows)
    path.write_text(text, encoding="utf-8")
    return path


def make_set(folder: Path, without: Sequence[str] = (), rate: int = 16_000) -> Path:
    """manifest.jsonl and the clips; those of `without` are in the manifest alone."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [line(*c) for c in CLIPS]
    for row in rows:
        if row["id"] not in without:
            file = folder / row["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            audio = beeps(1.2) if row["decision"] == "RESPOND" else hiss(1.2, len(row["id"]))
            soundfile.write(file, widened(audio, rate), rate)
    return write_json_lines(folder / "manifest.jsonl", rows)


def widened(audio: FloatArray, rate: int) -> Any:
    """The samples repeated to `rate` (a multiple of 16 kHz), as stereo beyond 16 kHz."""
    if rate == 16_000:
        return audio
    import soxr

    mono = soxr.resample(audio, 16_000, rate)
    return [[x, x] for x in mono]
