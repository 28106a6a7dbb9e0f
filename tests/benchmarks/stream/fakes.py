"""Sentences that are tones of 1 kHz, and a system that names the last loud sound it heard when a tone ends."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.stream.words import sentences
from benchmarks.systems import Ask, Listener
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import seconds
from soundflow.events import DecisionEvent, Event, ReplyDone
from soundflow.types import FloatArray
from tests.benchmarks.fakes import CHUNK, beeps

QUESTION_HZ = 1000


def make_voices(folder: Path, texts: list[str] | None = None) -> Path:
    """A folder as `soundflow data say` makes it: every sentence is the same second of 1 kHz."""
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "tone.wav", beeps(1.0, QUESTION_HZ), SAMPLE_RATE_HZ)
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "voice", "licence"])
        writer.writerows(["tone.wav", text, "fake:tone", "none"] for text in texts or sentences())
    return folder


def loudest_hz(pcm: FloatArray) -> float:
    """Frequency of the strongest line; 0 where it is quiet."""
    if float(np.sqrt(np.mean(pcm**2))) < 10 ** (-45 / 20):
        return 0.0
    return float(np.argmax(np.abs(np.fft.rfft(pcm)))) * SAMPLE_RATE_HZ / len(pcm)


class Rememberer:
    """Names the `first` or last sound (3 kHz an alarm, 2.5 kHz a siren, else noise), `memory` chunks back at most."""

    def __init__(self, memory: int) -> None:
        self.topics: list[str] = []
        self.likes: list[str] = []
        self.step_ms: list[float] = []
        self._memory, self._heard, self._k, self._asking = memory, list[tuple[int, str]](), 0, False

    def push(self, pcm: FloatArray) -> list[Event]:
        assert len(pcm) == CHUNK
        k, hz = self._k, loudest_hz(pcm)
        self._k += 1
        asked = abs(hz - QUESTION_HZ) < 20
        fires = self._asking and not asked
        self._asking = asked
        if hz and not asked:
            name = {3000: "an alarm", 2500: "a siren"}.get(round(hz / 50) * 50, "a dog")
            self._heard.append((k, name))
        self.topics.append("")
        self.step_ms.append(500.0)
        t, odds = seconds(self._k * CHUNK), {"silent": 0.1, "speak": 0.9, "act": 0.0}
        events: list[Event] = [DecisionEvent(t=t, decision="speak" if fires else "silent", p=odds, chunk=k)]
        if fires:
            known = [name for at, name in self._heard if at >= k - self._memory]
            text = f"I heard {known[0]}." if known else "I have not heard anything."
            events.append(ReplyDone(t=t, id=f"r{k}", text=text))
        return events

    def close(self) -> list[Event]:
        return []


class Remembers:
    """Opens `Rememberer`s; `fails_on`: raises for streams of that seed after `good` chunks."""

    def __init__(self, name: str, memory: int = 10**6, fails_on: int | None = None) -> None:
        self.name, self.chunk, self._memory, self._fails_on = name, CHUNK, memory, fails_on
        self.opened = 0

    def open(self, ask: Ask) -> Listener:
        self.opened += 1
        if ask.seed == self._fails_on:
            raise RuntimeError("a bug")
        return Rememberer(self._memory)
