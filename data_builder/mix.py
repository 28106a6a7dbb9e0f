"""Levels, noise, loops and speed: pure functions of an array and a generator."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import oaconvolve

from data_builder.clips import FloatArray
from soundflow import SAMPLE_RATE_HZ

NOISES = {"white": 0.0, "pink": -3.0, "brown": -6.0}


def db(x: FloatArray) -> float:
    """RMS of `x` in dBFS (full-scale sine = -3 dB); -120 for silence."""
    rms = float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if len(x) else 0.0
    return 20 * float(np.log10(max(rms, 1e-6)))


def to_db(x: FloatArray, level: float) -> tuple[FloatArray, float]:
    """`x` scaled to an RMS of `level` dBFS, and the gain in dB. Silence stays silence."""
    now = db(x)
    gain = 0.0 if now <= -119 else level - now
    return x * np.float32(10 ** (gain / 20)), gain


def noise(rng: np.random.Generator, n: int, slope_db: float) -> FloatArray:
    """[n] noise of unit RMS whose spectrum falls by `slope_db` an octave above 40 Hz."""
    size = next_fast_len(n, real=True)
    bins = size // 2 + 1
    freq = np.maximum(np.arange(bins, dtype=np.float32) * (SAMPLE_RATE_HZ / size), 40.0)
    shape = (freq / 40.0) ** np.float32(slope_db / 6.0206)
    spectrum = (rng.standard_normal((bins, 2), dtype=np.float32) * shape[:, None]).view(np.complex64)[:, 0]
    spectrum[0] = 0
    out = irfft(spectrum, size)[:n]
    return np.asarray(out / max(1e-9, float(np.sqrt(np.mean(out * out)))), dtype=np.float32)


def band(x: FloatArray, low: float, high: float) -> FloatArray:
    """`x` between `low` and `high` Hz; slopes of 24 and 36 dB an octave."""
    size = next_fast_len(len(x), real=True)
    freq = np.arange(size // 2 + 1, dtype=np.float32) * (SAMPLE_RATE_HZ / size)
    keep = 1 / (1 + (low / np.maximum(freq, 1.0)) ** 8) / (1 + (freq / high) ** 12)
    return np.asarray(irfft(rfft(x, size) * keep, size)[: len(x)], dtype=np.float32)


def tail(x: FloatArray, response: FloatArray, longest: int) -> FloatArray:
    """`x` in the room with its reverberation, at most `longest` samples."""
    return np.asarray(oaconvolve(x, response)[:longest], dtype=np.float32)


def loop(rng: np.random.Generator, x: FloatArray, n: int) -> FloatArray:
    """[n] out of a recording from a drawn place on; a shorter one is looped with a cross-fade."""
    start = int(rng.integers(len(x)))
    if len(x) > n:
        start = int(rng.integers(len(x) - n + 1))
        return x[start : start + n].copy()
    ramp = min(800, len(x) // 4)
    ends = np.linspace(0.0, 1.0, ramp, dtype=np.float32)
    body = x[: len(x) - ramp].copy()
    body[:ramp] = body[:ramp] * ends + x[len(x) - ramp :] * ends[::-1]
    return np.resize(np.roll(body, -start), n)


def speed(x: FloatArray, factor: float) -> FloatArray:
    """`x` played `factor` times as fast (pitch moves along)."""
    at = np.arange(0, len(x) - 1, factor, dtype=np.float64)
    return np.interp(at, np.arange(len(x)), x).astype(np.float32)


def limit(x: FloatArray, peak: float = 0.97) -> tuple[FloatArray, float]:
    """The whole of `x` lowered so that no sample passes `peak`, and the gain in dB."""
    top = float(np.abs(x).max()) if len(x) else 0.0
    if top <= peak:
        return x, 0.0
    return x * np.float32(peak / top), 20 * float(np.log10(peak / top))
