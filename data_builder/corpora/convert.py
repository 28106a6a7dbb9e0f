"""One clip of a corpus as 16 kHz mono FLAC, read block by block so that a long or hostile file takes no memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf
import soxr

from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

SHORTEST_S: Final = 0.05
RATES: Final = (4_000, 384_000)
MOST_CHANNELS: Final = 64
QUEUE: Final = 16
"""Clips a worker that may wait, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Job:
    """Stretch `start` to `end` (seconds, end 0: to the end) of `audio` to `out`, at most `longest_s` of it.

    `whole`: a longer one is an error and not cut, for its words would no longer fit."""

    audio: Path
    out: Path
    start: float
    end: float
    longest_s: float
    whole: bool


def convert(job: Job) -> float:
    """Seconds of the clip that was written; one that is there is kept. Raises DataError where it cannot be read."""
    if job.out.is_file():
        try:
            info = sf.info(str(job.out))
            if info.samplerate == SR and info.channels == 1 and info.frames > 0:
                return float(info.frames / SR)
        except (sf.LibsndfileError, OSError):
            pass  # made anew
    if not os.path.isfile(job.audio):
        raise DataError("expected a file, got none", str(job.audio))
    try:
        mono = _read(job)
    except (sf.LibsndfileError, OSError, RuntimeError, ValueError, OverflowError) as err:
        raise DataError(f"expected audio: {str(err)[:200]}", str(job.audio)) from err
    if len(mono) < SHORTEST_S * SR:
        raise DataError(f"expected at least {SHORTEST_S} s, got {len(mono) / SR:.3f} s", str(job.audio))
    if not np.isfinite(mono).all():
        raise DataError("expected finite samples, got NaN or infinity", str(job.audio))
    if float(np.abs(mono).max()) < 1e-5:
        raise DataError("expected sound, got silence", str(job.audio))
    job.out.parent.mkdir(parents=True, exist_ok=True)
    part = job.out.with_name(f"{job.out.name}.part")
    sf.write(str(part), np.clip(mono, -1.0, 1.0), SR, subtype="PCM_16", format="FLAC")
    os.replace(part, job.out)
    return len(mono) / SR


def _read(job: Job) -> np.ndarray:
    """[N] float32 at 16 kHz, mono."""
    with sf.SoundFile(str(job.audio)) as file:
        rate, channels = file.samplerate, file.channels
        if not RATES[0] <= rate <= RATES[1] or channels > MOST_CHANNELS:
            raise ValueError(f"expected {RATES[0]} to {RATES[1]} Hz, got {rate} Hz with {channels} channels")
        first = round(job.start * rate)
        if first:
            if first >= file.frames:
                raise ValueError(f"expected the stretch from {job.start:g} s, the file has {file.frames / rate:.2f} s")
            file.seek(first)
        wanted = job.end - job.start if job.end else float("inf")
        if job.whole and wanted != float("inf") and wanted > job.longest_s:
            raise ValueError(f"expected at most {job.longest_s:g} s of speech, got {wanted:.1f} s")
        left = round(min(wanted, job.longest_s) * rate) + (rate if job.whole and wanted == float("inf") else 0)
        blocks, total, there = [np.zeros(0, np.float32)], 0, min(left, file.frames - first)
        while total < left:
            block = file.read(min(rate, left - total), dtype="float32", always_2d=True)
            if not len(block):
                break
            blocks.append(block.mean(axis=1))
            total += len(block)
    if total < 0.9 * there:
        raise ValueError(f"expected {there} samples as the header says, the file is cut after {total}")
    mono = np.concatenate(blocks)
    if job.whole and wanted == float("inf") and total > job.longest_s * rate:
        raise ValueError(f"expected at most {job.longest_s:g} s of speech, got more")
    return mono if rate == SR else np.asarray(soxr.resample(mono, rate, SR), dtype=np.float32)


def _attempt(job: Job | None) -> float | str:
    """Seconds, or the reason why there is no clip."""
    if job is None:
        return 0.0
    try:
        return convert(job)
    except DataError as err:
        return str(err).removeprefix(f"{job.audio}: ")


def _nothing() -> Future[float | str]:
    done: Future[float | str] = Future()
    done.set_result(0.0)
    return done


def convert_all(jobs: Iterable[Job | None], workers: int = 1) -> Iterator[float | str]:
    """Seconds or the reason of each job (0 for None), in order; at most `QUEUE` jobs a worker wait at a time."""
    if workers <= 1:
        yield from map(_attempt, jobs)
        return
    waiting: deque[Future[float | str]] = deque()
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for job in jobs:
                waiting.append(pool.submit(_attempt, job) if job else _nothing())
                if len(waiting) >= QUEUE * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    except BrokenProcessPool as err:
        raise DataError("a worker that converts clips was killed; run it again, what is done is kept") from err
