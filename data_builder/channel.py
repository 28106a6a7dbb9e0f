"""What lies between the air and the stream: loudspeaker, microphone, codec and packets. Length and time are kept.

mu-law and A-law are ITU-T G.711, by their levels; Opus, Vorbis and GSM 06.10 are libsndfile's, in memory. A codec that
this libsndfile has not is replaced by its band limits, and the facts say so. Decoded audio is a function of the input
and of the library's version, not of the clock (only the serial number of an Ogg stream, which is thrown away, is).
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, Final

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.signal import butter, sosfilt

from data_builder.clips import FloatArray
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.clock import samples
from soundflow.errors import ConfigError, DataError

Rng = np.random.Generator
Facts = dict[str, Any]
Bell = tuple[float, float, float]  # Hz, Q, dB
Sections = NDArray[np.float64]  # [k, 6] of a filter, second order each
PACKET: Final = samples(0.02)
HELD: Final = samples(0.06)  # a repeated packet has died away after this
JOIN: Final = samples(0.0025)
BLOCK: Final = 4096  # libvorbis puts a whole write on the stack: libsndfile issue 1095
FLUSH: Final = samples(0.04)  # silence after the last sample, so that a codec gives all of them back
LATEST: Final = samples(0.03)  # no codec here delays more

# kind: (share of the draws, codecs of which one is drawn, share of the streams that lose packets)
KINDS: Final[dict[str, tuple[float, tuple[str, ...], float]]] = {
    "microphone": (0.25, (), 0.0),
    "overdrive": (0.08, (), 0.0),
    "telephone": (0.15, ("mu-law", "a-law"), 0.4),
    "mobile": (0.10, ("gsm",), 0.6),
    "voip": (0.25, ("opus",), 0.6),
    "upload": (0.07, ("vorbis",), 0.0),
    "wideband": (0.10, ("7 kHz",), 0.4),
    "speaker": (0.0, (), 0.0),  # a small loudspeaker, before the room: only on request
}
BANDS_HZ: Final = {
    "mu-law": (300, 3400), "a-law": (300, 3400), "gsm": (300, 3400), "opus": (60, 6000), "vorbis": (40, 7000),
    "7 kHz": (50, 7000),
}  # fmt: skip
FILES: Final = {"opus": ("OGG", "OPUS", SR), "vorbis": ("OGG", "VORBIS", SR), "gsm": ("WAV", "GSM610", SR // 2)}
OPUS_BPS: Final = (8_000, 12_000, 16_000, 24_000, 32_000)
VORBIS_QUALITY: Final = (0.0, 0.1, 0.3)


def apply(rng: Rng, x: FloatArray, kind: str | None = None) -> tuple[FloatArray, Facts]:
    """`x` [N] through a channel of `kind` (a key of KINDS; None: drawn), and what it was, for the JSON.

    The result has the length and, within 1 ms, the timing of `x`; it lies in [-1, 1]. Offsets in the facts are samples
    of the stream. Raises ConfigError for an unknown kind, DataError unless `x` is finite and 1-D.
    """
    x = np.asarray(x, dtype=np.float32)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise DataError(f"expected finite samples [N], got {x.shape} with {int((~np.isfinite(x)).sum())} of NaN or Inf")
    if kind is None:
        shares = np.array([k[0] for k in KINDS.values()])
        kind = list(KINDS)[int(rng.choice(len(KINDS), p=shares / shares.sum()))]
    if kind not in KINDS:
        raise ConfigError(f"expected a channel of {sorted(KINDS)}, got {kind!r}")
    _, codecs, losing = KINDS[kind]
    facts: Facts = {"kind": kind}
    if kind == "speaker":
        y, facts["speaker"] = speaker(rng, x)
    else:
        y, facts["microphone"] = microphone(rng, x, overdriven=kind == "overdrive")
    if codecs:
        y, facts["codec"] = code(rng, y, codecs[int(rng.integers(len(codecs)))])
    if rng.random() < losing:
        y, facts["loss"] = lose(rng, y)
    return np.clip(y, -1.0, 1.0).astype(np.float32, copy=False), facts


def microphone(rng: Rng, x: FloatArray, overdriven: bool = False) -> tuple[FloatArray, Facts]:
    """`x` [N] as a small microphone hears it: band, resonances, noise of its own, a gain that stays, a soft ceiling.

    The rise below 8 kHz is the foot of a MEMS port's resonance. Its noise is drawn as data sheets of such microphones
    have it (-26 dBFS at 94 dB SPL, 58 to 68 dB of signal to noise), and worse by an amplifier. `overdriven`: the gain
    brings peaks 2 to 11 dB over full scale, and what comes out is turned down again.
    """
    low, high = float(np.exp(rng.uniform(np.log(25), np.log(180)))), float(rng.uniform(6200, 7800))
    bells = [(float(rng.uniform(6200, 7400)), 1.0, float(rng.uniform(0, 6))), *_bells(rng, 250, 5000, 5.0)]
    own_db, gain_db = float(rng.uniform(-92, -62)), float(rng.uniform(-6, 6))
    own = rng.standard_normal(len(x), dtype=np.float32) * np.float32(10 ** (own_db / 20))
    corners = [butter(2, low, "highpass", fs=SR, output="sos"), butter(4, high, "lowpass", fs=SR, output="sos")]
    y = _filter(x + own, bells, corners)
    down = 1.0
    if overdriven:
        over = float(rng.uniform(2, 11)) - 20 * float(np.log10(max(1e-6, float(np.abs(y).max()))))
        gain_db, down = min(over, 40.0), float(rng.uniform(0.3, 1.0))
    y = soften(y * np.float32(10 ** (gain_db / 20))) * np.float32(down)
    facts = {"band_hz": [round(low), round(high)], "gain_db": round(gain_db, 1), "noise_db": round(own_db, 1)}
    return y, facts | {"turned_down": round(down, 2)} if overdriven else facts


def speaker(rng: Rng, x: FloatArray) -> tuple[FloatArray, Facts]:
    """`x` [N] as a small loudspeaker plays it (television, telephone, radio), at about its own level."""
    low, high = float(rng.uniform(120, 400)), float(rng.uniform(4500, 7600))
    drive_db = float(rng.uniform(-12, 4))
    gain = 10 ** (drive_db / 20) / max(1e-4, float(np.abs(x).max()))
    y = _filter(_band(x, low, high), _bells(rng, 400, 6000, 6.0))
    y = soften(y * np.float32(gain), 0.5) / np.float32(gain)
    return y, {"band_hz": [round(low), round(high)], "drive_db": round(drive_db, 1)}


def soften(x: FloatArray, knee: float = 0.8) -> FloatArray:
    """`x` [N] unchanged up to `knee`, bent towards 1 above it."""
    over = np.maximum(np.abs(x) - knee, 0)
    bent = knee + (1 - knee) * np.tanh(over / (1 - knee))
    return np.where(over > 0, np.sign(x) * bent, x).astype(np.float32, copy=False)


def code(rng: Rng, x: FloatArray, name: str) -> tuple[FloatArray, Facts]:
    """`x` [N] coded and decoded, its delay taken out; settings are drawn. Raises ConfigError for an unknown codec."""
    if name not in BANDS_HZ:
        raise ConfigError(f"expected a codec of {sorted(BANDS_HZ)}, got {name!r}")
    facts: Facts = {"name": name}
    level = None
    if name == "opus":
        facts["bit_rate"] = int(rng.choice(OPUS_BPS))
        level = 1 - (facts["bit_rate"] - 6_000) / 250_000  # libsndfile: 6 kbit/s at 1 to 256 at 0
    elif name == "vorbis":
        facts["quality"] = float(rng.choice(VORBIS_QUALITY))
        level = 1 - facts["quality"]
    real = name not in FILES or FILES[name][1] in sf.available_subtypes(FILES[name][0])
    low, high = BANDS_HZ[name]
    y = np.clip(_band(x, low, high) if high < 4000 or name == "7 kHz" or not real else x, -1.0, 1.0)
    if not real:
        return y, facts | {"name": f"band of {name}"}
    if name in FILES:
        lag = delay(name, level)
        y = _shift(_through(name, level, y, max(lag, 0)), lag, len(x))
        facts["delay"] = lag
    elif name in LEVELS:
        y = _at_8k(y, LEVELS[name])
    return y, facts


def lose(rng: Rng, x: FloatArray) -> tuple[FloatArray, Facts]:
    """`x` [N] with 20 ms packets lost as E. N. Gilbert and E. O. Elliott's two-state chain loses them.

    0.5 to 10 % of the time is bad, 1.5 to 6 packets on end; of those 60 to 100 % are lost, of the others 0.05 %. In
    their place come zeros, or the packet before them over and over, dying away within 60 ms.
    """
    share, run = float(np.exp(rng.uniform(np.log(0.005), np.log(0.1)))), float(rng.uniform(1.5, 6))
    when_bad, repeat = float(rng.uniform(0.6, 1.0)), bool(rng.random() < 0.6)
    count = -(-len(x) // PACKET)
    draws = rng.random((count + 1, 2))
    bad = bool(draws[0, 0] < share)
    lost = np.zeros(count + 2, dtype=np.int8)
    for k, (moves, falls) in enumerate(draws[1:].tolist()):
        lost[k + 1] = falls < (when_bad if bad else 0.0005)
        bad = moves >= 1 / run if bad else moves < share / (run * (1 - share))
    edges = np.flatnonzero(np.diff(lost)) * PACKET
    bursts = [(int(a), min(int(b), len(x))) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    y = x.copy()
    for onset, offset in bursts:
        _conceal(y, onset, offset, repeat)
    facts: Facts = {"packet": PACKET, "concealment": "repeat" if repeat else "zeros"}
    return y, facts | {"share": round(float(lost.sum()) / count, 4), "lost": [list(b) for b in bursts]}


def _conceal(y: FloatArray, onset: int, offset: int, repeat: bool) -> None:
    if not repeat or onset < PACKET:
        y[onset:offset] = 0
        return
    end = min(offset + JOIN, len(y))
    fill = np.resize(y[onset - PACKET : onset], end - onset)
    fill = fill * np.clip(1 - np.arange(end - onset, dtype=np.float32) / HELD, 0, 1)
    back = np.linspace(0, 1, end - offset, dtype=np.float32)
    y[offset:end] = y[offset:end] * back + fill[offset - onset :] * (1 - back)
    y[onset:offset] = fill[: offset - onset]


@lru_cache(maxsize=64)
def delay(name: str, level: float | None) -> int:
    """Samples at 16 kHz by which a codec of FILES comes late, measured once on a voice-like sweep."""
    t = np.arange(SR) / SR
    phase = 2 * np.pi * (100 * t + 60 * t * t)  # 100 to 220 Hz: no two periods are alike
    buzz = 0.1 * np.sum([np.sin(k * phase) / k for k in range(1, 25)], axis=0)
    probe = _band(buzz.astype(np.float32), 300, 3400)
    heard = _through(name, level, probe, LATEST)
    width = 4 * SR
    match = irfft(rfft(heard, width) * np.conj(rfft(probe, width)), width)
    lags = np.concatenate([match[-LATEST:], match[: LATEST + 1]])
    return int(np.argmax(lags)) - LATEST


def _through(name: str, level: float | None, x: FloatArray, more: int) -> FloatArray:
    """[N + more] out of the codec, as late as it comes."""
    container, subtype, rate = FILES[name]
    count = len(x) + more
    padded = np.pad(x, (0, more + FLUSH + (count + FLUSH) % 2))
    if rate != SR:
        padded = np.asarray(soxr.resample(padded, SR, rate), dtype=np.float32)
    raw = io.BytesIO()
    try:
        settings = {} if level is None else {"compression_level": level}
        with sf.SoundFile(raw, "w", rate, 1, subtype, format=container, **settings) as file:
            for at in range(0, len(padded), BLOCK):
                file.write(padded[at : at + BLOCK])
        raw.seek(0)
        out, _ = sf.read(raw, frames=len(padded), dtype="float32")
    except sf.LibsndfileError as err:
        raise DataError(f"expected {name} to code {len(padded)} samples: {err}") from err
    if rate != SR:
        out = np.asarray(soxr.resample(out, rate, SR), dtype=np.float32)
    return _shift(out, 0, count)


def _shift(x: FloatArray, by: int, n: int) -> FloatArray:
    """[n] of `x` from sample `by` on, zeros where it has none."""
    out = np.zeros(n, dtype=np.float32)
    part = x[max(by, 0) : max(by, 0) + n - max(-by, 0)]
    out[max(-by, 0) : max(-by, 0) + len(part)] = part
    return out


def _at_8k(x: FloatArray, levels: FloatArray) -> FloatArray:
    """`x` [N] at 8 kHz, each sample moved to the nearest of `levels`."""
    narrow = soxr.resample(np.pad(x, (0, FLUSH + len(x) % 2)), SR, SR // 2)
    narrow = levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, narrow)]
    return _shift(np.asarray(soxr.resample(narrow, SR // 2, SR), dtype=np.float32), 0, len(x))


def _g711() -> dict[str, FloatArray]:
    """Decoder levels of mu-law and A-law, ascending, from the segments (0 to 7) and steps (0 to 15) of G.711."""
    segment, step = np.divmod(np.arange(128), 16)
    mu = (((step << 3) + 132) << segment) - 132
    a = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 264) << np.maximum(segment - 1, 0))
    both = {"mu-law": mu, "a-law": a}
    return {k: (np.unique(np.concatenate([-v, v])) / 32768).astype(np.float32) for k, v in both.items()}


LEVELS: Final = _g711()


def _bells(rng: Rng, low: float, high: float, most_db: float) -> list[Bell]:
    """Two resonances (Hz, Q, dB) anywhere between `low` and `high` Hz."""
    at = np.exp(rng.uniform(np.log(low), np.log(high), 2))
    return [(float(hz), float(rng.uniform(0.7, 3)), float(rng.uniform(-most_db, most_db))) for hz in at]


def _band(x: FloatArray, low: float, high: float) -> FloatArray:
    """`x` [N] between two corners in Hz (-6 dB), in phase: there and back through half the slopes."""
    half = [butter(1, low, "highpass", fs=SR, output="sos"), butter(2, high, "lowpass", fs=SR, output="sos")]
    return _filter(_filter(x, [], half)[::-1], [], half)[::-1]


def _filter(x: FloatArray, bells: list[Bell], corners: list[Sections] | None = None) -> FloatArray:
    """`x` [N] with resonances and corners; causal, less than 1 ms late above 300 Hz where the corners are below 200."""
    sos = np.concatenate([*(corners or []), *(_bell(*b) for b in bells)])
    # A trace of a constant keeps the filter's tail in silence from becoming denormal.
    return np.asarray(sosfilt(sos, x.astype(np.float64) + 1e-20), dtype=np.float32)


def _bell(hz: float, q: float, gain_db: float) -> Sections:
    """[1, 6] peaking section (R. Bristow-Johnson, "Audio EQ Cookbook")."""
    root, w = 10 ** (gain_db / 40), 2 * np.pi * hz / SR
    alpha, middle = np.sin(w) / (2 * q), -2 * np.cos(w)
    top = np.array([1 + alpha * root, middle, 1 - alpha * root])
    bottom = np.array([1 + alpha / root, middle, 1 - alpha / root])
    return np.asarray(np.concatenate([top, bottom])[None] / bottom[0])
