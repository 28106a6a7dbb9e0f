"""The system's own voice on the clock of its stream: what plays when, and what an echo of it would be made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol

import numpy as np
import soxr

from soundflow import SAMPLE_RATE_HZ
from soundflow.respond.voice import Voice
from soundflow.types import FloatArray

MAX_PLAYBACK_S: Final = 60
MAX_PIECES: Final = 64


class VoiceObserver(Protocol):
    """Hears the voice, or that the rest of it was dropped; samples are of the stream."""

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None: ...
    def on_voice_cancelled(self, sample: int) -> None: ...


class Playback:
    """The pieces that play now or soon, as a sequence of (first sample, [n] at 16 kHz); at most MAX_PIECES.

    Args:
        voice: without one nothing ever plays.
        observer: is given the pieces at the voice's own rate.
    """

    def __init__(self, voice: Voice | None = None, observer: VoiceObserver | None = None) -> None:
        self.playhead = 0
        self._voice, self._observer = voice, observer
        self._pieces: deque[tuple[int, FloatArray]] = deque(maxlen=MAX_PIECES)

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, index: int) -> tuple[int, FloatArray]:
        return self._pieces[index]

    def speak(self, text: str) -> Iterator[FloatArray]:
        """Pieces of `text` at the voice's own rate, made as they are taken."""
        return self._voice.speak(text) if self._voice is not None and text.strip() else iter(())

    def play(self, pieces: Iterator[FloatArray], now: int) -> int:
        """Put what `speak` gave behind what plays already, up to MAX_PLAYBACK_S ahead of sample `now`.

        Returns:
            The sample at which the voice ends; 0 without a voice.
        """
        if self._voice is None:
            return 0
        self.playhead = max(self.playhead, now)
        for piece in pieces:
            if self.playhead - now > MAX_PLAYBACK_S * SAMPLE_RATE_HZ:
                break
            if self._observer:
                self._observer.on_voice(self.playhead, self._voice.rate_hz, piece)
            heard = soxr.resample(piece, self._voice.rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
            self._pieces.append((self.playhead, heard))
            self.playhead += len(heard)
        return self.playhead

    def cancel(self, now: int) -> None:
        """Drop all that was not played by sample `now`."""
        self.playhead = now
        self._pieces.clear()
        if self._observer:
            self._observer.on_voice_cancelled(now)

    def drop(self, before: int) -> None:
        """Forget the pieces that ended before sample `before`."""
        while self._pieces and self._pieces[0][0] + len(self._pieces[0][1]) < before:
            self._pieces.popleft()

    def reference(self, start: int, count: int) -> FloatArray:
        """[count] samples of the voice as it plays from sample `start`; zeros where it is quiet."""
        out = np.zeros(count, np.float32)
        for at, audio in self._pieces:
            low, high = max(at, start), min(at + len(audio), start + count)
            if low < high:
                out[low - start : high - start] += audio[low - at : high - at]
        return out
