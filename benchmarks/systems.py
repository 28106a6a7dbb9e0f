"""What is measured, behind one shape (open a stream, push chunks, get events): ours, rules, trivial baselines."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.gate import COOLDOWN_S, Gate, Likes
from soundflow.clock import chunk_samples, seconds
from soundflow.decide.context import sound_names
from soundflow.errors import ConfigError
from soundflow.events import DecisionEvent, Event
from soundflow.loop import Model, Stream
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.labels import ALERTING
from soundflow.perceive.normalise import LevelTracker
from soundflow.perceive.sound import SoundEncoder, labels
from soundflow.session import announced_as
from soundflow.types import Decision, FloatArray, Perception, Tool

CHUNK_MS = 400
OURS = "nano"
TRIVIAL = ("always-silent", "always-respond", "random")
NAMES = (OURS, "rules", *TRIVIAL)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a stream is opened with. `seed` serves systems that draw."""

    instruction: str = ""
    tools: tuple[Tool, ...] = ()
    seed: int = 0


class Listener(Protocol):
    """One open stream, one entry a chunk: what sounds, which chunks of the last minute it is like
    (`benchmarks.gate.Likes`), and the time of the step."""

    topics: list[str]
    likes: list[str]
    step_ms: list[float]

    def push(self, pcm: FloatArray) -> list[Event]: ...

    def close(self) -> list[Event]: ...


