"""Clips of a test set as they come: any rate and number of channels that libsndfile reads, as 16 kHz mono."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from benchmarks.corpus import Clips
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError
from soundflow.types import FloatArray

LONGEST_S: Final = 600.0


def read_clip(path: Path, longest_s: float = LONGEST_S) -> FloatArray:
    """[n] samples of a file at 16 kHz, channels averaged, resampled by soxr (HQ).

    Raises:
        DataError: no such file, not audio, empty, longer than `longest_s`, or with samples that are no numbers.
    """
    if not path.is_file():
        raise DataError("expected a clip, got no such file", str(path))
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames > longest_s * file.samplerate:
                raise DataError(f"expected at most {longest_s:g} s, got {file.frames / file.samplerate:.0f}", str(path))
            data, rate = file.read(dtype="float32", always_2d=True), file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"expected audio, got an unreadable file: {error}", str(path)) from error
    if not len(data):
        raise DataError("expected sound, got an empty file", str(path))
    if not np.isfinite(data).all():
        raise DataError("expected finite samples, got NaN or infinity", str(path))
    mono = data.mean(axis=1)
    if rate != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate, SAMPLE_RATE_HZ)
    return np.ascontiguousarray(mono, np.float32)


class AnyClips(Clips):
    """Clips of a folder without an index, of any rate; the last `most` are kept. `audible` leaves a clip whole."""

    def read(self, path: str) -> FloatArray:
        """As `read_clip`."""
        if path not in self._kept:
            self._kept[path] = read_clip(self.folder / path)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(path)
        return self._kept[path]

    def audible(self, path: str) -> FloatArray:
        return self.read(path)


def to_int16(audio: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """[n] samples as 16-bit numbers, full scale 32768."""
    return np.clip(np.round(audio * 32768.0), -32768, 32767).astype(np.int16)


def samples_sha(audio: FloatArray) -> str:
    """sha256 of the samples as 16-bit little-endian numbers: what a clip is, whatever file it lies in."""
    return hashlib.sha256(to_int16(audio).astype("<i2").tobytes()).hexdigest()


def write_wav(path: Path, audio: FloatArray) -> str:
    """16-bit mono WAV at 16 kHz, whole or not at all. Returns `samples_sha`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    soundfile.write(part, to_int16(audio), SAMPLE_RATE_HZ, subtype="PCM_16", format="WAV")
    os.replace(part, path)
    return samples_sha(audio)
