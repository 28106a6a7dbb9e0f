"""Facts of one clip, measured in one bounded pass: level, audible part, clipping, hash of the samples, fingerprint."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from data_builder.clips import FRAME, LONGEST_S, FloatArray, ToMono, blocks, bounds, check_form, peaks, to_int16
from data_builder.stft import HANN, MEL_BANDS, WINDOW, level_db, mel_bands
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

SHORTEST_S: Final = 0.02
RAIL: Final = 0.999  # of full scale, from where on a sample counts as clipped
CELLS: Final = 32
PIECE: Final = 1 << 16  # samples that are measured at once
RANGE: Final = 1e-4  # a cell of the fingerprint is at most 40 dB below the strongest
EDGE_SHARE: Final = 0.01  # of the energy, before and after the stretch that the fingerprint covers
_BANDS: Final = mel_bands()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a clip may be. Larger or longer ones are not read.

    `clipped`: largest share of samples at full scale. `off_s`, `off_share`: how far the duration may be from the
    index' (the larger of the two counts).
    """

    max_bytes: int = 512 << 20
    max_s: float = LONGEST_S  # what `clips.ClipStore` reads
    clipped: float = 0.25
    off_s: float = 0.3
    off_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Facts:
    """A clip as it was found. `onset`, `offset`: the audible part, in samples at 16 kHz; levels in dBFS.

    `sha256`: of the samples as 16 kHz mono int16. `span_s`: seconds that hold nearly all of the energy. `fingerprint`:
    base64 of [32, 16] int8, cells of that span by mel bands, in dB about their mean, scaled.
    """

    seconds: float
    rate: int
    channels: int
    onset: int
    offset: int
    peak: float
    rms_db: float
    floor_db: float
    clipped: float
    sha256: str
    span_s: float
    fingerprint: str


def fingerprint(mel: FloatArray) -> tuple[str, float]:
    """[F, 16] mel power of 10 ms frames -> base64 of [32, 16] int8, and the seconds it covers.

    It covers the stretch that holds all but a hundredth of the energy at either end, so padding, faint noise or a codec
    do not move it. Level and length drop out: cells are equal shares of the stretch, in dB about the mean of all.
    """
    total = np.vstack([np.zeros((1, MEL_BANDS)), np.cumsum(mel, axis=0, dtype=np.float64)])
    energy = total.sum(axis=1)
    if energy[-1] <= 0:
        return base64.b64encode(bytes(CELLS * MEL_BANDS)).decode(), 0.0
    at = np.arange(len(total))
    first, last = np.interp([EDGE_SHARE * energy[-1], (1 - EDGE_SHARE) * energy[-1]], energy, at)
    edges = np.linspace(first, last, CELLS + 1)
    cells = np.diff(np.stack([np.interp(edges, at, band) for band in total.T], axis=1), axis=0)
    shape = 10 * np.log10(np.maximum(cells, cells.max() * RANGE))
    shape -= shape.mean()
    most = float(np.abs(shape).max())
    codes = np.round(shape * (127 / most)) if most > 1e-6 else np.zeros_like(shape)
    return base64.b64encode(codes.astype(np.int8).tobytes()).decode(), float(last - first) * FRAME / SAMPLE_RATE_HZ


