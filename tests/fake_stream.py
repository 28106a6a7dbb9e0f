"""A stand-in for the loop: hears loud chunks, reports a sound, speaks once, acts once. No weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from soundflow.events import (
    Action,
    DecisionEvent,
    Event,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from soundflow.intake import Options
from soundflow.listen import Engine, Stream, Watcher
from soundflow.types import Decision, FloatArray, Kind, Perception, Vad, Words

CHUNK = 6400
LABELS = ("Speech", "Smoke detector, smoke alarm", "Dog")
LOUD = 0.02


class FakeStream:
    """Chunk k is answered at its end; chunks louder than LOUD (RMS) are a smoke alarm."""

    def __init__(self, watcher: Watcher, voice: bool = False, step_ms: float = 50.0) -> None:
        self._watcher = watcher
        self._rest: FloatArray = np.zeros(0, np.float32)
        self._chunk = 0
        self._voice = voice
        self._step_ms = step_ms
        self._alarm: float | None = None
        self.closed = 0

    def push(self, pcm: FloatArray) -> list[Event]:
        assert pcm.ndim == 1
        assert pcm.dtype == np.float32
        self._rest = np.concatenate([self._rest, pcm])
        events: list[Event] = []
        while len(self._rest) >= CHUNK:
            events += self._step(self._rest[:CHUNK])
            self._rest = self._rest[CHUNK:]
        return events

    def poll(self) -> list[Event]:
        return []

    def close(self) -> list[Event]:
        self.closed += 1
        events: list[Event] = []
        if len(self._rest):
            events = self._step(np.pad(self._rest, (0, CHUNK - len(self._rest))))
        return events

    def _step(self, samples: FloatArray) -> list[Event]:
        k, t = self._chunk, (self._chunk + 1) * CHUNK / 16_000
        self._chunk += 1
        loud = float(np.sqrt((samples**2).mean())) > LOUD
        events: list[Event] = []
        kind = Kind.SILENT
        if loud and self._alarm is None:
            self._alarm, kind = t, Kind.SPEAK
            events.append(SoundEvent(t=t, label=LABELS[1], p=0.83, onset=t - 0.3))
        elif not loud and self._alarm is not None:
            kind = Kind.ACT
            events.append(SoundEvent(t=t, label=LABELS[1], p=0.83, onset=self._alarm - 0.3, offset=t))
            self._alarm = None
        p = (0.05, 0.9, 0.05) if kind is Kind.SPEAK else (0.05, 0.05, 0.9) if kind is Kind.ACT else (0.96, 0.03, 0.01)
        chances = dict(zip(("silent", "speak", "act"), p, strict=True))
        events.append(DecisionEvent(t=t, decision=kind.label, p=chances, chunk=k))
        if kind is Kind.SPEAK:
            text = "I hear a smoke alarm."
            events += [
                ReplyStarted(t=t, id="r1"),
                ReplyDelta(t=t, id="r1", text=text),
                ReplyDone(t=t, id="r1", text=text),
            ]
            if self._voice:
                self._watcher.on_voice(self._chunk * CHUNK, 22_050, np.full(22_050, 0.5, np.float32))
        if kind is Kind.ACT:
            events.append(Action(t=t, name="set_fan", arguments={"on": True, "room": "kitchen"}, confirm=True))
        if k == 3:
            events += [SpeechStarted(t=t, start=t - 0.6), SpeechStopped(t=t, end=t)]
            events.append(Transcript(t=t, text="thank you", final=True, start=t - 0.6, end=t, stable=2))
        tags = np.array([0.1, 0.83 if loud else 0.01, 0.02], np.float32)
        level = 20 * float(np.log10(max(1e-6, np.abs(samples).max())))
        nothing = np.zeros(1, np.float32)
        seen = Perception(
            chunk=k, end_sample=self._chunk * CHUNK, tags=tags, sound=nothing, speech=nothing, vad=Vad((), False),
            words=Words(), level_db=level,
        )  # fmt: skip
        self._watcher.on_step(seen, Decision(k, kind, p), self._step_ms)
        return events


def fake_engine(streams: list[FakeStream] | None = None) -> Callable[[Options], Engine]:
    """A replacement of `listen.load_engine`; the streams that it opens are appended to `streams`."""

    def load(options: Options) -> Engine:
        def open_stream(watcher: Watcher) -> Stream:
            stream = FakeStream(watcher, voice=options.voice is not None)
            if streams is not None:
                streams.append(stream)
            return stream

        return Engine(400.0, LABELS, open_stream)

    return load
