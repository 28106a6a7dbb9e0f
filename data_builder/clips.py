"""Reading a clip and its audible part: bounded reads that trust no header, faded ends, a bounded cache of int16."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

FloatArray = NDArray[np.float32]
FRAME = 160  # 10 ms
TRIM_DB = -40.0  # of the clip's peak
LEAD_DB, LEAD_S = -18.0, 0.25  # a clip starts at most LEAD_S before it first rises above LEAD_DB
FADE = 80  # 5 ms
BLOCK: Final = 1 << 22  # values read at once
LONGEST_S: Final = 3600.0  # of a clip that is read whole
RATES_HZ: Final = (4_000, 384_000)
MOST_CHANNELS: Final = 64
MOST_PEAK: Final = 4.0  # 12 dB above full scale: what no encoder overshoots, but a damaged float file does


def bounds(frames: FloatArray, cap: bool = True) -> tuple[int, int]:
    """First and last + 1 audible frame, given [F] peaks of 10 ms frames: the rule of `audible`.

    Raises DataError for silence.
    """
    peak = float(frames.max()) if len(frames) else 0.0
    if peak < 1e-4:
        raise DataError("expected sound, got silence")
    floor = float(np.percentile(frames, 10)) if cap else 0.0
    limit = max(peak * 10 ** (TRIM_DB / 20), min(1.6 * floor, 0.25 * peak))
    loud = np.flatnonzero(frames >= limit)
    first, last = int(loud[0]), int(loud[-1]) + 1
    if cap:
        strong = int(np.flatnonzero(frames >= peak * 10 ** (LEAD_DB / 20))[0])
        first = max(first, strong - int(LEAD_S * SAMPLE_RATE_HZ / FRAME))
    return first, last


def audible(samples: FloatArray, cap: bool = True) -> tuple[int, int]:
    """[onset, offset) of the audible part of a clip, on 10 ms frames.

    A frame counts when its peak is above -40 dB of the clip's peak and above the clip's own noise floor. With `cap`,
    a quiet beginning longer than 0.25 s before the first strong frame is cut too: the first second holds the sound.
    Raises DataError for silence.
    """
    n = len(samples) // FRAME
    if n == 0 or not np.isfinite(samples).all():
        raise DataError(f"expected at least {FRAME} finite samples, got {len(samples)}")
    first, last = bounds(np.abs(samples[: n * FRAME]).reshape(n, FRAME).max(axis=1), cap)
    return first * FRAME, last * FRAME


def burst(samples: FloatArray, quiet_s: float = 0.15, drop_db: float = 20.0) -> FloatArray:
    """The first burst of a clip [N]: up to where it stays `drop_db` under its loudest frame for `quiet_s` seconds.

    One bark of a dog that barks three times. Raises DataError for silence, and for a burst of less than 40 ms.
    """
    onset, offset = audible(samples)
    part = samples[onset:offset]
    n = len(part) // FRAME
    frames = np.abs(part[: n * FRAME]).reshape(n, FRAME).max(axis=1)
    loud = np.flatnonzero(frames >= float(frames.max()) * 10 ** (-drop_db / 20))
    rests = np.flatnonzero(np.diff(loud) > quiet_s * SAMPLE_RATE_HZ / FRAME)
    last = int(loud[rests[0]] if len(rests) else loud[-1]) + 1
    if last - int(loud[0]) < 4:
        raise DataError("expected a burst of at least 40 ms, got a shorter one")
    end = min(len(part), (last + 5) * FRAME)
    return fade(part[:end].copy(), 240)


def fade(samples: FloatArray, n: int = FADE) -> FloatArray:
    """`samples` with `n` samples of linear fade at both ends, in place."""
    n = min(n, len(samples) // 2)
    if n:
        ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
        samples[:n] *= ramp
        samples[-n:] *= ramp[::-1]
    return samples


def blocks(sound: sf.SoundFile, longest_s: float) -> Iterator[FloatArray]:
    """[n, channels] blocks of an open file, each of at most `BLOCK` values, whatever length its header claims.

    Raises DataError once more than `longest_s` came out, sf.LibsndfileError where the file breaks off badly.
    """
    size = max(1, BLOCK // sound.channels)
    most, done = int(longest_s * sound.samplerate), 0
    while done < sound.frames:
        block = sound.read(min(size, most + 1 - done), dtype="float32", always_2d=True)
        if not len(block):
            return
        done += len(block)
        if done > most:
            raise DataError(f"expected at most {longest_s:g} s of sound, got more")
        yield block


class ToMono:
    """Blocks of [n, channels] at `rate` into 16 kHz mono; the catalog and the store read a file to the same samples."""

    def __init__(self, rate: int) -> None:
        same = rate == SAMPLE_RATE_HZ
        self._stream = None if same else soxr.ResampleStream(rate, SAMPLE_RATE_HZ, 1, dtype="float32")

    def add(self, block: FloatArray) -> FloatArray:
        """The samples [m] that can be told by now."""
        mono = block[:, 0] if block.shape[1] == 1 else np.asarray(block.mean(axis=1), dtype=np.float32)
        return mono if self._stream is None else np.asarray(self._stream.resample_chunk(mono), dtype=np.float32)

    def end(self) -> FloatArray:
        """The last samples [m]."""
        rest = np.zeros(0, dtype=np.float32)
        return rest if self._stream is None else np.asarray(self._stream.resample_chunk(rest, last=True))


def to_int16(samples: FloatArray) -> NDArray[np.int16]:
    """Samples in +-1 [N] rounded, those beyond full scale cut."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)


