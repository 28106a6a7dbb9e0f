"""Audio fingerprints: 32 bits each 100 ms, of how the spectrum's slope changes in time; blind to gain.

After Haitsma and Kalker (2002, ISMIR): with E(t, b) the energy in dB of band b in frame t, bit b of word t is the sign
of X(t, b) = [E(t, b) - E(t, b+1)] - [E(t-1, b) - E(t-1, b+1)]. Unlike theirs, frames overlap little (Hann windows of
128 ms, 100 ms apart; theirs 31 of 32 parts), which keeps what is stored small; the audio to be looked up is coded at
five phases of 20 ms instead. Its bits count only where |X| >= 2 dB, so that what a codec or noise can turn does not
vote; this needs no room in what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from soundflow import SAMPLE_RATE_HZ
from soundflow.types import FloatArray

BITS: Final = 32
HOP: Final = SAMPLE_RATE_HZ // 10
WINDOW: Final = 2048
PHASES: Final = 5
LOW_HZ, HIGH_HZ = 150.0, 6000.0
SURE_DB: Final = 2.0
RANGE_DB: Final = 50.0  # below the loudest frame a frame says nothing
FLOOR_DB: Final = -75.0  # dBFS; nor below this
Words = NDArray[np.uint32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Print:
    """`words` [n] uint32, `heard` [n]: whether the word counts, `sure` [n] uint32: which of its bits do."""

    words: Words
    heard: Flags
    sure: Words


def _edges() -> NDArray[np.int64]:
    hz = np.geomspace(LOW_HZ, HIGH_HZ, BITS + 2)
    return np.round(hz * WINDOW / SAMPLE_RATE_HZ).astype(np.int64)


EDGES: Final = _edges()
HANN: Final = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def energies(audio: FloatArray, start: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(band energies in dB [n, 33], frame levels in dBFS [n]) of the frames that begin at `start`, every 100 ms.

    The audio is continued by zeros, so that its end is in a frame.
    """
    count = max(0, -(-(len(audio) - start - WINDOW // 2) // HOP))
    if count == 0:
        return np.zeros((0, BITS + 1)), np.zeros(0)
    padded = np.zeros(start + (count - 1) * HOP + WINDOW, np.float32)
    kept = audio[: len(padded)]
    padded[: len(kept)] = kept
    frames = np.lib.stride_tricks.sliding_window_view(padded[start:], WINDOW)[::HOP][:count]
    bands = np.empty((count, BITS + 1))
    for at in range(0, count, 512):
        power = np.abs(np.fft.rfft(frames[at : at + 512] * HANN)) ** 2
        sums = np.add.reduceat(power, EDGES[:-1], axis=1)[:, : BITS + 1]
        sums[:, -1] = power[:, EDGES[-2] : EDGES[-1]].sum(axis=1)
        bands[at : at + 512] = sums
    level = 10 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-12)
    return 10 * np.log10(bands + 1e-9), level


def code(audio: FloatArray, start: int = 0) -> Print:
    """The fingerprint of [n] samples at 16 kHz, from sample `start` on; the first word needs two frames."""
    bands, level = energies(audio, start)
    if len(bands) < 2:
        nothing: Any = np.zeros(0, np.uint32)
        return Print(nothing, np.zeros(0, np.bool_), nothing)
    slope = bands[:, :-1] - bands[:, 1:]
    change = slope[1:] - slope[:-1]
    loud = level >= max(float(level.max()) - RANGE_DB, FLOOR_DB)
    return Print(packed(change > 0), loud[1:] & loud[:-1], packed(np.abs(change) >= SURE_DB))


def packed(bits: Flags) -> Words:
    """[n, 32] flags -> [n] words, bit 0 the lowest band."""
    weights = (np.uint32(1) << np.arange(BITS, dtype=np.uint32)).astype(np.uint32)
    return np.asarray((bits * weights).sum(axis=1, dtype=np.uint64), np.uint32)
