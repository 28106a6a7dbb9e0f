"""Recipe for single notes of real instruments: solo notes and short melodies as music that deserves no answer.

Source: the npm packages tonejs-instrument-NAME-mp3 (https://github.com/Makefully-Studios/tonejs-instruments after
https://github.com/nbrosowsky/tonejs-instruments), samples CC-BY 3.0. Instruments are divided by split.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf

from data_builder.clips import FloatArray, decode, fade
from data_builder.corpora.download import download
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

LICENCE: Final = "CC-BY-3.0 (tonejs-instruments)"
PREFIX: Final = "notes-"
INSTRUMENTS: Final = {
    "train": (
        *("violin", "clarinet", "saxophone", "flute", "contrabass", "trumpet", "french-horn", "tuba", "organ"),
        *("guitar-acoustic", "guitar-electric", "bass-electric", "piano", "xylophone", "bassoon"),
    ),
    "cal": ("cello", "trombone", "harp", "harmonium", "guitar-nylon"),
}
SLOT_S, LONGEST_NOTE_S = 6.0, 4.0
_SEMITONE: Final = {name: k for k, name in enumerate(("C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B"))}
_NOTE: Final = re.compile(r"([A-G]s?)(\d)\.mp3$")


@dataclass(frozen=True, slots=True)
class Note:
    """`key` is the MIDI number; `audio` [N] at 16 kHz, peak 0.8."""

    key: int
    audio: FloatArray


def fetch(name: str, folder: Path) -> Path:
    """The package of one instrument as a .tgz in `folder`, by `npm pack`; DataError where npm is missing or fails."""
    package = f"tonejs-instrument-{name}-mp3"
    return download(["npm", "pack", package, "--silent"], folder, f"{package}-*.tgz")


def read_notes(package: Path) -> list[Note]:
    """Every note of a package that can be told by its file name, lowest first."""
    notes = []
    with tarfile.open(package) as tar:
        for member in tar:
            match, file = _NOTE.search(member.name), tar.extractfile(member)
            if match is None or file is None:
                continue
            try:
                clip = decode(file.read(), LONGEST_NOTE_S)
            except DataError:
                continue
            key = 12 * (int(match[2]) + 1) + _SEMITONE[match[1]]
            notes.append(Note(key, clip))
    if not notes:
        raise DataError("expected notes named like C4.mp3, got none", str(package))
    return sorted(notes, key=lambda n: n.key)


def piece(notes: list[Note], rng: np.random.Generator) -> FloatArray:
    """[6 s] of one to twelve notes: a held one, notes with rests, or a melody in small steps."""
    out = np.zeros(int(SLOT_S * SR), dtype=np.float32)
    style = int(rng.integers(3))
    length = (float(rng.uniform(1.5, 4.0)), float(rng.uniform(0.3, 1.2)), float(rng.uniform(0.15, 0.5)))[style]
    rest = (0.0, float(rng.uniform(0.2, 1.0)), 0.0)[style]
    at, index = 0.1, int(rng.integers(len(notes)))
    for _ in range((1, 6, 12)[style]):
        note = notes[index].audio
        n = min(int(length * float(rng.uniform(0.8, 1.2)) * SR), len(note), len(out) - int(at * SR))
        if n < SR // 20:
            break
        cut = fade(note[:n].copy(), min(n // 4, 800)) * np.float32(rng.uniform(0.5, 1.0))
        out[int(at * SR) : int(at * SR) + n] += cut
        at += n / SR + rest
        index = int(np.clip(index + rng.integers(-2, 3), 0, len(notes) - 1))
    return out * np.float32(0.8 / max(1e-6, float(np.abs(out).max())))


def make(packages: Path, out: Path, split: str, count: int, seed: int) -> list[str]:
    """`count` pieces an instrument of `split` as `out`/notes-INSTRUMENT-NNN.flac; those there are kept."""
    if split not in INSTRUMENTS:
        raise DataError(f"expected split {' or '.join(INSTRUMENTS)}, got {split!r}")
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for number, instrument in enumerate(INSTRUMENTS[split]):
        mine = [f"{PREFIX}{instrument}-{k:03d}.flac" for k in range(count)]
        names += mine
        if not all((out / name).is_file() for name in mine):
            write_pieces(out, mine, [seed, number], partial(piece, read_notes(fetch(instrument, packages))))
    return names


def write_pieces(
    out: Path, names: list[str], seed: list[int], draw: Callable[[np.random.Generator], FloatArray]
) -> None:
    """`draw` each piece of `names` as a FLAC in `out`; those there are kept."""
    for k, name in enumerate(names):
        if not (out / name).is_file():
            part = out / (name + ".part")
            sf.write(part, draw(np.random.default_rng([*seed, k])), SR, format="FLAC", subtype="PCM_16")
            os.replace(part, out / name)