class Meter:
    """Collects facts of samples that come in pieces; holds 10 ms frames, never the samples."""

    def __init__(self) -> None:
        self.n, self.peak, self.sum, self.squares = 0, 0.0, 0.0, 0.0
        self.sha256 = hashlib.sha256()
        self._tail = np.zeros(0, dtype=np.float32)
        self._peaks: list[FloatArray] = []
        self._powers: list[NDArray[np.float64]] = []
        self._mel: list[FloatArray] = []

    def add(self, samples: FloatArray) -> None:
        """Samples [n] at 16 kHz, finite."""
        for start in range(0, len(samples), PIECE):
            piece = samples[start : start + PIECE]
            self.n += len(piece)
            self.peak = max(self.peak, float(np.abs(piece).max()))
            self.sum += float(piece.sum(dtype=np.float64))
            self.squares += float(np.square(piece, dtype=np.float64).sum())
            self.sha256.update(to_int16(piece).astype("<i2", copy=False).tobytes())
            self._frames(np.concatenate([self._tail, piece]))

    def _frames(self, x: FloatArray) -> None:
        n = max(0, (len(x) - WINDOW) // FRAME + 1)
        self._tail = x[n * FRAME :]
        if not n:
            return
        whole = x[: n * FRAME].reshape(n, FRAME)
        self._peaks.append(np.abs(whole).max(axis=1))
        self._powers.append(np.mean(np.square(whole, dtype=np.float64), axis=1))
        spectra = rfft(sliding_window_view(x, WINDOW)[::FRAME][:n] * HANN, axis=1)
        self._mel.append(np.asarray(np.square(np.abs(spectra)) @ _BANDS, dtype=np.float32))

    def facts(self, seconds: float, rate: int, channels: int, clipped: float) -> Facts:
        """The facts of all that was added. Raises DataError for silence, or where it is too short."""
        rest = len(self._tail) // FRAME * FRAME
        self._frames(np.pad(self._tail[:rest], (0, WINDOW - FRAME if rest else 0)))
        if self.n < SHORTEST_S * SAMPLE_RATE_HZ or not self._peaks:
            raise DataError(f"expected at least {SHORTEST_S:g} s of sound, got {seconds:.4f} s")
        mean = self.sum / self.n
        if self.squares / self.n - mean * mean < 1e-9:
            raise DataError(
                "expected sound, got silence" if abs(mean) < 1e-4 else "expected sound, got a constant level"
            )
        first, last = bounds(np.concatenate(self._peaks))
        powers = np.concatenate(self._powers)
        code, span_s = fingerprint(np.concatenate(self._mel))
        return Facts(
            seconds=round(seconds, 6),
            rate=rate,
            channels=channels,
            onset=first * FRAME,
            offset=last * FRAME,
            peak=round(self.peak, 6),
            rms_db=round(level_db(self.squares / self.n), 3),
            floor_db=round(level_db(float(np.percentile(powers, 10))), 3),
            clipped=round(clipped, 6),
            sha256=self.sha256.hexdigest(),
            span_s=round(span_s, 6),
            fingerprint=code,
        )


def measure(path: Path, limits: Limits) -> Facts:
    """Facts of a sound file of any rate and number of channels, read block by block.

    Raises DataError where it is no sound that can be used, OSError where it cannot be opened now.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise DataError("expected a regular file, got a folder, device or pipe")
        if not 0 < found.st_size <= limits.max_bytes:
            raise DataError(f"expected 1 to {limits.max_bytes} bytes, got {found.st_size}")
        try:
            with sf.SoundFile(handle, closefd=False) as sound:
                return _measure(sound, limits)
        except sf.LibsndfileError as err:
            raise DataError(f"expected audio, got what cannot be decoded: {err.error_string}") from err
        except (RuntimeError, ValueError, OverflowError, MemoryError) as err:
            raise DataError(f"expected audio, got what cannot be decoded: {type(err).__name__}: {err}") from err
    finally:
        os.close(handle)


def _measure(sound: sf.SoundFile, limits: Limits) -> Facts:
    rate, channels, claimed = int(sound.samplerate), int(sound.channels), int(sound.frames)
    check_form(rate, channels)
    if claimed <= 0:
        raise DataError("expected samples, got none")
    mono, meter, frames, railed = ToMono(rate), Meter(), 0, 0
    for block in blocks(sound, limits.max_s):
        top = peaks(block, frames / rate)
        frames += len(block)
        railed += int(np.count_nonzero(top >= RAIL))
        meter.add(mono.add(block))
    meter.add(mono.end())
    if not frames:
        raise DataError("expected samples, got none")
    if claimed / rate <= limits.max_s and claimed - frames > max(0.1 * rate, 0.02 * claimed):
        raise DataError(f"expected the {claimed / rate:.3f} s of its header, got {frames / rate:.3f} s: it breaks off")
    return meter.facts(frames / rate, rate, channels, railed / frames)
