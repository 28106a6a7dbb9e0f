"""What the loudspeaker plays, written down: every piece of a system's voice, when it was made, heard and cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import soxr

from benchmarks.duplex import texts
from soundflow import SAMPLE_RATE_HZ
from soundflow.respond.speech_text import sentences, speakable
from soundflow.respond.voice import Voice
from soundflow.types import Decision, FloatArray, Perception

KEPT_TEXTS: Final = 64
TRIM_DB: Final = -40.0  # of a piece's peak: where its voice begins and ends


@dataclass(slots=True)
class Piece:
    """A sentence of the system's voice. Samples: `born` when it was made, heard from `start` to `end`; `whole` is where
    it ends if nobody cuts it."""

    start: int
    end: int
    born: int
    whole: int
    text: str


@dataclass(slots=True)
class Ledger:
    """What the loudspeaker plays; `now` is the sample at which the current push ends, and is set by the driver.

    An observer of `Stream` and of `Playback`. `audio` [n] at 16 kHz is only kept where `keep` asks for it.
    """

    keep: bool = False
    now: int = 0
    text: str = ""
    pieces: list[Piece] = field(default_factory=list)
    audio: dict[int, FloatArray] = field(default_factory=dict)

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None:
        """Nothing: steps are timed around the push."""

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        loud = np.flatnonzero(np.abs(audio) >= np.abs(audio).max(initial=1e-6) * 10 ** (TRIM_DB / 20))
        if not len(loud):
            return
        first, last = (int(loud[k]) * SAMPLE_RATE_HZ // rate_hz for k in (0, -1))
        self.pieces.append(Piece(sample + first, sample + last + 1, self.now, sample + last + 1, self.text))
        if self.keep:
            self.audio[sample] = soxr.resample(audio, rate_hz, SAMPLE_RATE_HZ).astype(np.float32)

    def on_voice_cancelled(self, sample: int) -> None:
        for piece in self.pieces:
            piece.end = min(piece.end, max(piece.start, sample))
        for at, audio in self.audio.items():
            self.audio[at] = audio[: max(0, sample - at)]

    def played(self, count: int) -> FloatArray:
        """[count] samples of what was heard."""
        out = np.zeros(count, np.float32)
        for at, audio in self.audio.items():
            piece = audio[: max(0, count - at)]
            out[at : at + len(piece)] += piece
        return out


class Spoken:
    """A voice that tells the ledger which sentence a piece is of. Texts that are given (`texts.GIVEN`, `texts.STOCK`)
    are made once: their making is no part of a system's answer."""

    def __init__(self, inner: Voice) -> None:
        self.inner, self.name, self.rate_hz = inner, inner.name, inner.rate_hz
        self._kept: dict[str, list[FloatArray]] = {}

    def warm(self) -> Spoken:
        """Make what is given, so that no step has to."""
        for text in (*texts.GIVEN, texts.STOCK):
            for sentence in sentences(speakable(text)):
                for _ in self.pieces(sentence, True):
                    pass
        return self

    def told_to(self, ledger: Ledger) -> Voice:
        return _Told(self, ledger)

    def pieces(self, sentence: str, keep: bool) -> Iterator[FloatArray]:
        if not keep:
            yield from self.inner.speak(sentence)
            return
        if sentence not in self._kept:
            if len(self._kept) >= KEPT_TEXTS:
                self._kept.clear()
            self._kept[sentence] = list(self.inner.speak(sentence))
        yield from self._kept[sentence]


class _Told:
    """`Spoken` for one stream."""

    def __init__(self, spoken: Spoken, ledger: Ledger) -> None:
        self._spoken, self._ledger = spoken, ledger
        self.name, self.rate_hz = spoken.name, spoken.rate_hz

    def speak(self, text: str) -> Iterator[FloatArray]:
        given = text in texts.GIVEN or text == texts.STOCK
        for sentence in sentences(speakable(text)):
            for piece in self._spoken.pieces(sentence, given):
                self._ledger.text = sentence
                yield piece