class System(Protocol):
    """Opens streams; `chunk` in samples."""

    name: str
    chunk: int

    def open(self, ask: Ask) -> Listener: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker process builds its systems from; it travels by pickle.

    `threshold` is of the rule system, `proactivity` of ours: at 0 it listens and never answers.
    """

    audio: Path
    systems: tuple[str, ...] = NAMES
    adapter: Path | None = None
    threshold: float = 0.5
    base_rate: float = 0.5
    proactivity: float = 0.5


def make(setup: Setup) -> list[System]:
    """The systems by name, in order. ConfigError for an unknown name; WeightsError where the tier was not pulled."""
    made: list[System] = []
    for name in setup.systems:
        if name == OURS:
            made.append(Nano(setup.adapter, setup.proactivity))
        elif name == "rules":
            made.append(Rules(setup.threshold))
        elif name in TRIVIAL:
            made.append(Trivial(name, setup.base_rate))
        else:
            raise ConfigError(f"--system: expected one of {', '.join(NAMES)}, got {name!r}")
    return made


class _Watch:
    """Observer of one of our streams: its topics and step times."""

    def __init__(self, names: Sequence[str]) -> None:
        self.topics: list[str] = []
        self.likes = Likes()
        self.step_ms: list[float] = []
        self.voiced: list[tuple[int, int]] = []  # (sample at which a piece of our voice begins, its samples at 16 kHz)
        self._names = names
        self._tags: deque[FloatArray] = deque(maxlen=4)

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None:
        self._tags.append(perception.tags)
        named = sound_names(np.stack(self._tags), self._names)
        self.topics.append(announced_as(named))
        self.likes.hear(perception.sound)
        self.step_ms.append(step_ms)

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        self.voiced.append((sample, len(audio) * 16_000 // rate_hz))

    def on_voice_cancelled(self, sample: int) -> None:
        self.voiced = [(at, min(n, max(0, sample - at))) for at, n in self.voiced]


class OurListener:
    """`soundflow.loop.Stream` with its observer."""

    def __init__(self, model: Model, ask: Ask, **options: Any) -> None:
        self.watch = _Watch(model.perceiver.labels)
        self.stream = Stream(
            model, instruction=ask.instruction, tools=ask.tools, observer=self.watch, timer=time.perf_counter, **options
        )
        self.topics, self.step_ms, self.likes = self.watch.topics, self.watch.step_ms, self.watch.likes.found

    def push(self, pcm: FloatArray) -> list[Event]:
        return self.stream.push(pcm)

    def close(self) -> list[Event]:
        return self.stream.close()


class Nano:
    """Our nano tier, deterministic (replies advance by a fixed number of tokens a chunk)."""

    name = OURS

    def __init__(self, adapter: Path | None = None, proactivity: float = 0.5) -> None:
        from soundflow.tiers import nano

        self.model = nano.load(adapter=adapter)
        self.chunk = self.model.chunk_samples
        self.proactivity = proactivity

    def open(self, ask: Ask, **options: Any) -> OurListener:
        return OurListener(self.model, ask, **{"proactivity": self.proactivity, **options})


class _Chunked:
    """A listener that decides chunk by chunk; `score` gives p(respond), a topic and a sound embedding of one chunk."""

    def __init__(self, chunk: int, threshold: float, cooldown_s: float) -> None:
        self.topics: list[str] = []
        self.step_ms: list[float] = []
        self._likes = Likes()
        self.likes = self._likes.found
        self._chunker = Chunker(chunk)
        self._gate = Gate(threshold, cooldown_s)

    def score(self, pcm: FloatArray) -> tuple[float, str, FloatArray]:
        raise NotImplementedError

    def push(self, pcm: FloatArray) -> list[Event]:
        return [self._step(chunk.index, chunk.end_sample, chunk.samples) for chunk in self._chunker.push(pcm)]

    def close(self) -> list[Event]:
        last = self._chunker.flush()
        return [self._step(last.index, last.end_sample, last.samples)] if last else []

    def _step(self, index: int, end: int, pcm: FloatArray) -> Event:
        began = time.perf_counter()
        p, topic, sound = self.score(pcm)
        self.step_ms.append((time.perf_counter() - began) * 1000)
        self.topics.append(topic)
        like = self._likes.hear(sound)
        said = "speak" if self._gate.fires(index, end, p, topic, like) else "silent"
        return DecisionEvent(t=seconds(end), decision=said, p={"silent": 1 - p, "speak": p, "act": 0.0}, chunk=index)


class Rules:
    """The fair rule system: the highest AudioSet score of an alerting label (soundflow.perceive.labels.ALERTING)
    against one threshold fitted on train, behind the same level tracker, hold and cool-down as ours."""

    name = "rules"

    def __init__(self, threshold: float, sound: Path | None = None, chunk_ms: int = CHUNK_MS) -> None:
        if sound is None:
            from soundflow.tiers import nano

            sound = nano.parts().sound
        self.chunk, self.threshold = chunk_samples(chunk_ms), threshold
        self.encoder, self.level = SoundEncoder(sound, self.chunk), LevelTracker(self.chunk)
        names = labels(sound)
        self.alerting = [(names.index(n), group) for group, members in ALERTING.items() for n in members]

    def open(self, ask: Ask) -> Listener:
        return _RuleListener(self)


class _RuleListener(_Chunked):
    def __init__(self, rules: Rules) -> None:
        super().__init__(rules.chunk, rules.threshold, COOLDOWN_S)
        self._rules = rules
        self._level, self._sound = rules.level.init_state(), rules.encoder.init_state()

    def score(self, pcm: FloatArray) -> tuple[float, str, FloatArray]:
        levelled = self._rules.level.step(pcm, self._level).samples
        frames = self._rules.encoder.step(levelled, self._sound)
        tags = frames.scores.max(axis=0)
        best = max(self._rules.alerting, key=lambda pair: float(tags[pair[0]]))
        return float(tags[best[0]]), best[1], frames.embeddings.mean(axis=0)


class Trivial:
    """always-silent, always-respond, and random: a stream is answered throughout with probability `base_rate`."""

    def __init__(self, name: str, base_rate: float = 0.5, chunk_ms: int = CHUNK_MS) -> None:
        self.name, self.base_rate, self.chunk = name, base_rate, chunk_samples(chunk_ms)

    def open(self, ask: Ask) -> Listener:
        draw = np.random.default_rng(np.random.SeedSequence([ask.seed, 2])).random()
        p = {"always-silent": 0.0, "always-respond": 1.0}.get(self.name, float(draw < self.base_rate))
        return _Constant(self.chunk, p)


class _Constant(_Chunked):
    def __init__(self, chunk: int, p: float) -> None:
        super().__init__(chunk, 0.5, 0.0)
        self._p = p

    def score(self, pcm: FloatArray) -> tuple[float, str, FloatArray]:
        return self._p, "", np.zeros(1, np.float32)
