"""Audio events of any format -> mono float32 at 16 kHz, and replies -> audio events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from wyoming.audio import AudioChunk
from wyoming.event import Event

from serving.wyoming.frames import FrameError
from soundflow.perceive.pcm import decode
from soundflow.perceive.resample import StreamResampler
from soundflow.perceive.source import MAX_RATE_HZ, MIN_RATE_HZ
from soundflow.types import FloatArray

MAX_CHANNELS: Final = 8
PIECE: Final = 4_096  # samples of one event out
_FORMATS: Final = {1: "u8", 2: "s16le", 3: "s24le", 4: "s32le"}


@dataclass(frozen=True, slots=True)
class Format:
    """rate in Hz, width in bytes a sample (1 is unsigned, more are signed little-endian)."""

    rate: int
    width: int
    channels: int

    @classmethod
    def of(cls, event: Event) -> Format:
        """FrameError("bad_audio") names the field that is wrong."""
        return cls(
            _whole(event.data, "rate", MIN_RATE_HZ, MAX_RATE_HZ),
            _whole(event.data, "width", min(_FORMATS), max(_FORMATS)),
            _whole(event.data, "channels", 1, MAX_CHANNELS),
        )


def timestamp_of(event: Event) -> int | None:
    """Milliseconds, where the event carries them."""
    return None if event.data.get("timestamp") is None else _whole(event.data, "timestamp", 0, 2**53)


def _whole(data: dict[str, Any], key: str, least: int, most: int) -> int:
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise FrameError("bad_audio", f"{key}: expected an integer from {least} to {most}, got {value!r:.80}")
    return value


class Converter:
    """One stream of audio. The format may change on the way; the sample clock then goes on."""

    def __init__(self) -> None:
        self._format: Format | None = None
        self._resampler: StreamResampler | None = None

    def push(self, event: Event) -> FloatArray:
        """The samples of an `audio-chunk` that are ready, [n] at 16 kHz."""
        given = Format.of(event)
        rest = np.zeros(0, np.float32)
        if given != self._format:
            rest = self.flush()
            self._format, self._resampler = given, StreamResampler(given.rate)
        assert self._resampler is not None
        return np.concatenate([rest, self._resampler.push(_mono(event.payload or b"", given))])

    def flush(self) -> FloatArray:
        """What the resampler still holds."""
        if self._resampler is None:
            return np.zeros(0, np.float32)
        rest, self._resampler, self._format = self._resampler.flush(), None, None
        return rest


def _mono(payload: bytes, given: Format) -> FloatArray:
    frame = given.width * given.channels
    if len(payload) % frame:
        raise FrameError("bad_audio", f"payload: expected frames of {frame} bytes, got {len(payload)} bytes")
    mixed: FloatArray = decode(payload, _FORMATS[given.width]).reshape(-1, given.channels).mean(1, dtype=np.float32)
    return mixed


def chunks(audio: FloatArray, rate_hz: int, start: int = 0) -> Iterator[Event]:
    """[n] float32 as `audio-chunk` events of 16 bits; `start`: samples that came before, for the timestamps."""
    whole = (np.clip(audio, -1.0, 1.0) * 32_767).astype("<i2")
    for at in range(0, len(whole), PIECE):
        stamp = (start + at) * 1000 // rate_hz
        yield AudioChunk(rate_hz, 2, 1, whole[at : at + PIECE].tobytes(), timestamp=stamp).event()
