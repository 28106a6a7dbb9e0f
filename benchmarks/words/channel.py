"""Two systems of this package: "words" (our words channel alone, as a stream) and "whole" (its recogniser, whole clip).

"whole" is what streaming is measured against: the same weights, all of the recording at once, no stream.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.systems import CHUNK_MS, Ask
from benchmarks.words.plan import WORDS
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples, seconds
from soundflow.events import Event
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.labels import SPEECH
from soundflow.perceive.moonshine import Moonshine
from soundflow.perceive.normalise import LevelTracker
from soundflow.perceive.sound import SoundEncoder, labels
from soundflow.perceive.vad import VoiceActivity
from soundflow.perceive.words import WordsChannel, WordsConfig
from soundflow.report import transcript_events
from soundflow.tiers import nano
from soundflow.types import AudioChunk, FloatArray, Words

WINDOW: Final = 28 * SAMPLE_RATE_HZ


class Channel:
    """Voice activity, speech gate and words channel of the nano tier; no decisions, no replies."""

    name = WORDS

    def __init__(self, recogniser: Moonshine) -> None:
        parts = nano.parts()
        self.chunk = chunk_samples(CHUNK_MS)
        self.vad = VoiceActivity(parts.vad)
        self.words = WordsChannel(recogniser, WordsConfig())
        self.sound = SoundEncoder(parts.sound, self.chunk)
        names = labels(parts.sound)
        self.columns = [i for i, name in enumerate(names) if name in SPEECH]

    def open(self, ask: Ask) -> ChannelListener:
        return ChannelListener(self)


class ChannelListener:
    """One stream of it; the events are the transcripts that `soundflow.loop.Stream` would give."""

    def __init__(self, system: Channel) -> None:
        self.topics: list[str] = []
        self.likes: list[str] = []
        self.step_ms: list[float] = []
        self._system = system
        self._chunker = Chunker(system.chunk)
        self._level = LevelTracker(system.chunk)
        self._levels, self._sounds = self._level.init_state(), system.sound.init_state()
        self._vad, self._words = system.vad.init_state(), system.words.init_state()
        self._began = self._stable = self._now = 0

    def push(self, pcm: FloatArray) -> list[Event]:
        return [event for chunk in self._chunker.push(pcm) for event in self._step(chunk)]

    def close(self) -> list[Event]:
        last = self._chunker.flush()
        events = self._step(last) if last else []
        return events + self._told(self._system.words.flush(self._words))

    def _step(self, chunk: AudioChunk) -> list[Event]:
        began = time.perf_counter()
        system = self._system
        activity = system.vad.step(chunk, self._vad)
        frames = system.sound.step(self._level.step(chunk.samples, self._levels).samples, self._sounds)
        score = float(frames.scores[:, system.columns].max())
        words = system.words.step(chunk, activity, self._words, score)
        self._began = activity.started if activity.started is not None else self._began
        self._now = chunk.end_sample
        self.step_ms.append((time.perf_counter() - began) * 1000)
        return self._told(words)

    def _told(self, words: Words) -> list[Event]:
        self._stable += len(words.new)
        events = transcript_events(words, seconds(self._now), self._began, self._stable)
        if words.final is not None:
            self._stable = 0
        return events


def whole(recordings: Sequence[FloatArray], recogniser: Moonshine) -> str:
    """Each recording in one window, or in as few equal ones of at most 28 s as it needs (the recogniser's limit)."""
    said = []
    for recording in recordings:
        for window in np.array_split(recording, -(-len(recording) // WINDOW)):
            said.append(recogniser.hear(window).text)
    return " ".join(text for text in said if text)
