"""Spectrogram of a clip and back: Hann windows of 32 ms every 8 ms, whose overlap-add is exact."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from data_builder.clips import FloatArray
from soundflow import SAMPLE_RATE_HZ

ComplexArray = NDArray[np.complex64]
WINDOW: Final = 512
HOP: Final = 128
MEL_BANDS: Final = 16
_LOW_HZ, _HIGH_HZ = 60.0, 3700.0  # what a telephone or a low bit rate still carries
HANN: Final[FloatArray] = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
_ENERGY: Final = 0.375 * WINDOW  # sum of the squared window
_EDGE: Final = WINDOW - HOP


def transform(x: FloatArray) -> ComplexArray:
    """[N] -> [F, 257]; frame i is centred on sample 128 * i - 128. The ends are padded with zeros."""
    padded = np.pad(x, (_EDGE, _EDGE + -len(x) % HOP))
    return np.asarray(rfft(sliding_window_view(padded, WINDOW)[::HOP] * HANN, axis=1), dtype=np.complex64)


def inverse(spectra: ComplexArray, n: int) -> FloatArray:
    """[F, 257] -> [n]: the clip that `transform` came from, where nothing was changed."""
    frames = irfft(spectra, WINDOW, axis=1) * HANN
    out = np.zeros((len(frames) - 1) * HOP + WINDOW, dtype=np.float32)
    for k in range(WINDOW // HOP):  # every fourth frame: these do not overlap
        part = frames[k :: WINDOW // HOP]
        out[k * HOP : k * HOP + part.size] += part.reshape(-1)
    return np.asarray(out[_EDGE : _EDGE + n] / np.float32(1.5), dtype=np.float32)


def powers(squares: NDArray[np.float32]) -> NDArray[np.float64]:
    """[F, 257] squared magnitudes -> [F] mean square of the samples under each window."""
    both = 2 * squares.sum(axis=1, dtype=np.float64) - squares[:, 0] - squares[:, -1]
    return np.asarray(both / (WINDOW * _ENERGY), dtype=np.float64)


def level_db(power: float) -> float:
    """dBFS of a mean square; -120 for silence."""
    return 10 * float(np.log10(max(power, 1e-12)))


def _mel(hz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


def mel_bands() -> FloatArray:
    """[257, 16] triangles evenly spaced in mel (O'Shaughnessy's formula) over that range."""
    edges = 700.0 * (10 ** (np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), MEL_BANDS + 2) / 2595.0) - 1.0)
    hz = np.arange(WINDOW // 2 + 1)[:, None] * (SAMPLE_RATE_HZ / WINDOW)
    rise = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32)
