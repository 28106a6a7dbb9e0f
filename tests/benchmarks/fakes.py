"""A tiny corpus of tones and noise, and systems without weights."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.corpus import Row
from benchmarks.systems import Ask, Listener
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import seconds
from soundflow.errors import SoundflowError
from soundflow.events import DecisionEvent, Event
from soundflow.types import FloatArray

CHUNK = 6400
COLUMNS = tuple(Row.__dataclass_fields__)


def beeps(length_s: float = 1.0, hz: float = 3000.0) -> FloatArray:
    times = np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.4 * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def hiss(length_s: float = 1.0, seed: int = 0) -> FloatArray:
    drawn = np.random.default_rng(seed).standard_normal(round(length_s * SAMPLE_RATE_HZ))
    return (0.1 * np.clip(drawn, -3, 3)).astype(np.float32)


def make_corpus(folder: Path) -> Path:
    """Two splits of: alarm, siren (beeps, to answer), benign hiss, thunder (context), beds, music, speech, orders."""
    lines = []

    def add(split: str, dataset: str, kind: str, label: str, respond: str, audio: FloatArray, **more: str) -> None:
        name = f"{dataset}/{split}_{label or kind}_{len(lines)}.wav".replace("/music", "/m").replace(" ", "")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio, SAMPLE_RATE_HZ)
        row = dict.fromkeys(COLUMNS, "") | {"path": name, "dataset": dataset, "split": split, "kind": kind}
        row |= {"label": label, "respond": respond, "open": "yes", "seconds": f"{len(audio) / SAMPLE_RATE_HZ:.3f}"}
        lines.append(row | more)

    for split in ("train", "dev"):
        for k in range(3):
            add(split, "fake", "event", "alarm", "yes", beeps(1.0 + 0.5 * k))
            add(split, "eval_events", "event", "siren", "yes", beeps(2.0 + k, 2500.0), open="no")
            for label in ("rain", "cat", "church_bells", "dog"):
                respond = "context" if label == "dog" else "no"
                add(split, "fake", "event", label, respond, hiss(1.0 + k, k))
        add(split, "fake", "event", "thunder", "context", hiss(2.0))
        add(split, "fake", "ambience", "urban/road", "no", hiss(20.0))
        add(split, "fake", "music", "music_cello", "no", beeps(3.0, 440.0))
        words = {"text": "one two", "speaker": f"{split}a"}
        add(split, "an4_test", "speech", "", "", hiss(2.0, 5), **words)
        add(split, "librispeech_train-clean-100_3spk", "speech", "", "", hiss(4.0, 6), **words)
        order = "INTENT:orderDrink coffeeDrink=latte;size=small"
        add(split, "picovoice_s2i", "speech", order, "", hiss(3.0, 7))
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    return folder


class FakeListener:
    """Asks `judge` for p(respond) of each chunk and speaks at p >= 0.5, once in `hold` chunks."""

    def __init__(self, judge: Callable[[FloatArray], float], hold: int = 4) -> None:
        self.topics: list[str] = []
        self.likes: list[str] = []
        self.step_ms: list[float] = []
        self._judge, self._hold, self._until, self._chunk = judge, hold, 0, 0

    def push(self, pcm: FloatArray) -> list[Event]:
        assert len(pcm) == CHUNK
        p, k = self._judge(pcm), self._chunk
        fires = p >= 0.5 and k >= self._until
        self._until = k + self._hold if fires else self._until
        self._chunk += 1
        self.topics.append("")
        self.step_ms.append(10.0)
        odds = {"silent": 1 - p, "speak": p, "act": 0.0}
        said = "speak" if fires else "silent"
        return [DecisionEvent(t=seconds((k + 1) * CHUNK), decision=said, p=odds, chunk=k)]

    def close(self) -> list[Event]:
        return []


class FakeSystem:
    """A system by a judge of chunks; with `fails_on` it raises for items of that seed."""

    def __init__(self, name: str, judge: Callable[[FloatArray], float], fails_on: int | None = None) -> None:
        self.name, self.chunk = name, CHUNK
        self.opened = 0
        self._judge, self._fails_on = judge, fails_on

    def open(self, ask: Ask) -> Listener:
        self.opened += 1
        if ask.seed == self._fails_on:
            raise SoundflowError("made to fail")
        return FakeListener(self._judge)


def hears_beeps(pcm: FloatArray) -> float:
    """0.9 where a tone above 2 kHz stands out."""
    spectrum = np.abs(np.fft.rfft(pcm)) ** 2
    return 0.9 if spectrum[800:].max() > 0.2 * (spectrum.sum() + 1e-9) else 0.1


def loud(pcm: FloatArray) -> float:
    """0.9 for anything that is not quiet."""
    return 0.9 if float(np.sqrt(np.mean(pcm**2))) > 10 ** (-38 / 20) else 0.1


def silent(pcm: FloatArray) -> float:
    return 0.0
