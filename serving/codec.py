"""Audio on the wire: bytes of a stated format <-> float32. PCM s16le at 24 or 16 kHz, G.711 at 8 kHz, base64.

A stream may be cut anywhere, in the middle of a sample too: the odd byte waits for the next push.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import soxr
from numpy.typing import NDArray

from soundflow.errors import AudioFormatError
from soundflow.perceive.resample import StreamResampler
from soundflow.types import FloatArray

PCM: Final = "audio/pcm"
PCMU: Final = "audio/pcmu"
PCMA: Final = "audio/pcma"
PCM_RATES_HZ: Final = (24_000, 16_000)
G711_RATE_HZ: Final = 8_000


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """`type` is PCM, PCMU or PCMA."""

    type: str = PCM
    rate_hz: int = PCM_RATES_HZ[0]

    @property
    def sample_bytes(self) -> int:
        return 2 if self.type == PCM else 1

    def ms(self, n_bytes: int) -> float:
        """Milliseconds that so many bytes last."""
        return 1000.0 * n_bytes / (self.sample_bytes * self.rate_hz)

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type, "rate": self.rate_hz}


def parse_format(body: Any, where: str) -> AudioFormat:
    """`{"type": ..., "rate": ...}` as the wires have it; no rate is the format's usual one.

    Raises:
        AudioFormatError: another type or rate; `where` begins the message.
    """
    if not isinstance(body, dict) or body.get("type", PCM) not in (PCM, PCMU, PCMA):
        raise AudioFormatError(f"{where}: {PCM}, {PCMU} or {PCMA} was expected, got {body!r:.80}")
    kind, rate = body.get("type", PCM), body.get("rate")
    allowed = PCM_RATES_HZ if kind == PCM else (G711_RATE_HZ,)
    if rate is not None and (isinstance(rate, bool) or rate not in allowed):
        raise AudioFormatError(
            f"{where}.rate: {' or '.join(map(str, allowed))} was expected for {kind}, got {rate!r:.40}"
        )
    return AudioFormat(kind, int(rate or allowed[0]))


def decode_base64(text: Any, limit: int, where: str) -> bytes:
    """Strict base64 of at most `limit` bytes once decoded.

    Raises:
        AudioFormatError: not a string, too long, or not base64.
    """
    if not isinstance(text, str):
        raise AudioFormatError(f"{where}: base64 text was expected, got {type(text).__name__}")
    if len(text) > (limit + 2) // 3 * 4:
        raise AudioFormatError(f"{where}: at most {limit} bytes of audio were expected, got about {len(text) * 3 // 4}")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AudioFormatError(f"{where}: base64 was expected: {error}") from error


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


class Decoder:
    """Bytes of one stream -> mono float32 at 16 kHz. What the resampler holds back comes with later bytes."""

    def __init__(self, form: AudioFormat) -> None:
        self.form = form
        self._odd, self._begun = b"", False
        self._stream = StreamResampler(form.rate_hz)

    def reset(self) -> None:
        """Forget the half sample and the resampler's state: the next byte begins a stream."""
        if self._begun:
            self._odd, self._begun = b"", False
            self._stream = StreamResampler(self.form.rate_hz)

    def push(self, data: bytes) -> FloatArray:
        """Any bytes -> [n] samples at 16 kHz that are ready."""
        self._begun = True
        if self.form.type == PCM:
            data = self._odd + data
            cut = len(data) // 2 * 2
            data, self._odd = data[:cut], data[cut:]
            samples: FloatArray = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
        else:
            table = _ulaw_values() if self.form.type == PCMU else _alaw_values()
            samples = table[np.frombuffer(data, np.uint8)]
        return self._stream.push(samples)

    def flush(self) -> FloatArray:
        """[n] what the resampler holds back; the next byte begins a stream."""
        rest = self._stream.flush()
        self.reset()
        return rest


class Encoder:
    """Mono float32 at `in_rate_hz` -> bytes of one stream."""

    def __init__(self, form: AudioFormat, in_rate_hz: int) -> None:
        if not 1_000 <= in_rate_hz <= 384_000:
            raise AudioFormatError(f"encoder: 1000 to 384000 Hz were expected, got {in_rate_hz}")
        self.form, self.in_rate_hz = form, in_rate_hz
        self._stream: Any = None
        if in_rate_hz != form.rate_hz:
            self._stream = soxr.ResampleStream(in_rate_hz, form.rate_hz, 1, dtype="float32", quality="HQ")

    def push(self, samples: FloatArray, last: bool = False) -> bytes:
        """[n] samples -> the bytes that are ready; with `last` all that is left. NaN becomes silence, what is louder
        than full scale is clipped.
        """
        if samples.ndim != 1:
            raise AudioFormatError(f"encoder: mono samples [n] were expected, got {samples.shape}")
        samples = np.nan_to_num(np.ascontiguousarray(samples, np.float32), posinf=1.0, neginf=-1.0)
        if self._stream is not None:
            samples = self._stream.resample_chunk(samples, last=last)
        whole = np.clip(np.round(samples * 32768.0), -32768, 32767).astype("<i2")
        if self.form.type == PCM:
            return whole.tobytes()
        table = _ulaw_codes() if self.form.type == PCMU else _alaw_codes()
        return table[whole.view(np.uint16)].tobytes()


@cache
def _ulaw_values() -> FloatArray:
    """[256] the value of each mu-law code (ITU-T G.711), full scale 1."""
    code = ~np.arange(256, dtype=np.uint8)
    mantissa, exponent = (code & 0x0F).astype(np.int32), ((code >> 4) & 7).astype(np.int32)
    size = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return (np.where(code & 0x80, -size, size) / 32768).astype(np.float32)


@cache
def _alaw_values() -> FloatArray:
    """[256] the value of each A-law code (ITU-T G.711), full scale 1."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    mantissa, exponent = (code & 0x0F).astype(np.int32), ((code >> 4) & 7).astype(np.int32)
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return (np.where(code & 0x80, size, -size) / 32768).astype(np.float32)


@cache
def _ulaw_codes() -> NDArray[np.uint8]:
    return _nearest(_ulaw_values(), prefer=0xFF)


@cache
def _alaw_codes() -> NDArray[np.uint8]:
    return _nearest(_alaw_values(), prefer=0xD5)


def _nearest(values: FloatArray, prefer: int) -> NDArray[np.uint8]:
    """[65536], by the bits of a 16-bit sample: the code whose value is nearest; `prefer` stands for silence."""
    order = np.argsort(values, kind="stable").astype(np.uint8)
    levels = (values[order] * 32768).astype(np.int32)
    edges = (levels[1:] + levels[:-1] + 1) // 2
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    codes: NDArray[np.uint8] = order[np.searchsorted(edges, samples, side="right")]
    codes[0] = prefer
    return codes