def check_form(rate: int, channels: int) -> None:
    """Raises DataError for a rate or a number of channels that no clip has."""
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise DataError(f"expected a rate of {RATES_HZ[0]} to {RATES_HZ[1]} Hz, got {rate}")
    if not 1 <= channels <= MOST_CHANNELS:
        raise DataError(f"expected 1 to {MOST_CHANNELS} channels, got {channels}")


def peaks(block: FloatArray, at_s: float) -> FloatArray:
    """[n] peaks over the channels of a block [n, channels] at `at_s` s. Raises DataError where it is damaged."""
    top = np.abs(block).max(axis=1)
    if not np.isfinite(top).all():
        raise DataError(f"expected finite samples, got NaN or infinity after {at_s:.3f} s")
    if float(top.max()) > MOST_PEAK:
        raise DataError(f"expected samples within +-{MOST_PEAK:g}, got {float(top.max()):.3g}")
    return np.asarray(top, dtype=np.float32)


def _whole(file: Path | io.BytesIO) -> tuple[FloatArray, int]:
    """[n, channels] and the rate of a file (path or bytes) of at most LONGEST_S."""
    with sf.SoundFile(file) as sound:
        parts = list(blocks(sound, LONGEST_S))
        whole = np.concatenate(parts) if parts else np.zeros((0, sound.channels), dtype=np.float32)
        return whole, int(sound.samplerate)


def _pcm(file: Path) -> NDArray[np.int16]:
    """[N] at 16 kHz of a file of any rate and channels, at most LONGEST_S; never whole in memory at its own rate.

    Raises DataError.
    """
    try:
        with sf.SoundFile(file) as sound:
            check_form(int(sound.samplerate), int(sound.channels))
            mono, parts, frames = ToMono(int(sound.samplerate)), list[NDArray[np.int16]](), 0
            for block in blocks(sound, LONGEST_S):
                peaks(block, frames / sound.samplerate)
                frames += len(block)
                parts.append(to_int16(mono.add(block)))
            parts.append(to_int16(mono.end()))
    except (OSError, RuntimeError, ValueError) as err:  # what libsndfile and soxr raise
        raise DataError(f"expected audio, got an unreadable file: {err}") from err
    whole = np.concatenate(parts)
    if not len(whole):
        raise DataError("expected samples, got none")
    return whole


def load(file: Path | io.BytesIO) -> FloatArray:
    """A sound file of any rate and channels -> [N] float32 at 16 kHz, mono. Raises DataError where it is none."""
    try:
        data, rate = _whole(file)
    except (sf.LibsndfileError, OSError) as err:
        raise DataError(f"expected audio: {err}") from err
    if not len(data) or not np.isfinite(data).all() or not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise DataError(f"expected finite samples at {RATES_HZ[0]} to {RATES_HZ[1]} Hz, got {len(data)} at {rate} Hz")
    return np.asarray(soxr.resample(data.mean(axis=1), rate, SAMPLE_RATE_HZ), dtype=np.float32)


def decode(raw: bytes, longest_s: float, cap: bool = True) -> FloatArray:
    """Bytes of a sound file -> [N] float32 at 16 kHz, mono: its audible part of at most `longest_s`, peak 0.8.

    Raises DataError where they are no audio, or silence.
    """
    mono = load(io.BytesIO(raw))
    first, last = audible(mono, cap)
    clip = mono[first : min(last, first + int(longest_s * SAMPLE_RATE_HZ))]
    return np.asarray(clip * np.float32(0.8 / np.abs(clip).max()), dtype=np.float32)


class ClipStore:
    """Decoded files of folders, kept as int16 up to `max_bytes`; the least recently used goes first.

    Files of any rate and channels are taken, as the catalog takes them. A path is looked for in all folders.
    """

    def __init__(self, *roots: Path, max_bytes: int = 128 << 20) -> None:
        self.roots, self.max_bytes, self.bytes = tuple(dict.fromkeys(roots)), max_bytes, 0
        self._kept: OrderedDict[str, NDArray[np.int16]] = OrderedDict()

    def read(self, path: str) -> FloatArray:
        """[N] float32 of a file, 16 kHz mono. Raises DataError naming it where it is no clip or is in two folders."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path].astype(np.float32) / 32768.0
        try:
            mono = _pcm(self._find(path))
        except DataError as err:
            raise DataError(str(err), path) from err
        self._kept[path] = mono
        self.bytes += mono.nbytes
        while self.bytes > self.max_bytes and len(self._kept) > 1:
            self.bytes -= self._kept.popitem(last=False)[1].nbytes
        return mono.astype(np.float32) / 32768.0

    def _find(self, path: str) -> Path:
        found = [root for root in self.roots if (root / path).is_file()]
        if len(found) > 1:
            raise DataError(f"expected one folder that holds it, got {found[0]} and {found[1]}")
        return (found or self.roots)[0] / path

    def clip(self, path: str, cap: bool = True) -> FloatArray:
        """The audible part of a file, faded. Raises DataError naming the file."""
        samples = self.read(path)
        try:
            onset, offset = audible(samples, cap)
        except DataError as err:
            raise DataError(str(err), path) from err
        return fade(samples[onset:offset].copy())
