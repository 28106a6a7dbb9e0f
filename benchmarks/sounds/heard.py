"""Systems of this benchmark, and the runner: what a system told of one stream, and its scores of each chunk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import systems
from benchmarks.compose import Item, render
from benchmarks.hear import Shop, Tick, each
from benchmarks.instances import Row
from benchmarks.sounds import classes, desed, plan
from benchmarks.sounds.classes import Classes
from benchmarks.systems import NUMBERS, OURS, Ask, Listener, Nano, Setup, System
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples, seconds
from soundflow.events import Event, SoundEvent, SoundWhole
from soundflow.loop import Stream
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.labels import SPEECH
from soundflow.perceive.sound import SoundEncoder, labels
from soundflow.tiers import weights
from soundflow.types import Decision, FloatArray, Perception

YAMNET = "yamnet"
ALWAYS = "always-respond"
WHOLE = f"{OURS}-whole"
"""Ours by what each sound was as a whole: told of once, at its end."""
NAMES = (OURS, YAMNET, "always-silent", ALWAYS)
WITH_SCORES = (OURS, *NUMBERS, WHOLE, YAMNET)
DIGITS = 5  # of scores


@dataclass(frozen=True, slots=True)
class SoundsSetup(Setup):
    """With the set of classes; `threshold` is that of `yamnet`."""

    classes: str = classes.INDEX


class Scored:
    """A listener with scores: `found` has [classes] of every chunk, in the order of `Classes.names`."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.likes: list[str] = []
        self.step_ms: list[float] = []
        self.found: list[FloatArray] = []


class OurScores(Scored):
    """`soundflow.loop.Stream`, watched: the scores are its tag probabilities, calibrated as those of its events."""

    def __init__(self, nano: Nano, ask: Ask, into: Classes) -> None:
        super().__init__()
        perceiver = nano.model.perceiver
        self._calibrated, self._labels, self._into = perceiver.calibration, perceiver.labels, into
        self._stream = Stream(
            nano.model, instruction=ask.instruction, tools=ask.tools, observer=self, timer=time.perf_counter,
            proactivity=nano.proactivity,
        )  # fmt: skip

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None:
        self.step_ms.append(step_ms)
        self.found.append(self._into.scores(self._calibrated(perception.tags), self._labels))

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        """Of no interest here."""

    def on_voice_cancelled(self, sample: int) -> None:
        """Of no interest here."""

    def push(self, pcm: FloatArray) -> list[Event]:
        return self._stream.push(pcm)

    def close(self) -> list[Event]:
        return self._stream.close()


class Ours:
    """A system of ours whose streams also give scores."""

    def __init__(self, nano: Nano, into: Classes, whole: bool = False) -> None:
        self.name, self.chunk = WHOLE if whole else nano.name, nano.chunk
        self._nano, self._into, self._listener = nano, into, WholeScores if whole else OurScores

    def open(self, ask: Ask) -> Listener:
        return self._listener(self._nano, ask, self._into)


class WholeScores(OurScores):
    """Of the same stream, what is told of a sound once it has ended."""

    def push(self, pcm: FloatArray) -> list[Event]:
        return [_whole(e) for e in super().push(pcm) if _kept(e)]

    def close(self) -> list[Event]:
        return [_whole(e) for e in super().close() if _kept(e)]


def _kept(event: Event) -> bool:
    return not isinstance(event, SoundEvent) or event.label in SPEECH


def _whole(event: Event) -> Event:
    if not isinstance(event, SoundWhole):
        return event
    return SoundEvent(t=event.t, label=event.label, p=event.p, onset=event.onset, offset=event.offset)


class Thresholded:
    """Told while the score of a class is at least `threshold`, and nothing else: no memory, no hierarchy of labels.

    YAMNet (Plakal and Ellis 2019), two windows of 0.975 s a chunk, the higher one, as ours hears it, but without our
    level tracker, calibration and hysteresis.
    """

    name = YAMNET

    def __init__(self, threshold: float, into: Classes, chunk_ms: int = systems.CHUNK_MS) -> None:
        path = weights.part("sound") / "yamnet.tflite"
        self.chunk, self.threshold, self.into = chunk_samples(chunk_ms), threshold, into
        self.encoder, self.labels = SoundEncoder(path, self.chunk), labels(path)

    def open(self, ask: Ask) -> Listener:
        state = self.encoder.init_state()

        def score(pcm: FloatArray) -> FloatArray:
            return self.into.scores(self.encoder.step(pcm, state).scores.max(axis=0), self.labels)

        return Told(self.chunk, self.threshold, self.into.names, score)


