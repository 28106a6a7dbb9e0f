"""Recipe for hits and beats of real drums: single thumps and clashes as music that deserves no answer.

Source: Debian's hydrogen-drumkits (https://packages.debian.org/bookworm/hydrogen-drumkits), GPL-2+, CC0, CC-BY and
CC-BY-SA kits. Kits are divided by split.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from data_builder.clips import FloatArray, decode
from data_builder.corpora.debian import members
from data_builder.corpora.instruments import SLOT_S, write_pieces
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

LICENCE: Final = "GPL-2+ / CC-BY-SA-3.0 (hydrogen-drumkits)"
PREFIX: Final = "drums-"
PACKAGE: Final = "hydrogen-drumkits"
CAL_KITS: Final = ("Millo-Drums_v.1", "circAfrique v4", "ElectricEmpireKit")
LONGEST_HIT_S: Final = 3.0


def read_kits(deb: Path) -> dict[str, list[FloatArray]]:
    """Kit -> its hits [N] at 16 kHz, peak 0.8."""
    kits: dict[str, list[FloatArray]] = {}
    for name, raw in members(deb):
        path = PurePosixPath(name)
        if path.suffix in (".flac", ".wav"):
            try:
                kits.setdefault(path.parent.name, []).append(decode(raw, LONGEST_HIT_S, cap=False))
            except DataError:
                continue
    if not kits:
        raise DataError("expected drum kits of .flac and .wav files, got none", str(deb))
    return kits


def beat(hits: list[FloatArray], rng: np.random.Generator) -> FloatArray:
    """[6 s]: one hit, a few with rests, or a beat of one to four drums of a kit."""
    out = np.zeros(int(SLOT_S * SR), dtype=np.float32)
    style = int(rng.integers(3))
    count, every = (1, 4, 24)[style], (1.0, float(rng.uniform(0.5, 1.4)), float(rng.uniform(0.12, 0.4)))[style]
    mine = [hits[int(k)] for k in rng.integers(len(hits), size=1 if style == 0 else int(rng.integers(1, 5)))]
    for k in range(count):
        at = int((0.1 + k * every) * SR)
        hit = mine[int(rng.integers(len(mine)))][: max(0, len(out) - at)]
        out[at : at + len(hit)] += hit * np.float32(rng.uniform(0.4, 1.0))
    return out * np.float32(0.8 / max(1e-6, float(np.abs(out).max())))


def make(kits: dict[str, list[FloatArray]], out: Path, split: str, count: int, seed: int) -> list[str]:
    """`count` pieces a kit of `split` as `out`/drums-KIT-NNN.flac; those there are kept."""
    out.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    for number, kit in enumerate(k for k in sorted(kits) if (k in CAL_KITS) == (split == "cal")):
        plain = "".join(c for c in kit if c.isalnum())
        mine = [f"{PREFIX}{plain}-{k:03d}.flac" for k in range(count)]
        names += mine
        write_pieces(out, mine, [seed, 77, number], partial(beat, kits[kit]))
    return names
