"""PocketSphinx 5 (BSD-2-Clause): its endpointer finds speech, its decoder reads it with the en-us model that it has.

The decoder's front end (noise tracker, cepstral mean) is put back at each opening, so that a stream does not depend on
the one before.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers import catalog
from benchmarks.peers.listener import PeerListener, decided
from benchmarks.systems import CHUNK_MS, Ask, Listener, Setup
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples, seconds
from soundflow.errors import SoundflowError
from soundflow.events import Event, SpeechStarted, SpeechStopped, Transcript
from soundflow.types import AudioChunk, FloatArray

NAME = "pocketsphinx"


def build(name: str, setup: Setup) -> Sphinx:
    return Sphinx()


class Sphinx:
    """Holds one decoder; a second stream at the same time gets one of its own."""

    name = NAME

    def __init__(self, chunk_ms: int = CHUNK_MS) -> None:
        self._library = catalog.package(NAME, "pocketsphinx")
        self.chunk = chunk_samples(chunk_ms)
        self._free = [self._decoder()]
        self._mean: str = self._free[0].get_cmn()

    def _decoder(self) -> Any:
        try:
            return self._library.Decoder(samprate=SAMPLE_RATE_HZ, loglevel="FATAL")
        except Exception as error:
            raise SoundflowError(f"{NAME}: the en-us model that the package carries was expected: {error!r}") from error

    def open(self, ask: Ask) -> Listener:
        decoder = self._free.pop() if self._free else self._decoder()
        decoder.reinit_feat()
        decoder.set_cmn(self._mean)
        return _Stream(decoder, self._library.Endpointer(sample_rate=SAMPLE_RATE_HZ), self.chunk, self._free)


class _Stream(PeerListener):
    """The decoder's best text of the open utterance is a partial transcript, that of a closed one a final."""

    def __init__(self, decoder: Any, endpointer: Any, chunk: int, back: list[Any]) -> None:
        super().__init__(NAME, chunk)
        self._decoder, self._ends, self._back = decoder, endpointer, back
        self._rest, self._open, self._last, self._started = b"", False, "", 0.0

    def hear(self, chunk: AudioChunk) -> list[Event]:
        t = seconds(chunk.end_sample)
        events = self._read(pcm16(chunk.samples), t)
        text = self._text() if self._open else ""
        if text and text != self._last:
            self._last = text
            events.append(Transcript(t=t, text=text, final=False, start=self._started, end=t))
        return [*events, decided(chunk, 0.0, fires=False)]

    def _read(self, data: bytes, t: float) -> list[Event]:
        events: list[Event] = []
        data, size = self._rest + data, self._ends.frame_bytes
        for at in range(0, len(data) - size + 1, size):
            was = self._ends.in_speech
            speech = self._ends.process(data[at : at + size])
            if speech is None:
                continue
            if not was and not self._open:
                self._started, self._open, self._last = round(self._ends.speech_start, 3), True, ""
                self._decoder.start_utt()
                events.append(SpeechStarted(t=t, start=self._started))
            self._decoder.process_raw(speech)
            if not self._ends.in_speech:
                events += self._end(t, round(self._ends.speech_end, 3))
        self._rest = data[len(data) - len(data) % size :]
        return events

    def _end(self, t: float, end: float) -> list[Event]:
        self._decoder.end_utt()
        self._open = False
        events: list[Event] = [SpeechStopped(t=t, end=end)]
        if text := self._text():
            events.append(Transcript(t=t, text=text, final=True, start=self._started, end=end))
        return events

    def _text(self) -> str:
        found = self._decoder.hyp()
        return found.hypstr.strip() if found is not None else ""

    def finish(self, now: int) -> list[Event]:
        if not self._open:
            return []
        rest = self._ends.end_stream(self._rest or bytes(2)) if self._ends.in_speech else None  # no empty one
        if rest:
            self._decoder.process_raw(rest)
        return self._end(seconds(now), seconds(now))

    def release(self) -> None:
        if self._open:
            self._decoder.end_utt()
            self._open = False
        if self._decoder not in self._back:
            self._back.append(self._decoder)


def pcm16(samples: FloatArray) -> bytes:
    """[n] in [-1, 1] as 16-bit little-endian bytes."""
    whole = np.round(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2")
    return whole.tobytes()
