"""Audio of one client into the engine. A live sender never waits; one that is ahead of the clock waits for room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from serving.codec import AudioFormat, Decoder, decode_base64
from serving.handle import Handle
from soundflow.types import FloatArray

AHEAD_S: Final = 2.0
"""A sender whose audio is this far ahead of the clock is a file, not a microphone."""
PIECE_SAMPLES: Final = 16_000
"""What is pushed at once."""
STALL_S: Final = 3.0
"""An engine that has heard nothing for so long has dropped what was missing."""
RATE_HZ: Final = 16_000
MAX_APPEND_BYTES: Final = 15 * 1024 * 1024


class Feed:
    """Base64 text in `form` -> `Handle.push`. Knows how far the engine has heard.

    pushed_s: position of the next sample on the engine's clock. sent_s: seconds that this client has sent.
    """

    def __init__(self, handle: Handle, form: AudioFormat, clock: Callable[[], float], chunk_s: float) -> None:
        self._handle, self._clock, self._chunk_s = handle, clock, chunk_s
        self._decoder = Decoder(form)
        self._since: float | None = None
        self._pushed = round(handle.heard_s * RATE_HZ)
        self._moved = (handle.heard_s, clock())
        self.base_s = handle.heard_s
        self.sent_s = 0.0

    @property
    def form(self) -> AudioFormat:
        return self._decoder.form

    @property
    def pushed_s(self) -> float:
        return self._pushed / RATE_HZ

    def change(self, form: AudioFormat) -> None:
        """Go on in another format."""
        if form != self.form:
            self._decoder = Decoder(form)

    def reset(self) -> None:
        """The next byte begins a stream: half a sample and what the resampler holds are forgotten."""
        self._decoder.reset()

    def cleared(self) -> None:
        """The engine has dropped what it had not heard."""
        self.reset()
        self._pushed = round(self._handle.heard_s * RATE_HZ)

    async def append(self, audio: Any) -> float:
        """Hear it -> its seconds. Raises AudioFormatError: not base64, or too much."""
        pcm = self._decoder.push(decode_base64(audio, MAX_APPEND_BYTES, "audio"))
        if self._since is None:
            self._since = self._clock()
        for at in range(0, len(pcm), PIECE_SAMPLES):
            if self.sent_s > self._clock() - self._since + AHEAD_S:
                await self._handle.room()
            self._push(pcm[at : at + PIECE_SAMPLES])
        return len(pcm) / RATE_HZ

    def pad(self) -> None:
        """End the stream here: what the resampler holds, then silence to the end of the chunk."""
        self._push(self._decoder.flush())
        chunk = round(self._chunk_s * RATE_HZ)
        if chunk and self._pushed % chunk:
            self._push(np.zeros(chunk - self._pushed % chunk, np.float32))

    def _push(self, pcm: FloatArray) -> None:
        if len(pcm):
            self._handle.push(pcm)
            self._pushed += len(pcm)
            self.sent_s += len(pcm) / RATE_HZ

    def heard(self, at_s: float) -> bool:
        """Whether the engine has heard all whole chunks before `at_s`, or hears no more."""
        heard, now = self._handle.heard_s, self._clock()
        if heard != self._moved[0]:
            self._moved = (heard, now)
        return heard + self._chunk_s > at_s + 1e-6 or now - self._moved[1] >= STALL_S
