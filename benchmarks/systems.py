"""What is measured, behind one shape (open a stream, push chunks, get events): ours, rules, trivial baselines, peers
(`benchmarks.peers`) and servers by their URL."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.gate import Gate, Likes
from benchmarks.peers import catalog
from soundflow.clock import chunk_samples, seconds
from soundflow.decide.announced import announced_as
from soundflow.decide.context import sound_names
from soundflow.errors import ConfigError
from soundflow.events import DecisionEvent, Event, ReplyDone
from soundflow.loop import Model, Stream
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.labels import display_name
from soundflow.types import Decision, FloatArray, Perception, Tool

CHUNK_MS = 400
OURS = "nano"
TRIVIAL = ("always-silent", "always-respond", "random")
NAMES = (OURS, "rules", *TRIVIAL)
NO_MEMORY = f"{OURS}-no-memory"
ABLATED = tuple(f"{OURS}-no-{sense}" for sense in ("sound", "tags", "words"))
NUMBERS = {f"{OURS}-int8": "int8", f"{OURS}-fp32": "fp32"}
"""Our model in other numbers: as the server runs it, and as the reference of both."""
PEERS = catalog.NAMES
KNOWN = (*NAMES, *ABLATED, NO_MEMORY, *NUMBERS, *PEERS)
URLS = ("ws://", "wss://", "http://", "https://")
"""How the name of a system begins that is a server: its whole URL is its name."""


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
    """What a worker process builds its systems from; it travels by pickle. `systems`: names of KNOWN, or URLs.

    `threshold` is of the rule system, `asked_threshold` its one for sounds that the instruction names (None: the same),
    `proactivity` of ours: at 0 it listens and never answers. `thresholds`: those of `yamnet-threshold` (None: the
    package's, fitted on train).
    """

    audio: Path
    systems: tuple[str, ...] = NAMES
    adapter: Path | None = None
    threshold: float = 0.5
    asked_threshold: float | None = None
    base_rate: float = 0.5
    proactivity: float = 0.5
    thresholds: Path | None = None


def is_url(name: str) -> bool:
    """Whether a system is a server."""
    return name.lower().startswith(URLS)


def check(name: str, option: str = "--systems") -> None:
    """ConfigError where no system has this name: neither one of KNOWN nor the URL of a server that can be one."""
    if is_url(name):
        from benchmarks.peers.address import Address

        Address.parse(name)
    elif name not in KNOWN:
        raise ConfigError(
            f"{option}: expected some of {', '.join(KNOWN)}, or ws://HOST/v1/realtime or ws://HOST/v1/live/sessions,"
            f" got {name!r}"
        )


def real_time(name: str) -> bool:
    """Whether a system hears no faster than real time: a server, unless its address says that it waits for decisions
    in place of the clock (`benchmarks.peers.address`)."""
    if not is_url(name):
        return False
    from benchmarks.peers.address import Address

    return Address.parse(name).pace > 0


def make(setup: Setup) -> list[System]:
    """The systems by name, in order. ConfigError for an unknown name; WeightsError where the tier was not pulled."""
    made: list[System] = []
    for name in setup.systems:
        if name == OURS:
            made.append(Nano(setup.adapter, setup.proactivity))
        elif name in NUMBERS:
            made.append(Nano(setup.adapter, setup.proactivity, name))
        elif name == NO_MEMORY:
            from benchmarks.no_memory import NoMemory

            made.append(NoMemory(setup.adapter, setup.proactivity))
        elif name in ABLATED:
            from benchmarks.ablations import Ablated

            made.append(Ablated(name, setup.adapter, setup.proactivity))
        elif name == "rules":
            from benchmarks.keyword_rules import Rules

            made.append(Rules(setup.threshold, setup.asked_threshold))
        elif name in TRIVIAL:
            made.append(Trivial(name, setup.base_rate))
        elif name in PEERS:
            made.append(catalog.build(name, setup))
        elif is_url(name):
            from benchmarks.peers.remote import Remote

            made.append(Remote(name))
        else:
            check(name, "--system")
    return made


class Watch:
    """Observer of one of our streams: its topics and step times."""

    def __init__(self, names: Sequence[str], chunk_samples: int) -> None:
        self._chunk_samples = chunk_samples
        self.topics: list[str] = []
        self.likes = Likes()
        self.step_ms: list[float] = []
        self.wholes: list[tuple[int, float, float, int]] = []  # of each sound that ended: chunk, margin, alert, first
        self.voiced: list[tuple[int, int]] = []  # (sample at which a piece of our voice begins, its samples at 16 kHz)
        self._names = names
        self._tags: deque[FloatArray] = deque(maxlen=4)

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None:
        self._tags.append(perception.tags)
        named = sound_names(np.stack(self._tags), self._names)
        if whole := perception.whole:
            named = (display_name(whole.label),)
            first = whole.onset // self._chunk_samples
            self.wholes.append((perception.chunk, round(whole.margin, 3), round(whole.alert, 3), first))
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
        self.watch = Watch(model.perceiver.labels, model.chunk_samples)
        self.stream = Stream(
            model, instruction=ask.instruction, tools=ask.tools, observer=self.watch, timer=time.perf_counter, **options
        )
        self.topics, self.step_ms, self.likes = self.watch.topics, self.watch.step_ms, self.watch.likes.found
        self.wholes = self.watch.wholes

    def push(self, pcm: FloatArray) -> list[Event]:
        return self.stream.push(pcm)

    def close(self) -> list[Event]:
        return self.stream.close()


@lru_cache(maxsize=3)
def _loaded(adapter: Path | None, numbers: str = "") -> Model:
    """The tier; streams hold all state, so that the variants of ours in one process share its weights."""
    import torch

    from soundflow.tiers import nano

    dtype = torch.float32 if numbers == "fp32" else None
    return nano.load(adapter=adapter, dtype=dtype, eight_bit=numbers == "int8")


class Nano:
    """Our nano tier, deterministic (replies advance by a fixed number of tokens a chunk)."""

    def __init__(self, adapter: Path | None = None, proactivity: float = 0.5, name: str = OURS) -> None:
        self.name, self.model = name, _loaded(adapter, NUMBERS.get(name, ""))
        self.chunk = self.model.chunk_samples
        self.proactivity = proactivity

    def open(self, ask: Ask, **options: Any) -> OurListener:
        return OurListener(self.model, ask, **{"proactivity": self.proactivity, **options})


class Chunked:
    """A listener that decides chunk by chunk; `score` gives p(respond), a topic and a sound embedding of one chunk.

    `announce`: what is said about a topic; "" says nothing.
    """

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
        return [e for c in self._chunker.push(pcm) for e in self.step(c.index, c.end_sample, c.samples)]

    def close(self) -> list[Event]:
        last = self._chunker.flush()
        return self.step(last.index, last.end_sample, last.samples) if last else []

    def announce(self, topic: str) -> str:
        return ""

    def step(self, index: int, end: int, pcm: FloatArray) -> list[Event]:
        """One chunk: the decision, and the announcement if there is one."""
        began = time.perf_counter()
        p, topic, sound = self.score(pcm)
        self.step_ms.append((time.perf_counter() - began) * 1000)
        self.topics.append(topic)
        like = self._likes.hear(sound)
        fires = self._gate.fires(index, end, p, topic, like)
        odds, t = {"silent": 1 - p, "speak": p, "act": 0.0}, seconds(end)
        events: list[Event] = [DecisionEvent(t=t, decision="speak" if fires else "silent", p=odds, chunk=index)]
        if fires and (text := self.announce(topic)):
            events.append(ReplyDone(t=t, id=f"r{index}", text=text))
        return events


class Trivial:
    """always-silent, always-respond, and random: a stream is answered throughout with probability `base_rate`."""

    def __init__(self, name: str, base_rate: float = 0.5, chunk_ms: int = CHUNK_MS) -> None:
        self.name, self.base_rate, self.chunk = name, base_rate, chunk_samples(chunk_ms)

    def open(self, ask: Ask) -> Listener:
        draw = np.random.default_rng(np.random.SeedSequence([ask.seed, 2])).random()
        p = {"always-silent": 0.0, "always-respond": 1.0}.get(self.name, float(draw < self.base_rate))
        return _Constant(self.chunk, p)


class _Constant(Chunked):
    def __init__(self, chunk: int, p: float) -> None:
        super().__init__(chunk, 0.5, 0.0)
        self._p = p

    def score(self, pcm: FloatArray) -> tuple[float, str, FloatArray]:
        return self._p, "", np.zeros(1, np.float32)
