"""Samples, chunks and seconds: the only place that rounds."""

from __future__ import annotations

from soundflow import SAMPLE_RATE_HZ


def chunk_samples(chunk_ms: int) -> int:
    """Samples in a chunk of `chunk_ms` at 16 kHz."""
    return chunk_ms * SAMPLE_RATE_HZ // 1000


def chunk_of(sample: int, size: int) -> int:
    """Index of the chunk that holds `sample`, counting from 0."""
    return sample // size


def samples(seconds: float) -> int:
    """Nearest sample to a time in seconds."""
    return round(seconds * SAMPLE_RATE_HZ)


def seconds(sample: int) -> float:
    """Time of a sample in seconds, to the microsecond."""
    return round(sample / SAMPLE_RATE_HZ, 6)
