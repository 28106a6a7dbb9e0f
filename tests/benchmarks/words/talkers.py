"""Systems that say what a script wants, and small data sets of tones in the published layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.systems import Ask, Listener
from soundflow.clock import seconds
from soundflow.errors import SoundflowError
from soundflow.events import Event, ReplyDelta, ReplyDone, ReplyStarted, Transcript
from soundflow.types import FloatArray

CHUNK = 6400
Line = tuple[int, bool, int, str]
"""(push, final, stable, text)"""


def heard(t: float, line: Line) -> Event:
    _, final, stable, text = line
    words = [{"text": w, "start": 0.0, "end": 0.1 * (k + 1)} for k, w in enumerate(text.split())] if final else None
    return Transcript(t=t, text=text, final=final, start=0.0, end=t, stable=stable, words=words)


def replied(name: str, push: int, *pieces: str) -> dict[int, list[Event]]:
    """A reply whose pieces come out one a push from `push` on, and its end with the last one."""
    events: dict[int, list[Event]] = {push: [ReplyStarted(t=0.0, id=name)]}
    for k, piece in enumerate(pieces):
        events.setdefault(push + k, []).append(ReplyDelta(t=0.0, id=name, text=piece))
    events[push + len(pieces) - 1].append(ReplyDone(t=0.0, id=name, text="".join(pieces)))
    return events


class _Talker:
    def __init__(self, events: Mapping[int, Sequence[Event]], fails_at: int | None) -> None:
        self.topics: list[str] = []
        self.likes: list[str] = []
        self.step_ms: list[float] = []
        self._events, self._fails_at, self._push = events, fails_at, 0

    def push(self, pcm: FloatArray) -> list[Event]:
        assert len(pcm) == CHUNK
        if self._push == self._fails_at:
            raise RuntimeError("made to crash")
        self.step_ms.append(100.0)
        self._push += 1
        return list(self._events.get(self._push - 1, ()))

    def close(self) -> list[Event]:
        return [e for push, events in self._events.items() if push >= self._push for e in events]


class Talker:
    """Gives scripted events on every item; `refuses`: item seeds at which it cannot be opened."""

    chunk = CHUNK

    def __init__(
        self,
        name: str,
        events: Mapping[int, Sequence[Event]],
        fails_at: int | None = None,
        refuses: Sequence[int] = (),
    ) -> None:
        self.name, self.opened = name, 0
        self._events, self._fails_at, self._refuses = events, fails_at, refuses

    @staticmethod
    def of(name: str, *lines: Line, fails_at: int | None = None) -> Talker:
        events: dict[int, list[Event]] = {}
        for line in lines:
            events.setdefault(line[0], []).append(heard(seconds((line[0] + 1) * CHUNK), line))
        return Talker(name, events, fails_at)

    def open(self, ask: Ask) -> Listener:
        self.opened += 1
        if ask.seed in self._refuses:
            raise SoundflowError("made to fail")
        return _Talker(self._events, self._fails_at)


def tone(length_s: float, rate: int = 16_000) -> FloatArray:
    times = np.arange(round(length_s * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)


def librispeech(folder: Path, speakers: Mapping[str, Sequence[tuple[str, float]]]) -> Path:
    """SPEAKER -> (text, seconds) of its recordings, all in chapter 7."""
    for speaker, said in speakers.items():
        chapter = folder / speaker / "7"
        chapter.mkdir(parents=True)
        lines = []
        for k, (text, length) in enumerate(said):
            soundfile.write(chapter / f"{speaker}-7-{k:04d}.flac", tone(length), 16_000)
            lines.append(f"{speaker}-7-{k:04d} {text}\n")
        (chapter / f"{speaker}-7.trans.txt").write_text("".join(lines))
    return folder


def clips(folder: Path, *names: str, rate: int = 48_000) -> Path:
    """clips/NAME of a second of tone at another rate."""
    (folder / "clips").mkdir(parents=True)
    for name in names:
        soundfile.write(folder / "clips" / name, tone(1.0, rate), rate, format="WAV")
    return folder
