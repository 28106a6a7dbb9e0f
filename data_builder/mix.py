"""Signal side of a mix: noise, room, microphone and codec. Pure functions of an array and a generator."""

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


def room(rng: np.random.Generator) -> tuple[FloatArray, float]:
    """A synthetic room response and its RT60 in seconds: direct path at sample 0, then a decaying diffuse tail."""
    rt60 = float(rng.uniform(0.15, 0.8))
    n = int(min(rt60, 0.6) * SAMPLE_RATE_HZ)
    t = np.arange(n, dtype=np.float32) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(n, dtype=np.float32) * np.exp(-6.91 * t / rt60)
    tail[: int(rng.integers(30, 200))] = 0  # gap before the first reflection
    direct_to_tail = 10 ** (float(rng.uniform(0.0, 12.0)) / 20)
    out = tail / (np.sqrt(np.sum(tail * tail)) * direct_to_tail)
    out[0] = 1.0
    return np.asarray(out / np.sqrt(np.sum(out * out)), dtype=np.float32), rt60


def convolve(x: FloatArray, response: FloatArray) -> FloatArray:
    """`x` in the room, cut to its length."""
    return np.asarray(oaconvolve(x, response)[: len(x)], dtype=np.float32)


def _band(x: FloatArray, low: float, high: float) -> FloatArray:
    size = next_fast_len(len(x), real=True)
    freq = np.arange(size // 2 + 1, dtype=np.float32) * (SAMPLE_RATE_HZ / size)
    keep = 1 / (1 + (low / np.maximum(freq, 1.0)) ** 8) / (1 + (freq / high) ** 12)
    return np.asarray(irfft(rfft(x, size) * keep, size)[: len(x)], dtype=np.float32)


def colour(rng: np.random.Generator, x: FloatArray) -> tuple[FloatArray, str]:
    """Microphone or codec: a band limit, mild clipping or mu-law; and its name."""
    kind = ("telephone", "7kHz", "clip", "mu-law")[int(rng.integers(4))]
    if kind == "telephone":
        return _band(x, 300.0, 3400.0), kind
    if kind == "7kHz":
        return _band(x, 60.0, 7000.0), kind
    peak = max(1e-6, float(np.abs(x).max()))
    if kind == "clip":
        drive = float(rng.uniform(1.2, 3.0))
        return np.asarray(np.tanh(x * (drive / peak)) * (peak / drive), dtype=np.float32), kind
    code = np.sign(x) * np.log1p(255 * np.minimum(np.abs(x), 1)) / np.log(256)
    code = np.round(code * 127) / 127
    return np.asarray(np.sign(code) * (256 ** np.abs(code) - 1) / 255, dtype=np.float32), kind


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
