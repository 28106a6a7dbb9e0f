"""Bytes of headerless audio -> float samples in [-1, 1]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.types import FloatArray

SAMPLE_BYTES: Final[Mapping[str, int]] = {
    "s16le": 2,
    "s24le": 3,
    "s32le": 4,
    "f32le": 4,
    "u8": 1,
    "mulaw": 1,
    "alaw": 1,
}


def decode(data: bytes, sample_format: str) -> FloatArray:
    """Whole samples of a format of `SAMPLE_BYTES` -> [n] float32.

    Raises:
        AudioFormatError: `data` is not a whole number of samples.
    """
    width = SAMPLE_BYTES.get(sample_format)
    if width is None:
        raise ConfigError(f"raw audio: expected a sample format in {sorted(SAMPLE_BYTES)}, got {sample_format!r}")
    if len(data) % width:
        raise AudioFormatError(f"raw audio: expected samples of {width} bytes, got {len(data)} bytes ({sample_format})")
    return _DECODERS[sample_format](data)


def _s16le(data: bytes) -> FloatArray:
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(1 << 15)


def _s24le(data: bytes) -> FloatArray:
    high = np.zeros((len(data) // 3, 4), np.uint8)
    high[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return high.view("<i4")[:, 0].astype(np.float32) / np.float32(1 << 31)


def _s32le(data: bytes) -> FloatArray:
    return np.frombuffer(data, "<i4").astype(np.float32) / np.float32(1 << 31)


def _f32le(data: bytes) -> FloatArray:
    return np.frombuffer(data, "<f4").astype(np.float32)


def _u8(data: bytes) -> FloatArray:
    return (np.frombuffer(data, np.uint8).astype(np.float32) - np.float32(128)) / np.float32(128)


def _mulaw_table() -> FloatArray:
    """[256], ITU-T G.711 mu-law: the byte is inverted; sign, 3 bits of segment, 4 bits of step, bias 33."""
    code: NDArray[np.int32] = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) * 2 + 33) << ((code >> 4) & 7)) - 33
    return (np.where(code & 0x80, -magnitude, magnitude) / 8192).astype(np.float32)


def _alaw_table() -> FloatArray:
    """[256], ITU-T G.711 A-law: even bits inverted; sign, 3 bits of segment, 4 bits of step."""
    code: NDArray[np.int32] = np.arange(256, dtype=np.int32) ^ 0x55
    segment, step = (code >> 4) & 7, code & 0x0F
    magnitude = np.where(segment == 0, 2 * step + 1, (2 * step + 33) << np.maximum(segment - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) / 4096).astype(np.float32)


_MULAW = _mulaw_table()
_ALAW = _alaw_table()
_DECODERS: Final[Mapping[str, Callable[[bytes], FloatArray]]] = {
    "s16le": _s16le,
    "s24le": _s24le,
    "s32le": _s32le,
    "f32le": _f32le,
    "u8": _u8,
    "mulaw": lambda data: _MULAW[np.frombuffer(data, np.uint8)],
    "alaw": lambda data: _ALAW[np.frombuffer(data, np.uint8)],
}
