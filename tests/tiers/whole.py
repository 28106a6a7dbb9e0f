"""What the tests of whole models share: a scene, and the events of a stream over it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile as sf

from soundflow.loop import Stream
from soundflow.row import Model

DEMO = Path(__file__).parents[2] / "demo" / "house.flac"


def scene(seconds: int = 12) -> np.ndarray:
    """[n] 16 kHz: the beginning of the demo recording, in which a real voice speaks."""
    audio, rate = sf.read(DEMO, dtype="float32", frames=seconds * 16_000)
    assert rate == 16_000
    return audio


def lines(model: Model, audio: np.ndarray, piece: int = 0, proactivity: float = 0.8) -> list[str]:
    """Events as JSON of a stream that hears `audio` in pieces of so many samples (0: at once)."""
    stream = Stream(model, proactivity=proactivity)
    size = piece or len(audio)
    events = [e for i in range(0, len(audio), size) for e in stream.push(audio[i : i + size])]
    return [e.to_json() for e in events + stream.close()]


def replies(found: list[str]) -> list[str]:
    """Texts of the replies that were made to their end."""
    told = [json.loads(line) for line in found]
    return [x["text"] for x in told if x["type"] == "reply.done"]


def held(value: object, seen: set[int] | None = None) -> int:
    """Elements of all tensors and arrays that a state holds."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return int(value.size)
    if hasattr(value, "numel"):
        return int(value.numel())
    if isinstance(value, dict):
        return sum(held(x, seen) for x in value.values())
    if isinstance(value, (list, tuple)):
        return sum(held(x, seen) for x in value)
    return 0
