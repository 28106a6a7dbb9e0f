"""Recordings of any rate -> one stream: quiet, the recordings with pauses between them, quiet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from benchmarks.compose import Item
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples
from soundflow.errors import DataError, SoundflowError
from soundflow.perceive.resample import StreamResampler
from soundflow.perceive.source import FileSource, to_mono
from soundflow.types import FloatArray

LEAD: Final = SAMPLE_RATE_HZ // 2
TRAIL: Final = 3 * SAMPLE_RATE_HZ // 2
REPLY_TRAIL: Final = 4 * SAMPLE_RATE_HZ  # a reply comes behind what it replies to
HISS: Final = 1e-4
LONGEST_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Composed:
    """`audio` [n], a whole number of chunks; `places`: (first sample, samples) of each recording in it."""

    audio: FloatArray
    places: tuple[tuple[int, int], ...]


def read(path: Path) -> FloatArray:
    """[n] mono samples at 16 kHz of a file of any rate. DataError where it is not there, not audio, or over 10 min."""
    try:
        source = FileSource(path, LONGEST_S)
        resampler = StreamResampler(source.rate_hz)
        pieces = [resampler.push(to_mono(block)) for block in source.blocks()]
        audio = np.concatenate([*pieces, resampler.flush()])
    except (SoundflowError, OSError) as error:
        raise DataError(f"expected a recording of at most {LONGEST_S:g} s: {error}", str(path)) from error
    if not len(audio):
        raise DataError("expected a recording, got no samples", str(path))
    return audio.astype(np.float32, copy=False)


def length_s(path: Path) -> float:
    """Seconds by the header; 0 where it cannot be read: what is wrong is said when the recording is to be heard."""
    try:
        return float(soundfile.info(path).duration)
    except (soundfile.LibsndfileError, OSError):
        return 0.0


def parts_of(item: Item, folder: Path) -> list[FloatArray]:
    """The recordings of an item. DataError as `read`."""
    return [read(folder / part.path) for part in item.parts]


def compose(item: Item, recordings: Sequence[FloatArray], chunk: int, trail: int = TRAIL) -> Composed:
    """The stream of an item: `LEAD`, its recordings behind the gaps of its parts, `trail`, all over hiss at -80 dBFS.

    The hiss is drawn by the item's seed; the level of the recordings stays as it is.
    """
    places, at = [], LEAD
    for part, recording in zip(item.parts, recordings, strict=True):
        at += samples(part.gap_s)
        places.append((at, len(recording)))
        at += len(recording)
    count = -(-(at + trail) // chunk) * chunk
    audio = np.random.default_rng(item.seed).normal(0.0, HISS, count).astype(np.float32)
    for (start, size), recording in zip(places, recordings, strict=True):
        audio[start : start + size] += recording
    return Composed(audio, tuple(places))
