"""Audio of the terminal client: a source as paced 24 kHz PCM pieces, and a loudspeaker that can stop at once."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from typing import Any, Final

import numpy as np
import soxr

from soundflow.errors import ConfigError, SoundflowError
from soundflow.perceive.source import AudioSource, FileSource, RawSource, mic_source, to_mono
from soundflow.types import FloatArray

RATE_HZ: Final = 24_000
PIECE: Final = 2_400
"""Samples of one message: 100 ms."""
TAIL_S: Final = 2.0
"""Silence behind a file, so that its last words come out."""
_AHEAD: Final = 4


@dataclass(frozen=True, slots=True)
class Input:
    """Where audio comes from. `live`: a microphone, which does not wait, so that what nobody takes is lost; all else is
    sent at most at real time, and waits.
    """

    source: AudioSource
    live: bool


def open_input(file: str, rate_hz: int) -> Input:
    """`file`: a path, `-` for raw 16-bit mono PCM at `rate_hz` on standard input, or empty for what there is: the
    microphone, else standard input where it is a pipe.

    Raises:
        AudioFormatError: the file is no audio.
        ConfigError: there is nothing to hear.
    """
    if file and file != "-":
        from pathlib import Path

        return Input(FileSource(Path(file)), live=False)
    if not file:
        try:
            return Input(mic_source(), live=True)
        except ConfigError as error:
            if sys.stdin is None or sys.stdin.isatty():
                raise ConfigError(f"nothing to hear: {error}; or pass --file X.wav, or --file - for raw PCM") from error
    unbuffered = FileIO(0, "rb", closefd=False)  # a reader that hangs in it holds no lock at exit
    return Input(RawSource(unbuffered, rate_hz, 1, "s16le"), live=False)


def _pcm(samples: FloatArray) -> bytes:
    return bytes((np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes())


def pieces(opened: Input) -> Iterator[bytes]:
    """24 kHz mono 16-bit PCM in pieces of PIECE samples, the last one shorter; TAIL_S of silence at the end.

    Raises:
        AudioFormatError, ConfigError: what the source raises.
    """
    source = opened.source
    stream = soxr.ResampleStream(source.rate_hz, RATE_HZ, 1, dtype="float32", quality="HQ")
    rest: FloatArray = np.zeros(0, np.float32)
    for block in source.blocks():
        mono = np.ascontiguousarray(to_mono(block), np.float32)
        rest = np.concatenate([rest, stream.resample_chunk(mono)])
        while len(rest) >= PIECE:
            yield _pcm(rest[:PIECE])
            rest = rest[PIECE:]
    rest = np.concatenate([rest, stream.resample_chunk(np.zeros(0, np.float32), last=True)])
    if not opened.live:
        rest = np.concatenate([rest, np.zeros(int(TAIL_S * RATE_HZ), np.float32)])
    for at in range(0, len(rest), PIECE):
        yield _pcm(rest[at : at + PIECE])


async def stream(opened: Input) -> AsyncGenerator[bytes, None]:
    """`pieces`, read by a thread of its own. At most _AHEAD pieces wait; then the source does."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[bytes | BaseException | None](_AHEAD)
    stopped = threading.Event()

    def hand(value: bytes | BaseException | None) -> None:
        if not stopped.is_set():
            with suppress(RuntimeError, CancelledError):  # the loop is closed: the program ends
                asyncio.run_coroutine_threadsafe(queue.put(value), loop).result()

    def read() -> None:
        try:
            for piece in pieces(opened):
                if stopped.is_set():
                    return
                hand(piece)
        except (SoundflowError, OSError, ValueError) as error:
            hand(error)
        else:
            hand(None)

    threading.Thread(target=read, name="talk-audio", daemon=True).start()
    began, sent_s = time.monotonic(), 0.0
    try:
        while (value := await queue.get()) is not None:
            if isinstance(value, BaseException):
                raise value
            if not opened.live:
                await asyncio.sleep(began + sent_s - time.monotonic())
                sent_s += len(value) / 2 / RATE_HZ
            yield value
    finally:
        stopped.set()
        while not queue.empty():
            queue.get_nowait()


class Speaker:
    """Plays replies through sounddevice. `stop` is heard within one block of the device.

    Raises:
        ConfigError: there is no sounddevice, PortAudio or loudspeaker.
    """

    def __init__(self, max_s: float = 120.0) -> None:
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise ConfigError(f"loudspeaker: needs sounddevice and PortAudio ({error})") from error
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._bytes = 0
        self._max = int(max_s * RATE_HZ * 2)
        self._item = ""
        self._played = 0
        try:
            self._stream: Any = sounddevice.RawOutputStream(
                samplerate=RATE_HZ, channels=1, dtype="int16", callback=self._fill
            )
            self._stream.start()
        except sounddevice.PortAudioError as error:
            raise ConfigError(f"loudspeaker: {error}") from error

    @property
    def idle(self) -> bool:
        with self._lock:
            return not self._waiting

    def put(self, item: str, pcm: bytes) -> None:
        """Queue the next piece of an item; what is over the bound is dropped."""
        with self._lock:
            if pcm and self._bytes + len(pcm) <= self._max:
                self._waiting.append((item, pcm))
                self._bytes += len(pcm)

    def stop(self) -> tuple[str, int] | None:
        """Drop what waits -> (item, ms of it that were played), None where nothing plays."""
        with self._lock:
            if not self._waiting:
                return None
            item = self._waiting[0][0]
            played = self._played if item == self._item else 0
            self._waiting.clear()
            self._bytes = 0
            return item, played * 1000 // (2 * RATE_HZ)

    def close(self) -> None:
        self._stream.abort()
        self._stream.close()

    def _fill(self, out: Any, frames: int, _time: Any, _status: Any) -> None:
        """PortAudio's thread asks for `frames` samples."""
        with self._lock:
            at = 0
            while at < len(out) and self._waiting:
                item, pcm = self._waiting.popleft()
                if item != self._item:
                    self._item, self._played = item, 0
                part = pcm[: len(out) - at]
                out[at : at + len(part)] = part
                at += len(part)
                self._played += len(part)
                self._bytes -= len(part)
                if len(part) < len(pcm):
                    self._waiting.appendleft((item, pcm[len(part) :]))
            out[at:] = bytes(len(out) - at)