class Told(Scored):
    """Events out of scores [classes] that `score` gives of a chunk; their labels are the classes."""

    def __init__(self, chunk: int, threshold: float, names: Sequence[str], score: Any) -> None:
        super().__init__()
        self._chunker, self._threshold, self._names, self._score = Chunker(chunk), threshold, names, score
        self._since: dict[str, tuple[float, float]] = {}

    def push(self, pcm: FloatArray) -> list[Event]:
        return [e for c in self._chunker.push(pcm) for e in self._step(c.start_sample, c.end_sample, c.samples)]

    def close(self) -> list[Event]:
        last = self._chunker.flush()
        events = self._step(last.start_sample, last.end_sample, last.samples) if last else []
        t = seconds(self._chunker.position)
        events += [SoundEvent(t=t, label=n, p=p, onset=a, offset=t) for n, (a, p) in self._since.items()]
        self._since = {}
        return events

    def _step(self, start: int, end: int, pcm: FloatArray) -> list[Event]:
        began = time.perf_counter()
        scores = self._score(pcm)
        self.found.append(scores)
        events: list[Event] = []
        for name, p in zip(self._names, scores.tolist(), strict=True):
            if p >= self._threshold:
                onset, best = self._since.get(name, (seconds(start), p))
                if name not in self._since:
                    events.append(SoundEvent(t=seconds(end), label=name, p=p, onset=onset))
                self._since[name] = (onset, max(best, p))
            elif name in self._since:
                onset, best = self._since.pop(name)
                events.append(SoundEvent(t=seconds(end), label=name, p=best, onset=onset, offset=seconds(start)))
        self.step_ms.append((time.perf_counter() - began) * 1000)
        return events


class Always:
    """Every class is told from the first chunk to the end: what F1 is worth without hearing."""

    name = ALWAYS

    def __init__(self, into: Classes, chunk_ms: int = systems.CHUNK_MS) -> None:
        self.chunk, self._names = chunk_samples(chunk_ms), into.names

    def open(self, ask: Ask) -> Listener:
        return Told(self.chunk, 0.5, self._names, lambda pcm: np.ones(len(self._names), np.float32))


def make(setup: SoundsSetup) -> list[System]:
    """The systems by name: those above, and any of `benchmarks.systems`, which count by the sound events they send."""
    into = classes.read(setup.classes)
    found: list[System] = []
    for name in setup.systems:
        if name == YAMNET:
            found.append(Thresholded(setup.threshold, into))
        elif name == ALWAYS:
            found.append(Always(into))
        else:
            made = systems.make(replace(setup, systems=(OURS if name == WHOLE else name,)))[0]
            found.append(Ours(made, into, name == WHOLE) if type(made) is Nano else made)
    return found


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """One row a system of `names`. Audio that is not there is a row with `error`, too."""
    if "sounds" not in shop.kept:
        assert isinstance(shop.setup, SoundsSetup)
        shop.kept["sounds"] = make(shop.setup)
    return hear_by(shop.kept["sounds"], item, names, shop, tick)


def hear_by(among: Sequence[System], item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """`hear` with systems that were made."""
    return each(item, names, among, lambda system: _row(item, system, shop, tick))


def _row(item: Item, system: System, shop: Shop, tick: Tick) -> Row:
    audio, truth = _audio(item, shop, system.chunk)
    listener = system.open(Ask(seed=item.seed))
    began, step_ms, events = time.perf_counter(), [], list[Event]()
    for start in range(0, len(audio), system.chunk):
        at = time.perf_counter()
        events += listener.push(audio[start : start + system.chunk])
        step_ms.append(round((time.perf_counter() - at) * 1000, 2))
        tick(system.chunk / SAMPLE_RATE_HZ)
    events += listener.close()
    row = {
        "id": item.id,
        "system": system.name,
        "item": item.to_dict(),
        "chunk": system.chunk,
        "samples": len(audio),
        "truth": truth,
        "told": told(events, seconds(len(audio))),
        "step_ms": step_ms,
        "wall_s": round(time.perf_counter() - began, 3),
    }
    scores = getattr(listener, "found", None)
    if scores:
        table = np.stack(scores[: len(step_ms)])
        row["scores"] = [[round(x, DIGITS) for x in line] for line in table.T.tolist()]  # [classes][chunks]
    return row


def _audio(item: Item, shop: Shop, chunk: int) -> tuple[FloatArray, list[tuple[str, float, float]]]:
    """[n] samples, a whole number of chunks, and the truth."""
    if "file" not in item.facts:
        return render(item, shop.clips, chunk).audio, plan.placed(item, shop.clips)
    audio = desed.read(Path(item.facts["file"]))
    return np.pad(audio, (0, -len(audio) % chunk)), plan.planned(item)


def told(events: Sequence[Event], length: float) -> list[dict[str, Any]]:
    """What was told: label, p, onset, offset, and `t`, when the first message about it came; cut at the stream's end.

    A sound of which only the end is told counts from that message on; one whose end never came lasts to the stream's.
    """
    found: dict[tuple[str, float], dict[str, Any]] = {}
    for event in events:
        if isinstance(event, SoundEvent):
            name = (event.label, event.onset)
            entry = found.setdefault(name, {"label": event.label, "onset": event.onset, "t": event.t})
            entry["p"] = round(max(event.p, entry.get("p", 0.0)), DIGITS)
            if event.offset is not None:
                entry["offset"] = event.offset
    kept = []
    for entry in found.values():
        entry["onset"], entry["offset"] = max(0.0, entry["onset"]), min(length, entry.get("offset", length))
        if entry["offset"] > entry["onset"]:
            kept.append(entry)
    return sorted(kept, key=lambda e: (e["onset"], e["label"]))
