"""What the timeline picture needs, gathered while the stream runs, in memory that does not grow with its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from soundflow import SAMPLE_RATE_HZ
from soundflow.events import (
    Action,
    Event,
    ReplyCancelled,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from soundflow.sinks import call_text, one_line
from soundflow.types import Decision, FloatArray, Kind, Perception

MEL_BANDS = 64
LOW_HZ, HIGH_HZ = 50.0, 8000.0
_FFT = 512
_HOP = 160
T = TypeVar("T")


class Columns:
    """[n, width] values at an even pace, at most `limit` columns: when full, neighbours are merged and the pace halves.

    `peak` keeps the larger of two neighbours, otherwise their mean is kept.
    """

    def __init__(self, width: int, step_s: float, limit: int, *, peak: bool) -> None:
        if limit % 2:
            raise ValueError(f"limit: expected an even number of columns, got {limit}")
        self._data = np.zeros((limit, width), np.float32)
        self._sum = np.zeros(width, np.float32)
        self._peak = peak
        self._part = 0
        self._per = 1
        self._n = 0
        self._step_s = step_s

    @property
    def seconds_each(self) -> float:
        return self._step_s * self._per

    @property
    def values(self) -> FloatArray:
        """[n, width]; a column still being filled is included."""
        whole = self._data[: self._n]
        if not self._part:
            return whole
        last = self._sum if self._peak else self._sum / np.float32(self._part)
        return np.vstack([whole, last[None]]).astype(np.float32)

    def add(self, row: FloatArray) -> None:
        """Append one row [width]."""
        if not self._part:
            self._sum = row.astype(np.float32)
        elif self._peak:
            self._sum = np.maximum(self._sum, row)
        else:
            self._sum = self._sum + row
        self._part += 1
        if self._part < self._per:
            return
        self._data[self._n] = self._sum if self._peak else self._sum / self._part
        self._part = 0
        self._n += 1
        if self._n == len(self._data):
            pairs = self._data.reshape(-1, 2, self._data.shape[1])
            self._n //= 2
            self._data[: self._n] = pairs.max(axis=1) if self._peak else pairs.mean(axis=1)
            self._per *= 2


class Spectrum:
    """Log-mel power of a stream, 10 ms a row before merging; any slicing of the input gives the same rows."""

    def __init__(self, limit: int = 8000) -> None:
        self.columns = Columns(MEL_BANDS, _HOP / SAMPLE_RATE_HZ, limit, peak=False)
        self._window = np.hanning(_FFT).astype(np.float32)
        self._filters = mel_filters()
        self._rest: FloatArray = np.zeros(0, np.float32)

    def push(self, pcm: FloatArray) -> None:
        """Append `pcm` [n], mono 16 kHz."""
        audio = np.concatenate([self._rest, pcm]) if len(self._rest) else pcm
        count = max(0, (len(audio) - _FFT) // _HOP + 1)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(audio, _FFT)[::_HOP][:count]
            power = np.abs(np.fft.rfft(frames * self._window, axis=1)) ** 2
            for row in (power @ self._filters).astype(np.float32):
                self.columns.add(row)
        self._rest = audio[count * _HOP :].copy()

    def decibels(self) -> FloatArray:
        """[n, MEL_BANDS] decibels."""
        return (10 * np.log10(np.maximum(self.columns.values, 1e-9))).astype(np.float32)


def mel(hz: float) -> float:
    """Mel value (HTK) of a frequency."""
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


def mel_filters() -> FloatArray:
    """[bins, MEL_BANDS] triangular filters of unit area."""
    edges = 700.0 * (10 ** (np.linspace(mel(LOW_HZ), mel(HIGH_HZ), MEL_BANDS + 2) / 2595.0) - 1.0)
    bins = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ)[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (bins - low) / (centre - low), (high - bins) / (high - centre)
    filters = np.maximum(0.0, np.minimum(rise, fall))
    nearest = np.abs(bins - centre).argmin(axis=0)
    for band in np.flatnonzero(filters.sum(axis=0) == 0):
        filters[nearest[band], band] = 1.0
    return np.asarray(filters / filters.sum(axis=0), np.float32)


class Kept(Generic[T]):
    """The first `limit` of a sequence, and how many came after."""

    def __init__(self, limit: int) -> None:
        self.items: list[T] = []
        self.dropped = 0
        self._limit = limit

    def add(self, item: T) -> None:
        if len(self.items) < self._limit:
            self.items.append(item)
        else:
            self.dropped += 1


@dataclass(slots=True)
class Span:
    """Something with a start and an end in seconds; `mark` says how it is drawn."""

    start: float
    end: float
    text: str = ""
    p: float = 1.0
    mark: str = ""


@dataclass(slots=True)
class Story:
    """Everything on the picture besides the spectrum and the curves."""

    sounds: Kept[Span] = field(default_factory=lambda: Kept(4000))
    words: Kept[Span] = field(default_factory=lambda: Kept(4000))
    speech: Kept[Span] = field(default_factory=lambda: Kept(4000))
    answers: Kept[Span] = field(default_factory=lambda: Kept(2000))  # mark: speak, act, cut
    decisions: Kept[Span] = field(default_factory=lambda: Kept(2000))  # mark: speak, act
    voice: Kept[Span] = field(default_factory=lambda: Kept(2000))


class Recorder:
    """Takes the audio, the steps and the events of one stream.

    `labels` names the tag rows of `Perception.tags`; without it the picture shows sound events only.
    """

    def __init__(self, chunk_ms: float, labels: Sequence[str] = (), columns: int = 3000) -> None:
        self.labels = tuple(labels)
        self.spectrum = Spectrum()
        self.tags = Columns(len(self.labels), chunk_ms / 1000, columns, peak=True)
        self.chances = Columns(2, chunk_ms / 1000, columns, peak=True)  # p(speak), p(act)
        self.story = Story()
        self.samples = 0
        self._replies: dict[str, tuple[float, str]] = {}
        self._sounds: dict[str, SoundEvent] = {}
        self._speech: float | None = None
        self._last: tuple[str, Span] | None = None

    @property
    def seconds(self) -> float:
        return self.samples / SAMPLE_RATE_HZ

    def heard(self, pcm: FloatArray) -> None:
        """Append input [n], mono 16 kHz."""
        self.spectrum.push(pcm)
        self.samples += len(pcm)

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None:
        if self.labels:
            self.tags.add(perception.sure[: len(self.labels)])
        self.chances.add(np.asarray(decision.p[1:], np.float32))
        if decision.kind is not Kind.SILENT:
            t = perception.end_sample / SAMPLE_RATE_HZ
            self.story.decisions.add(Span(t, t, p=decision.p[decision.kind], mark=decision.kind.label))

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        start, length = sample / SAMPLE_RATE_HZ, len(audio) / rate_hz
        spans = self.story.voice.items
        if spans and start <= spans[-1].end + 0.1:
            spans[-1].end = spans[-1].end + length
        else:
            self.story.voice.add(Span(start, start + length))

    def on_voice_cancelled(self, sample: int) -> None:
        end = sample / SAMPLE_RATE_HZ
        spans = self.story.voice.items
        if spans:
            spans[-1].end = max(spans[-1].start, min(spans[-1].end, end))

    def emit(self, event: Event) -> None:
        match event:
            case SoundEvent(offset=None):
                self._sounds[event.label] = event
            case SoundEvent():
                self._sounds.pop(event.label, None)
                self.story.sounds.add(Span(event.onset, event.offset or event.onset, event.label, event.p))
            case SpeechStarted():
                self._speech = event.start
            case SpeechStopped():
                if self._speech is not None:
                    self.story.speech.add(Span(self._speech, event.end))
                self._speech = None
            case Transcript(final=True):
                self.story.words.add(Span(event.start, event.end, one_line(event.text)))
            case ReplyStarted():
                self._replies[event.id] = (event.t, event.text)
            case ReplyDelta() if event.id in self._replies:
                start, text = self._replies[event.id]
                self._replies[event.id] = (start, (text + event.text)[:1000])
            case ReplyDone():
                self._answer(event.id, event.t, event.text, "speak")
            case ReplyCancelled():
                if self._last and self._last[0] == event.id:  # made in full, cut while it was played
                    self._last[1].mark = "cut"
                else:
                    self._answer(event.id, event.t, event.text, "cut")
            case Action():
                self._replies = {key: value for key, value in self._replies.items() if value[1]}
                question = "  (confirm?)" if event.confirm else ""
                self.story.answers.add(Span(event.t, event.t, call_text(event) + question, mark="act"))

    def _answer(self, id_: str, t: float, text: str, mark: str) -> None:
        start, _ = self._replies.pop(id_, (t, ""))
        span = Span(start, t, one_line(text) or "(no word yet)", mark=mark)
        self._last = (id_, span)
        self.story.answers.add(span)

    def close(self) -> None:
        """Turn what is still open into spans up to the end of the audio. Nothing may be added afterwards."""
        self.spectrum.push(np.zeros(_FFT - _HOP, np.float32))
        for sound in self._sounds.values():
            self.story.sounds.add(Span(sound.onset, max(self.seconds, sound.onset), sound.label, sound.p, mark="open"))
        if self._speech is not None:
            self.story.speech.add(Span(self._speech, max(self.seconds, self._speech)))
        for start, text in ((start, text) for start, text in self._replies.values() if text):
            self.story.answers.add(Span(start, max(self.seconds, start), one_line(text), mark="speak"))
        self._sounds, self._speech, self._replies = {}, None, {}
