"""A small room for tests: what a microphone hears of a loudspeaker."""

from __future__ import annotations

import numpy as np

from soundflow import SAMPLE_RATE_HZ
from soundflow.types import FloatArray


def simulate_echo(
    reference: FloatArray, gain_db: float, rng: np.random.Generator, rt60_s: float = 0.3, delay_ms: float = 20
) -> FloatArray:
    """`reference` [N] through a random room of unit energy (direct path, exponentially decaying noise), then scaled."""
    length = int(rt60_s * SAMPLE_RATE_HZ)
    tail = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail[0] = 3.0
    response = np.concatenate([np.zeros(round(delay_ms * SAMPLE_RATE_HZ / 1000)), tail / np.linalg.norm(tail)])
    size = 1 << (len(reference) + len(response)).bit_length()
    heard = np.fft.irfft(np.fft.rfft(reference, size) * np.fft.rfft(response, size), size)[: len(reference)]
    return (heard * 10 ** (gain_db / 20)).astype(np.float32)
