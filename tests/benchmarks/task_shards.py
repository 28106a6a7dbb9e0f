"""Small shards of dialogues in the builder's layout, made without it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from soundflow import SAMPLE_RATE_HZ
from soundflow.types import FloatArray
from tests.benchmarks.fakes import beeps, hiss

CHUNK = 6400


def response(trigger: str, due: int, text: str = "", **more: Any) -> dict[str, Any]:
    body = {"kind": "speak", "due_chunk": due, "evidence_end": (due - 1) * CHUNK, "clock": "sound", "trigger": trigger}
    return body | {"text": text, "call": None, "refers_to": [], "cancelled_at": None} | more


def event(name: str, label: str, onset: int) -> dict[str, Any]:
    return {"id": name, "label": label, "onset": onset * CHUNK, "offset": (onset + 2) * CHUNK}


def spoken(name: str, text: str, onset: int, language: str = "en") -> dict[str, Any]:
    body = {"id": name, "onset": onset * CHUNK, "offset": (onset + 3) * CHUNK, "text": text, "language": language}
    return body | {"emotion": "neutral", "addressed": True}


def meta(
    name: str, subtask: str, ability: str, responses: Sequence[dict[str, Any]] = (), **more: Any
) -> dict[str, Any]:
    body = {"id": name, "schema": 2, "split": "dev", "subtask": subtask, "ability": ability, "samples": 20 * CHUNK}
    body |= {"chunk": CHUNK, "instruction": "", "tools": "", "events": [], "speech": [], "avoid": []}
    return body | {"responses": list(responses)} | more


def stream(onset: int | None) -> FloatArray:
    """20 chunks of faint hiss, with a beep of 0.8 s from chunk `onset` on."""
    audio = 0.01 * hiss(20 * CHUNK / SAMPLE_RATE_HZ)
    if onset is not None:
        audio[onset * CHUNK : (onset + 2) * CHUNK] += beeps(2 * CHUNK / SAMPLE_RATE_HZ)
    return audio


def flac(audio: FloatArray) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, (audio * 32767).astype(np.int16), SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return out.getvalue()


def write(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


def both(body: dict[str, Any], audio: FloatArray) -> list[tuple[str, bytes]]:
    """.flac and .json of a dialogue."""
    return [(f"{body['id']}.flac", flac(audio)), (f"{body['id']}.json", json.dumps(body).encode())]


def alarms(count: int) -> list[tuple[str, bytes]]:
    """`count` dialogues with an alarm (a beep from chunk 5 on, due in chunk 8), and `count` with none."""
    found = []
    for k in range(count):
        wanted = [response("e0", 8, "An alarm is beeping.")]
        found += both(
            meta(f"a{k}", "proactive_hazard", "proactive", wanted, events=[event("e0", "alarm", 5)]), stream(5)
        )
        found += both(meta(f"b{k}", "proactive_hazard", "proactive"), stream(None))
    return found
